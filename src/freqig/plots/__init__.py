"""Figures of explanations. Each function takes Axes and returns them.

This is the only place that imports matplotlib, and only when a figure is asked for.
"""

from __future__ import annotations

from freqig.plots.spectrum import spectrum

__all__ = ["spectrum"]

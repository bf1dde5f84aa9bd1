"""Figures of explanations. Each function takes Axes and returns them.

This is the only place that imports matplotlib, and only when a figure is asked for.
"""

from __future__ import annotations

from .components import components
from .polar import polar
from .segments import segments
from .spectrogram import spectrogram
from .spectrum import spectrum
from .waveform import waveform
from .wavelet import wavelet

__all__ = ["components", "polar", "segments", "spectrogram", "spectrum", "waveform", "wavelet"]

"""Figures of explanations. Each function takes Axes and returns them.

This is the only place that imports matplotlib, and only when a figure is asked for.
"""

from __future__ import annotations

from freqig.plots.components import components
from freqig.plots.flicker import flicker
from freqig.plots.polar import polar
from freqig.plots.segments import segments
from freqig.plots.spectrogram import spectrogram
from freqig.plots.spectrum import spectrum
from freqig.plots.waveform import waveform
from freqig.plots.wavelet import wavelet

__all__ = ["components", "flicker", "polar", "segments", "spectrogram", "spectrum", "waveform", "wavelet"]

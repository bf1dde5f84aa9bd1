"""Figures of explanations. Each function takes Axes and returns them.

This is the only place that imports matplotlib, and only when a figure is asked for.
"""

from __future__ import annotations

from .band_table import band_table
from .class_spectrum import class_spectrum
from .compare import compare
from .components import components
from .difference import difference
from .evaluation import evaluation
from .interactions import interactions
from .night import night
from .polar import polar
from .sample import sample
from .segments import segments
from .spectrogram import spectrogram
from .spectrum import spectrum
from .topomap import topomap
from .waveform import waveform
from .wavelet import wavelet

__all__ = [
    "band_table",
    "class_spectrum",
    "compare",
    "components",
    "difference",
    "evaluation",
    "interactions",
    "night",
    "polar",
    "sample",
    "segments",
    "spectrogram",
    "spectrum",
    "topomap",
    "waveform",
    "wavelet",
]

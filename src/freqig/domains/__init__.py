"""Domains: ways of writing a signal as coefficients, all explained from one path."""

from .base import Domain
from .cepstrum import Cepstrum
from .check import check_inversion
from .components import Components
from .composition import Composition
from .envelope import Envelope
from .filterbank import FilterBank
from .ica import ICA
from .nonlinear import NonlinearDomain
from .polar import Polar
from .preparing import ready
from .rfft import RFFT
from .segments import Segments
from .spatial import Spatial
from .stft import STFT
from .time import Time
from .wavelet import Wavelet

__all__ = [
    "ICA",
    "RFFT",
    "STFT",
    "Cepstrum",
    "Components",
    "Composition",
    "Domain",
    "Envelope",
    "FilterBank",
    "NonlinearDomain",
    "Polar",
    "Segments",
    "Spatial",
    "Time",
    "Wavelet",
    "check_inversion",
    "ready",
]

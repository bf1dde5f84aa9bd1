"""freqig: which frequencies made a time-series model decide.

`attribute` answers in one call, NumPy in and NumPy out; `Explainer` returns a labelled
`xarray.Dataset` in every domain asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__
from .attribute import attribute
from .bands import bands
from .domains import (
    ICA,
    RFFT,
    STFT,
    Components,
    Domain,
    FilterBank,
    NonlinearDomain,
    Polar,
    Segments,
    Spatial,
    Time,
    Wavelet,
)
from .explain import Explainer
from .layers import FrequencyModel, InverseRFFT

from . import baselines  # isort: skip

if TYPE_CHECKING:
    from . import plots

__all__ = [
    "ICA",
    "RFFT",
    "STFT",
    "Components",
    "Domain",
    "Explainer",
    "FilterBank",
    "FrequencyModel",
    "InverseRFFT",
    "NonlinearDomain",
    "Polar",
    "Segments",
    "Spatial",
    "Time",
    "Wavelet",
    "__version__",
    "attribute",
    "bands",
    "baselines",
    "plots",
]


def __getattr__(name: str) -> object:
    # Figures need matplotlib, which takes longer to import than most explanations to compute.
    if name == "plots":
        return import_module(".plots", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

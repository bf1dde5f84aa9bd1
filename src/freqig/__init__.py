"""freqig: which frequencies made a time-series model decide.

`attribute` answers in one call, NumPy in and NumPy out; `Explainer` returns a labelled
`xarray.Dataset` in every domain asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__
from .attribute import attribute
from .bands import bands
from .domains import RFFT, Domain, Time
from .explain import Explainer
from .layers import FrequencyModel, InverseRFFT

if TYPE_CHECKING:
    from . import baselines, plots

__all__ = [
    "RFFT",
    "Domain",
    "Explainer",
    "FrequencyModel",
    "InverseRFFT",
    "Time",
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

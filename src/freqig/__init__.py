"""freqig: which frequencies made a time-series model decide.

`attribute` answers in one call, NumPy in and NumPy out; `Explainer` returns a labelled
`xarray.Dataset` in every domain asked for.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import baselines, cohort, errors, groupings, methods, plots, synth
    from .attribute import attribute
    from .bands import bands
    from .checking import check
    from .coalitions import Shapley
    from .cohort import open_cohort
    from .domains import (
        ICA,
        RFFT,
        STFT,
        Cepstrum,
        Components,
        Domain,
        Envelope,
        FilterBank,
        NonlinearDomain,
        Polar,
        Segments,
        Spatial,
        Time,
        Wavelet,
    )
    from .evaluation import evaluate
    from .explain.explainer import Explainer
    from .exports import methods_text, peaks, to_dataframe, to_mne, to_shap, to_wav
    from .files import read
    from .frequency_model import FrequencyModel, InverseRFFT
    from .machines import bands_around, bearing_frequencies
    from .objective.arguments import per_sample, shared
    from .reporting import report
    from .resynthesis import resynthesize
    from .sliding import slide
    from .statistics import compare, summarize
    from .summaries import summary

__all__ = [
    "ICA",
    "RFFT",
    "STFT",
    "Cepstrum",
    "Components",
    "Domain",
    "Envelope",
    "Explainer",
    "FilterBank",
    "FrequencyModel",
    "InverseRFFT",
    "NonlinearDomain",
    "Polar",
    "Segments",
    "Shapley",
    "Spatial",
    "Time",
    "Wavelet",
    "__version__",
    "attribute",
    "bands",
    "bands_around",
    "baselines",
    "bearing_frequencies",
    "check",
    "cohort",
    "compare",
    "errors",
    "evaluate",
    "groupings",
    "methods",
    "methods_text",
    "open_cohort",
    "peaks",
    "per_sample",
    "plots",
    "read",
    "report",
    "resynthesize",
    "shared",
    "slide",
    "summarize",
    "summary",
    "synth",
    "to_dataframe",
    "to_mne",
    "to_shap",
    "to_wav",
]

# Imported when first used: PyTorch, xarray and matplotlib take seconds, which `freqig --help` need not.
# What is not here is a submodule of its own name, or in `domains`.
_HOME = {
    "Explainer": "explain.explainer",
    "FrequencyModel": "frequency_model",
    "InverseRFFT": "frequency_model",
    "Shapley": "coalitions",
    "attribute": "attribute",
    "bands": "bands",
    "bands_around": "machines",
    "bearing_frequencies": "machines",
    "check": "checking",
    "compare": "statistics",
    "evaluate": "evaluation",
    "methods_text": "exports",
    "open_cohort": "cohort",
    "peaks": "exports",
    "per_sample": "objective.arguments",
    "read": "files",
    "report": "reporting",
    "resynthesize": "resynthesis",
    "shared": "objective.arguments",
    "slide": "sliding",
    "summarize": "statistics",
    "summary": "summaries",
    "to_dataframe": "exports",
    "to_mne": "exports",
    "to_shap": "exports",
    "to_wav": "exports",
}


def __getattr__(name: str) -> object:
    home = _HOME.get(name, "domains" if name in __all__ and name[0].isupper() else name)
    if name.startswith("_") or find_spec(f"{__name__}.{home}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{home}", __name__)
    value: object = module if home == name and name not in _HOME else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """The package, in which `attribute` and `bands` are functions, though their modules have these names."""

    def __setattr__(self, name: str, value: object) -> None:
        # Python sets a submodule as an attribute of its package, whoever imports it.
        if name in _HOME and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

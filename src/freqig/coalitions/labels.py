"""What the variables of a result are, which were labelled as those of any domain."""

from __future__ import annotations

import xarray as xr

from .method import ALONE, ERROR, INTERACTION, PAIR_ERROR
from .players import NAME
from .settings import ShapleySettings

ABOUT = {
    NAME: ("attribution", "Shapley values of players"),
    ERROR: ("standard_error", "standard error of Shapley values over replicates"),
    ALONE: ("alone", "what players do without each other, k-SII of order 1"),
    INTERACTION: ("interaction", "what pairs of players do beyond each of them, k-SII of order 2"),
    PAIR_ERROR: ("standard_error", "standard error of interactions over replicates"),
}


def finished(result: xr.Dataset, settings: ShapleySettings) -> xr.Dataset:
    """The result with its kinds and its method said; spreads over baselines for attributions only."""
    for name, (kind, text) in ABOUT.items():
        if name in result:
            result[name].attrs.update(kind=kind, long_name=text)
    beside = [f"{name}_spread" for name in ABOUT if name != NAME and f"{name}_spread" in result]
    result = result.drop_vars(beside)
    result["estimated_error"].attrs["long_name"] = "relative L1 error of values, zero where they are exact"
    result["n_evaluations"].attrs["long_name"] = "coalitions that were evaluated"
    index = "Shapley values" if settings.max_order == 1 else "k-Shapley interactions of order 2"
    result.attrs["method"] = f"{index} of parts of the signal, without gradients"
    return result

"""What the variables of a result are: contributions that add up, or numbers that rank."""

from __future__ import annotations

import xarray as xr

from ..result.reading import names_of_attributions
from .settings import MethodSettings

ADDS_UP = "adds_up"
"""Attribute of attributions: 1 where they are made to sum to F(x) - F(x'), 0 where they are not."""

SUMS = ("completeness_gap", "correction", "converged")
"""What is said of sums, and nothing else."""


def finished(result: xr.Dataset, settings: MethodSettings) -> xr.Dataset:
    """The result with what its numbers are; nothing is said of a sum that was never promised."""
    how = settings.how
    for name in names_of_attributions(result):
        for one in (name, f"{name}_spread"):
            if one in result and how.units is not None:
                result[one].attrs["units"] = how.units
        result[name].attrs.update({ADDS_UP: int(how.adds_up), "long_name": how.meaning})
    if not how.adds_up:
        result = result.drop_vars(SUMS)
    if result["estimated_error"].isnull().all():
        result = result.drop_vars("estimated_error")
    result["n_evaluations"].attrs["long_name"] = "points at which the model was evaluated"
    result.attrs["method"] = how.title
    return result

"""Builds the labelled summary: a Dataset with a dimension for each grouping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ..explain.averages.grouping import Groups
from ..groupings import class_names
from ..result.means import in_cells
from .cases import Cases
from .groups import Group

ENDINGS = ("", "_spread", "_lower", "_upper")
"""What is told of an attribution, behind its name: mean, standard deviation, ends of the interval."""

OWN = ("n_samples", "n_units", "reason")
"""Variables of a summary beside those of the result."""


def label_summary(
    cases: Cases,
    variables: Mapping[str, xr.DataArray],
    beside: Mapping[str, xr.DataArray],
    groups: Groups,
    made: list[Group],
    unit: str,
    told: Mapping[str, Any],
) -> xr.Dataset:
    """The summary; cells of the table of labels that no sample is in are NaN.

    Parameters
    ----------
    cases, variables, beside
        What it is of, its attributions, and its outputs and gaps.
    groups : Groups
        Labels of the groups.
    made : list of Group
        What is known of each, in their order.
    unit : str
        "subject" or "sample".
    told : mapping
        How it was made.
    """
    levels, cells = groups.table(class_names(cases.data))
    names, sizes = tuple(levels), tuple(len(own) for own in levels.values())

    def table(values: list[Any], empty: Any) -> np.ndarray:
        return in_cells(np.stack([np.asarray(own) for own in values]), cells, sizes, empty)

    data: dict[str, Any] = {}
    coords: dict[str, Any] = {name: (name, own) for name, own in levels.items()}
    for name, variable in variables.items():
        dims = (*names, *map(str, variable.dims[1:]))
        units = {"units": variable.attrs["units"]} if "units" in variable.attrs else {}
        abouts = (
            dict(variable.attrs),
            {"kind": "spread", **units, "long_name": f"standard deviation over {unit}s"},
            {"kind": "interval", **units, "long_name": f"lower end of the interval of the mean over {unit}s"},
            {"kind": "interval", **units, "long_name": f"upper end of the interval of the mean over {unit}s"},
        )
        for i, (ending, about) in enumerate(zip(ENDINGS, abouts, strict=True)):
            data[name + ending] = dims, table([own.arrays[name][i] for own in made], np.nan), about
        coords.update(cases.about(variable))
    for name, variable in beside.items():
        dims = (*names, *map(str, variable.dims[1:]))
        data[name] = dims, table([own.scalars[name] for own in made], np.nan), dict(variable.attrs)
    data["n_samples"] = names, table([own.n_samples for own in made], 0)
    data["n_units"] = names, table([own.n_units for own in made], 0), {"long_name": f"{unit}s"}
    reasons = np.array([own.reason for own in made] + ["no samples"])
    about = {"long_name": "why there is no interval"}
    data["reason"] = names, table(list(reasons[:-1]), "no samples").astype(reasons.dtype), about
    return xr.Dataset(data, coords, {**cases.data.attrs, "unit": unit, **_words(told)})


def _words(told: Mapping[str, Any]) -> dict[str, str]:
    share = f"{100 * told['interval']:g} %"
    if told["method"].startswith("normal"):
        said = f"{share}, normal, of standard errors over samples: of means no samples can be resampled"
    else:
        said = f"{share}, bootstrap that resamples {told['unit']}s, {told['n_resamples']} times, BCa"
    return {"intervals": said, "summary": json.dumps(told, sort_keys=True)}

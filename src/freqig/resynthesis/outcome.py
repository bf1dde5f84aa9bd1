"""What the model says of a part."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..errors import FreqigWarning
from ..explain.any_kind import explain_any
from ..explain.batch import Asked
from ..explain.class_names import read_classes
from ..explain.kept import Kept
from ..objective.classes import ClassReader
from ..result.reading import rows_by_length
from .source import Source

AGREE = 1e-3
"""By how much the output at the baseline may differ, as a share of the outputs, for it to be the same."""


def output_of(
    explainer: Any, result: xr.Dataset, source: Source, rows: list[int], values: Tensor, arguments: Any
) -> np.ndarray:
    """The explained output at parts.

    Parameters
    ----------
    explainer : Explainer or Shapley
        What made the result.
    result : xarray.Dataset
        Of all samples.
    source : Source
        What it was made of.
    rows : list of int
        Which samples.
    values : torch.Tensor
        Their parts, in the unit that the model takes, shape (len(rows), *axes, n).
    arguments
        Further arguments of the model.

    Returns
    -------
    numpy.ndarray
        float64, shape (len(rows),).

    Raises
    ------
    ValueError
        If the output at the baseline is another than in the result.
    """
    # The checks and the reading of targets are those of an explanation; of that, only the ends count.
    # Names of classes may have come with the signals, and the layout from their sizes.
    names = explainer.settings.classes or read_classes(source.settings.get("classes"))
    settings = replace(explainer.settings.of_ends, classes=names, **layout_of(source.settings))
    kept = Kept(ClassReader(settings.class_axis, settings.probabilities, settings.output))
    arranged = source.layout.arranged
    outputs, at_baseline = np.empty(len(rows)), np.empty(len(rows))
    for n, places in rows_by_length(result.isel(sample=rows)):
        mine = [rows[place] for place in places]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FreqigWarning)
            found = explain_any(
                explainer.model,
                settings,
                kept,
                arranged(values[places, ..., :n]),
                Asked(targets_of(result, mine), arranged(source.baseline[mine, ..., :n]), arguments),
            )
        outputs[places], at_baseline[places] = found.output.values, found.baseline_output.values
    known = result.baseline_output.values[rows]
    largest = np.abs(np.concatenate([known, result.output.values[rows]])).max()
    off = np.abs(at_baseline - known).max()
    if not off <= AGREE * largest:
        raise ValueError(
            "explainer and baseline must be those that made the result, got outputs at the baseline that "
            f"differ by up to {off:.3g} from baseline_output"
        )
    return outputs


def layout_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an Explainer that say in which layout its model got the signals of a result.

    Examples
    --------
    >>> layout_of({"time_axis": -1, "layout": "N,1,C,T"})
    {'time_axis': -1, 'layout': 'N,1,C,T'}
    """
    return {"time_axis": told.get("time_axis", -1), "layout": told.get("layout")}


def targets_of(result: xr.Dataset, rows: list[int]) -> Any:
    """Targets of some samples, as a call of an Explainer takes them."""
    if "target" not in result:
        return None
    target = result["target"]
    if "sample" not in target.dims:
        return target.values.tolist()
    values = target.values[rows]
    if values.ndim == 1:
        return values.tolist()
    return (
        [tuple(row) for row in values.tolist()] if "output_axis" in target.dims else torch.from_numpy(values)
    )

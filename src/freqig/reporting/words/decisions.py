"""What the model decided for each sample, how sure it was, and whether it was right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ...groupings import agreement, class_names, in_order
from ...objective.classes import ONE_OUTPUT
from .cells import Array

OUTPUT = "the output"
"""What is explained where there are no classes."""


@dataclass(frozen=True, eq=False)
class Group:
    """Samples whose decision for one class was explained.

    Parameters
    ----------
    label : str
        The class.
    rows : numpy.ndarray
        Its samples.
    target : int or None
        Place of the class along ``target``, where every class was explained.
    """

    label: str
    rows: np.ndarray
    target: int | None = None

    def of(self, variable: xr.DataArray) -> xr.DataArray:
        """A variable of these samples and this class."""
        chosen = {"target": self.target} if "target" in variable.dims else {}
        return variable.isel({"sample": self.rows, **chosen})


def of_one_output(result: xr.Dataset) -> bool:
    """Whether the model has one output: a regression or a detector, whose decisions are not of classes.

    Examples
    --------
    >>> of_one_output(xr.Dataset(attrs={"outputs": "logits over axis 1, one output"}))
    True
    """
    return str(result.attrs.get("outputs", "")).endswith(ONE_OUTPUT)


def groups_of(result: xr.Dataset) -> list[Group]:
    """Samples by the class that was explained, which is the predicted one where all were.

    Examples
    --------
    >>> told = xr.Dataset({"output": ("sample", [1.0, 2.0, 3.0])}, {"target": ("sample", ["W", "N2", "W"])})
    >>> [(one.label, one.rows.tolist()) for one in groups_of(told)]
    [('N2', [1]), ('W', [0, 2])]
    """
    every = np.arange(result.sizes["sample"])
    if "target" in result.dims:
        names = result["target"].values if "target" in result.coords else np.arange(result.sizes["target"])
        predicted = along_samples(result, "predicted")
        return [
            Group(str(name), every if predicted is None else np.flatnonzero(predicted == name), place)
            for place, name in enumerate(names)
        ]
    own = along_samples(result, "target")
    if own is None:
        scalar = result.coords.get("target")
        return [Group(OUTPUT if scalar is None or scalar.ndim else str(scalar.values[()]), every)]
    order = in_order(own.tolist(), class_names(result))
    return [Group(str(label), np.flatnonzero(own == label)) for label in order]


def along_samples(result: xr.Dataset, name: str) -> np.ndarray | None:
    """A coordinate along the samples; None where there is none."""
    own = result.coords.get(name)
    return None if own is None or own.dims != ("sample",) else np.asarray(own.values)


def right(result: xr.Dataset) -> Array | None:
    """1 where a decision was right, 0 where it was wrong, NaN where the truth is not known; None of all."""
    truth, predicted = along_samples(result, "truth"), along_samples(result, "predicted")
    if truth is None or predicted is None:
        return None
    told = agreement(truth.tolist(), predicted.tolist())
    return told if np.isfinite(told).any() else None


def probabilities(result: xr.Dataset) -> Array | None:
    """Of all classes, shape (N, K), from raw outputs; None where the result does not hold them."""
    if "outputs" not in result or set(result["outputs"].dims) != {"sample", "class"}:
        return None
    raw = np.asarray(result["outputs"].transpose("sample", "class").values, dtype=np.float64)
    if str(result.attrs.get("outputs", "")).startswith(("a softmax", "probabilities")):
        return raw
    raw = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def lead(result: xr.Dataset) -> Array | None:
    """By how much the likeliest class leads the next, shape (N,); None where that is not known."""
    known = probabilities(result)
    if known is None:
        return None
    if known.shape[1] == 1:
        return np.asarray(np.abs(2 * known[:, 0] - 1))
    ordered = np.sort(known, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])


@dataclass(frozen=True)
class Agreement:
    """How often a model is right, and how often labels dealt at random would be.

    Parameters
    ----------
    count : int
        Samples whose truth is known.
    share : float
        Of them that are right.
    chance : float
        What labels with the same frequencies, dealt at random, would reach.
    z : float
        Excess over chance in standard errors of chance.
    """

    count: int
    share: float
    chance: float
    z: float

    @property
    def at_chance(self) -> bool:
        """Whether it is no better than labels dealt at random, one-sided at 2.5 %."""
        return not self.z > 1.96


def agreement_with_truth(result: xr.Dataset) -> Agreement | None:
    """How often the model is right, against chance as of Cohen's kappa; None where that is not known.

    Examples
    --------
    >>> told = {"truth": ("sample", [0, 1] * 50), "predicted": ("sample", [0, 1] * 50)}
    >>> found = agreement_with_truth(xr.Dataset(coords=told))
    >>> found.share, found.chance, found.at_chance
    (1.0, 0.5, False)
    """
    told = right(result)
    if told is None:
        return None
    known = np.isfinite(told)
    truth, predicted = (result[name].values[known].tolist() for name in ("truth", "predicted"))
    count = len(truth)
    labels: set[Any] = set(truth)
    chance = sum(truth.count(one) * predicted.count(one) for one in labels) / count**2
    share, error = float(told[known].mean()), math.sqrt(chance * (1 - chance) / count)
    return Agreement(count, share, chance, (share - chance) / error if error else 0.0)

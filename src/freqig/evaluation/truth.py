"""Explanations held against coefficients that are known to be the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from .._check import shown
from ..errors import add_context
from ..resynthesis.keeping import MASKS, named_by_bands, named_by_mask

Array = np.ndarray


def read_truth(truth: Any, variable: xr.DataArray, names: list[str], fs: float | None) -> Array | None:
    """Which coefficients of a variable are the truth.

    Parameters
    ----------
    truth : object
        As `freqig.evaluate` takes it.
    variable : xarray.DataArray
        Attributions, sample first, the coefficients in their order.
    names : list of str
        All variables that are evaluated: a mapping by these names has one truth for each.
    fs : float or None
        Sampling rate in Hz.

    Returns
    -------
    numpy.ndarray or None
        bool, shape (N, p); None where there is none for this variable.
    """
    if isinstance(truth, Mapping) and truth and set(truth) <= set(names):
        truth = truth.get(str(variable.name))
    if truth is None:
        return None
    try:
        if isinstance(truth, (str, Mapping)):
            found = named_by_bands(variable, truth, fs, "truth", MASKS)
        else:
            found = named_by_mask(variable, _array(truth, variable), "truth")
    except (TypeError, ValueError) as error:
        if len(names) > 1:
            each = ", ".join(f"{name!r}: ..." for name in names)
            add_context(error, f"for one variable pass name=; each may have a truth of its own, {{{each}}}")
        raise
    there = np.isfinite(variable.values)
    found = np.asarray(found & there).reshape(len(variable), -1)
    held, count = found.sum(1), there.reshape(found.shape).sum(1)
    if len(held) and not ((held > 0) & (held < count)).any():
        raise ValueError(
            f"truth must hold some of the coefficients of {variable.name}, and not all, got "
            f"{'all' if held.all() else 'none'} in every sample: nothing can be found there"
        )
    return found


def _array(truth: Any, variable: xr.DataArray) -> xr.DataArray:
    if isinstance(truth, xr.DataArray):
        return truth
    try:
        values = np.asarray(truth)
    except Exception:  # noqa: BLE001 - whatever an object raises that is no array
        raise TypeError(
            f"truth must be bands, a bool xarray.DataArray, or a bool array, got {shown(truth)}"
        ) from None
    if values.dtype != bool or values.shape not in (variable.shape, variable.shape[1:]):
        raise (TypeError if values.dtype != bool else ValueError)(
            f"truth must be bands, a bool xarray.DataArray, or a bool array of the shape of {variable.name}, "
            f"{variable.shape}, or of one of its samples, got {shown(truth)} of shape {values.shape}, dtype "
            f"{values.dtype}"
        )
    dims = variable.dims if values.ndim == variable.ndim else variable.dims[1:]
    return xr.DataArray(values, dims=dims)


def truth_metrics(attribution: Array, truth: Array) -> dict[str, Array]:
    """All metrics with a known truth.

    Parameters
    ----------
    attribution : numpy.ndarray
        Shape (N, p); NaN where there is no coefficient.
    truth : numpy.ndarray
        Which are true, bool, shape (N, p).

    Returns
    -------
    dict of str to numpy.ndarray
        Shape (N,); NaN for samples of which nothing, or everything, is true.
    """
    found = {}
    valid = np.isfinite(attribution)
    for ending, scores in (("", np.abs(attribution)), ("_by_sign", attribution)):
        rows = [
            _one(scores[i, valid[i]], truth[i, valid[i]], positive=bool(ending)) for i in range(len(scores))
        ]
        for name in ("relevance_rank_accuracy", "relevance_mass_accuracy", "average_precision", "aup", "aur"):
            found[name + ending] = np.array([row[name] for row in rows], dtype=np.float64)
    found["truth_share"] = (truth & valid).sum(1) / valid.sum(1)
    return found


def _one(scores: Array, truth: Array, positive: bool) -> dict[str, float]:
    size = int(truth.sum())
    if not 0 < size < len(truth):
        return dict.fromkeys(
            ("relevance_rank_accuracy", "relevance_mass_accuracy", "average_precision", "aup", "aur"), np.nan
        )
    mass = np.maximum(scores, 0) if positive else scores
    thresholds, precision, recall = precision_recall(scores, truth)
    span = scores.max() - scores.min()
    scaled = (thresholds - scores.min()) / span if span > 0 else np.zeros_like(thresholds)
    total = mass.sum()
    return {
        "relevance_rank_accuracy": _rank_accuracy(scores, truth, size),
        "relevance_mass_accuracy": float(mass[truth].sum() / total) if total > 0 else np.nan,
        "average_precision": float(-np.sum(np.diff([*recall, 0.0]) * precision)),
        # A constant has one threshold, and no area.
        "aup": area(scaled, precision) if span > 0 else np.nan,
        "aur": area(scaled, recall) if span > 0 else np.nan,
    }


def _rank_accuracy(scores: Array, truth: Array, size: int) -> float:
    """Share of the truth in the top; of those that tie at its end, as many as a random choice would find."""
    end = np.sort(scores)[-size]
    above, tied = scores > end, scores == end
    places = size - above.sum()
    return float((truth[above].sum() + places * truth[tied].mean()) / size)


def area(x: Array, y: Array) -> float:
    """Area under points by the trapezoidal rule."""
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)


def precision_recall(scores: Array, truth: Array) -> tuple[Array, Array, Array]:
    """Thresholds from the smallest score on, with precision and recall of what is at or above them.

    Examples
    --------
    >>> precision_recall(np.array([0.1, 0.5, 0.5]), np.array([False, True, False]))[1:]
    (array([0.33333333, 0.5       ]), array([1., 1.]))
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return ranked[last][::-1], precision[::-1], recall[::-1]

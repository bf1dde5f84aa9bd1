"""What an explanation would be like, found out on three samples."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import xarray as xr

from ._check import brief, shown
from ._keywords import says_what_is_meant
from .explain.batch import Asked
from .explain.explainer import Explainer
from .explain.shares import axes_of, of_rows, refuse_rest
from .groupings import class_names, in_order
from .result.reading import settings_of
from .signals import in_order_of
from .summaries import summary

FEW = 3
"""Samples that are explained to see what would happen: the first, the last and one in the middle."""


@says_what_is_meant
def check(
    explainer: Explainer, signal: xr.DataArray, *, target: Any = None, baseline: Any = None
) -> dict[str, Any]:
    """Say what would happen if all of a recording were explained.

    Parameters
    ----------
    explainer : Explainer
        Model and settings.
    signal : xarray.DataArray
        What `freqig.read` returns.
    target, baseline
        As a call of the Explainer takes them, for all samples or one per sample of `signal`.

    Returns
    -------
    dict
        Of text, numbers, lists and dicts: ``shape`` of the signals and ``layout`` by its dimensions,
        ``model_layout`` where the model gets them in another, ``fs``, ``unit`` of the signal and
        ``model_unit``, ``channels``, ``classes`` and ``labels`` (how often each), as far as they are known;
        ``n_bad`` windows left out and ``n_rest`` points in no window; of the samples that were tried
        ``tried``, ``predicted``, ``converged``, ``evaluations`` and ``gap``; and for all of them
        ``seconds``, and ``bytes`` of signals and result, as estimated from those.

    Raises
    ------
    ValueError, TypeError
        Where explaining would.

    Examples
    --------
    >>> import numpy as np, xarray as xr, freqig
    >>> x = xr.DataArray(np.ones((9, 1, 8)), dims=("sample", "channel", "time"), attrs={"fs": 8.0})
    >>> found = freqig.check(freqig.Explainer(lambda x: x.square().sum((1, 2))), x)
    >>> found["shape"], found["fs"], found["tried"]
    ([9, 1, 8], 8.0, 3)
    """
    if not isinstance(explainer, Explainer):
        raise TypeError(f"explainer must be a freqig.Explainer, got {shown(explainer)}")
    if not isinstance(signal, xr.DataArray):
        raise TypeError(f"signal must be an xarray.DataArray, as freqig.read returns it, got {brief(signal)}")
    count = signal.sizes.get("sample", 0)
    if not count:
        raise ValueError(
            f"signal must have at least one sample along its dimension 'sample', got shape "
            f"{signal.shape} of {', '.join(map(repr, signal.dims)) or 'no dimensions'}"
        )
    places = sorted({0, count // 2, count - 1})
    few, mine = signal.isel(sample=places), _of(signal, Asked(target=target, baseline=baseline), places)
    begin = time.perf_counter()
    result = explainer(few, target=mine.target, baseline=mine.baseline)
    seconds = time.perf_counter() - begin
    found = summary(result)
    labels = Counter(map(str, signal["label"].values)) if "label" in signal.coords else Counter[str]()
    share = count / len(places)
    return {
        "shape": list(signal.shape),
        "layout": list(map(str, signal.dims)),
        "model_layout": settings_of(result).get("layout"),
        "fs": found["fs"],
        "unit": signal.attrs.get("units"),
        "model_unit": explainer.unit,
        "channels": found["channels"],
        "classes": list(map(str, result["class"].values)) if "class" in result.coords else [],
        "labels": {label: labels[label] for label in in_order(labels, class_names(result))},
        "n_bad": int(signal.attrs.get("n_bad", 0)),
        "n_rest": int(signal.attrs.get("n_rest", 0)),
        "domains": found["domains"],
        "tried": len(places),
        "predicted": result["predicted"].values.tolist() if "predicted" in result.coords else [],
        "converged": found["converged"],
        "gap": found["gap"],
        "evaluations": found["evaluations"],
        "seconds": seconds * share,
        "bytes": int(signal.nbytes + result.nbytes * share),
    }


def _of(signal: xr.DataArray, asked: Asked, places: list[int]) -> Asked:
    """What is asked of the samples that are tried; what has one entry per sample goes by labels first."""
    if "sample" in signal.indexes:
        labels = signal["sample"].values.tolist()
        target, baseline = (
            in_order_of(labels, getattr(asked, name), name) for name in ("target", "baseline")
        )
        asked = replace(asked, target=target, baseline=baseline)
    refuse_rest(asked, signal.sizes["sample"], axes_of(signal))
    return of_rows(asked, places, axes_of(signal))

"""What is known of every sample beside its signal: its true class, and the name it goes by."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from .._check import shown
from ..errors import SignalWarning, warn
from ..signals import Signal, aligned_rows
from ..signals.arrays import as_tensor

TRUTH, FILE, LABEL = "truth", "file", "label"


def with_known(signal: Signal, truth: Any, names: Any) -> Signal:
    """A signal that carries what the caller knows of its samples.

    Parameters
    ----------
    signal : Signal
        Shape (N, *axes, n).
    truth : sequence or None
        True classes, one per sample: whole numbers or names.
    names : sequence of str or None
        What the samples are called.

    Raises
    ------
    ValueError, TypeError
        If there is not one for each sample, or they are neither numbers nor names.
    """
    coords = dict(signal.coords)
    if truth is not None:
        coords[TRUTH] = _column(aligned_rows(truth, signal, TRUTH), TRUTH, "iU", len(signal.values))
    if names is not None:
        coords[FILE] = _column(aligned_rows(names, signal, "names"), "names", "U", len(signal.values))
    return replace(signal, coords=coords)


def told_truth(along: Mapping[str, np.ndarray], classes: tuple[str, ...] | None) -> dict[str, np.ndarray]:
    """Coordinates of samples, in which true classes go by their names, where these are known.

    Labels of a recording are the truth where all of them are classes: names, or numbers from 0.

    Parameters
    ----------
    along : mapping of str to numpy.ndarray
        Coordinates along the samples.
    classes : tuple of str or None
        Names of the classes.

    Raises
    ------
    ValueError
        If a true class that was given is none of the classes.

    Examples
    --------
    >>> told_truth({"label": np.array(["2", "0", ""])}, ("W", "N1", "N2"))["truth"].tolist()
    ['N2', 'W', '']
    >>> told_truth({"truth": np.array([1, 0])}, ("W", "N1"))["truth"].tolist()
    ['N1', 'W']
    """
    told = dict(along)
    if classes is None:
        return told
    if TRUTH in told:
        found = _named(told[TRUTH], classes)
        if found is None:
            wrong = [one for one in dict.fromkeys(told[TRUTH].tolist()) if not _is_class(one, classes)]
            raise ValueError(
                f"truth must be classes, {', '.join(classes)}, or their numbers from 0, or empty where "
                f"nobody knows, got {', '.join(map(repr, wrong[:5]))}"
            )
        told[TRUTH] = found
    elif LABEL in told:
        found = _named(told[LABEL], classes)
        if found is not None and any(found):
            told[TRUTH] = found
        elif found is None and set(told[LABEL].tolist()) & set(classes):
            wrong = [one for one in dict.fromkeys(told[LABEL].tolist()) if not _is_class(one, classes)]
            warn(
                f"labels {', '.join(map(repr, wrong[:5]))} are none of the classes, {', '.join(classes)}, so "
                "that no label counts as true class: rename them, or leave them empty where nobody knows",
                SignalWarning,
            )
    return told


def _named(values: np.ndarray, classes: tuple[str, ...]) -> np.ndarray | None:
    """Names of classes, empty where there is none; None where one is no class."""
    found = values.tolist()
    if not all(_is_class(one, classes) for one in found):
        return None
    return np.array(
        [one if one == "" or one in classes else classes[int(one)] for one in found], dtype=np.str_
    )


def _is_class(one: Any, classes: tuple[str, ...]) -> bool:
    if one == "" or one in classes:
        return True
    number = int(one) if isinstance(one, int) or (isinstance(one, str) and one.isdecimal()) else -1
    return 0 <= number < len(classes)


def _column(values: Any, name: str, kinds: str, count: int) -> np.ndarray:
    what = "whole numbers or names" if "i" in kinds else "names"
    if isinstance(values, Tensor):
        values = as_tensor(values, name).cpu().numpy()
    is_long = hasattr(values, "__len__") and getattr(values, "ndim", 1) == 1
    if not is_long or isinstance(values, (str, bytes, Mapping, Set)):
        same = (
            f": if it is that of all, pass [{values!r}] * {count}" if isinstance(values, (str, int)) else ""
        )
        raise TypeError(f"{name} must be a sequence of {what}, one per sample, got {shown(values)}{same}")
    listed = np.asarray(values).tolist() if hasattr(values, "dtype") else list(values)
    if len(listed) != count:
        raise ValueError(f"{name} must be one per sample, so {count} of them, got {len(listed)}")
    # Classes of a table come as 1.0 where one is missing.
    column = ["" if one is None else int(one) if _is_whole(one) else one for one in listed]
    if all(isinstance(one, int) and not isinstance(one, bool) for one in column) and "i" in kinds:
        return np.array(column, dtype=np.int64)
    if all(isinstance(one, str) for one in column):
        return np.array(column, dtype=np.str_)
    raise TypeError(f"{name} must be {what}, one per sample, got {shown(listed)}")


def _is_whole(one: Any) -> bool:
    return isinstance(one, (float, np.floating, np.integer)) and float(one).is_integer()

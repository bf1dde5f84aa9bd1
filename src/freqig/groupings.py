"""Ready groupings of samples: right and wrong decisions, transitions between classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ._check import object_in, shown

UNKNOWN = ""
"""The label of samples that belong to no group, since what they are grouped by is not known."""

JUMP = 1.5
"""From the onset of a sample to that of the next, in usual steps: above, a sample between them is missing."""


def correct(result: xr.Dataset) -> np.ndarray:
    """Which decisions are right, and which are wrong.

    Parameters
    ----------
    result : xarray.Dataset
        With coordinates ``truth`` and ``predicted`` along its samples, as `freqig.Explainer` returns it for
        a classifier and samples whose classes are known.

    Returns
    -------
    numpy.ndarray of str
        "right", "wrong", or "" where the true class is not known, shape (N,).

    Raises
    ------
    TypeError, ValueError
        If `result` is of another type, or lacks a coordinate; if one has names and the other numbers.

    Examples
    --------
    >>> import xarray as xr, freqig
    >>> classes = {"truth": ("sample", ["W", "N2", ""]), "predicted": ("sample", ["W", "W", "N2"])}
    >>> freqig.groupings.correct(xr.Dataset(coords=classes)).tolist()
    ['right', 'wrong', '']
    """
    truth = _classes(result, "truth", "pass truth= when you call the Explainer")
    predicted = _classes(result, "predicted", "explain a classifier")
    told = agreement(truth, predicted)
    return np.where(np.isnan(told), UNKNOWN, np.where(told == 1, "right", "wrong"))


def transition(result: xr.Dataset, of: str | None = None) -> np.ndarray:
    """Which samples have another class than the one before them in their recording.

    Samples are in the order of their onsets where they have the coordinate ``onset``, else as they stand.
    Recordings are told apart by the coordinates ``file`` and ``subject``.

    Parameters
    ----------
    result : xarray.Dataset
        With the classes of its samples as a coordinate.
    of : str, optional
        The coordinate of classes, such as "predicted" for what the model said. Default "truth" where there
        is one, else "label".

    Returns
    -------
    numpy.ndarray of str
        "transition" or "steady"; "" where that is not known, shape (N,): the first of a recording, those
        without a class or behind one without, and those behind a gap in the onsets.

    Raises
    ------
    TypeError, ValueError
        If `result` is of another type, or has no such coordinate along its samples.

    Examples
    --------
    >>> import xarray as xr, freqig
    >>> night = xr.Dataset(coords={"truth": ("sample", ["W", "W", "N1", "N1"])})
    >>> freqig.groupings.transition(night).tolist()
    ['', 'steady', 'transition', 'steady']
    """
    if of is None and isinstance(result, xr.Dataset):
        of = next((name for name in ("truth", "label") if name in result.coords), "truth")
    classes = _classes(result, of, "pass truth= when you call the Explainer, or name another coordinate, of=")
    number = len(classes)
    keys = list(zip(*(_entries(result, name, number) for name in ("file", "subject")), strict=True))
    onsets = np.nan_to_num(np.array(_entries(result, "onset", number, every=False), dtype=np.float64))
    recordings: dict[Any, list[int]] = {}
    for place, key in enumerate(keys):
        recordings.setdefault(key, []).append(place)
    found = [UNKNOWN] * number
    for places in recordings.values():
        ordered = sorted(places, key=lambda place: (onsets[place], place))
        steps = np.diff(onsets[ordered])
        usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else np.inf
        for before, place, step in zip(ordered, ordered[1:], steps, strict=False):
            known = not (_is_missing(classes[before]) or _is_missing(classes[place]))
            if known and step <= JUMP * usual:
                found[place] = "steady" if classes[before] == classes[place] else "transition"
    return np.array(found, dtype=np.str_)


READY = {"correct": correct, "transition": transition}
"""Ready groupings by the names that statistics take."""


def class_names(result: xr.Dataset | xr.DataArray) -> Sequence[Any]:
    """Names of the model's classes in its order, as coordinates or settings tell them; none if neither does.

    Examples
    --------
    >>> class_names(xr.Dataset(attrs={"settings": '{"classes": ["W", "N1"]}'}))
    ['W', 'N1']
    """
    if "class" in result.coords:
        return list(result["class"].values.tolist())
    try:
        told = object_in(result.attrs.get("settings", "{}")).get("classes")
    except ValueError:
        told = None
    return told if isinstance(told, list) else []


def in_order(labels: Iterable[Any], classes: Sequence[Any] = ()) -> list[Any]:
    """Labels, each once: classes in the order of the model's, then numbers by size, then names by letters.

    Examples
    --------
    >>> in_order(["W", "N2", "W", "ART"], ["W", "N1", "N2"]), in_order(["10", "2"])
    (['W', 'N2', 'ART'], ['2', '10'])
    """
    places = {label: place for place, label in enumerate(classes)}
    return sorted(dict.fromkeys(labels), key=lambda one: (places.get(one, len(places)), *_rank(one)))


def _rank(label: Any) -> tuple[bool, Any]:
    text = isinstance(label, str)
    # Numbers that became text are no less numbers.
    return (False, int(label)) if text and label.isdecimal() else (text, label)


def agreement(truth: Any, predicted: Any) -> np.ndarray:
    """1 where two classes are one, 0 where not, NaN where the first is not known.

    Raises
    ------
    ValueError
        If one has names and the other numbers.

    Examples
    --------
    >>> agreement(["W", "N2", ""], ["W", "W", "N2"]).tolist()
    [1.0, 0.0, nan]
    """
    # Names out of files are objects, others arrays of text.
    told, answered = list(truth), list(predicted)
    if any(isinstance(one, str) for one in told) != any(isinstance(one, str) for one in answered):
        raise ValueError(
            f"truth and predicted must both be names or both be numbers, got {told[0]!r} and "
            f"{answered[0]!r}: pass classes= to Explainer"
        )
    pairs = zip(told, answered, strict=True)
    return np.array([np.nan if _is_missing(one) else float(one == other) for one, other in pairs])


def _is_missing(label: Any) -> bool:
    # NaN is not even itself.
    return label in ("", None) or label != label


def _classes(result: Any, name: Any, remedy: str) -> list[Any]:
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"result must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    if not isinstance(name, str) or name not in result.coords or result[name].dims != ("sample",):
        along = [str(key) for key, own in result.coords.items() if own.dims == ("sample",)]
        raise ValueError(
            f"result must have the coordinate {shown(name)} along its samples, got "
            f"{', '.join(map(repr, along)) or 'none'}: {remedy}"
        )
    found: list[Any] = result[name].values.tolist()
    return found


def _entries(result: xr.Dataset, name: str, number: int, every: bool = True) -> list[Any]:
    """Those of a coordinate along samples, else zeros; onsets that are no numbers count as none."""
    own = result.coords.get(name)
    if own is None or own.dims != ("sample",) or not (every or own.dtype.kind in "iuf"):
        return [0] * number
    entries: list[Any] = own.values.tolist()
    return entries

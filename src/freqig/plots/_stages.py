"""Stages of a night: one per epoch, from coordinates, sequences or a Hypnogram of YASA, by their class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._check import check_entries, shown

SYNONYMS = {"WAKE": "W", "REM": "R", "S1": "N1", "S2": "N2", "S3": "N3", "S4": "N3"}
FROM_THE_TOP = ("W", "R", "N1", "N2", "N3")
"""Order of stages in a hypnogram."""


def stages_of(given: Any, classes: Sequence[str], begins: np.ndarray, name: str) -> np.ndarray:
    """The class of every epoch, by its position in `classes`; NaN where it is none of them.

    Parameters
    ----------
    given : yasa.Hypnogram, pandas.Series or sequence
        Names of stages, or positions in `classes`, one per epoch. Epochs of a Hypnogram may be longer or
        shorter than those of the result; it begins with the recording.
    classes : sequence of str
        Names of the classes. W and WAKE are one stage, and so are R and REM.
    begins : numpy.ndarray
        When the epochs of the result begin, in s.
    name : str
        Name of the parameter in errors.

    Raises
    ------
    TypeError, ValueError
        If it is no sequence, or there is not one per epoch, or a number is none of a class.

    Examples
    --------
    >>> stages_of(["WAKE", "N2", "ART"], ["N2", "W"], np.arange(3) * 30.0, "hypnogram")
    array([ 1.,  0., nan])
    """
    values, length = _values(given, name)
    if length is not None:
        places = np.floor(begins / length + 1e-9).astype(int)
        if places.size and places.max() >= len(values):
            raise ValueError(
                f"{name} must be as long as the recording, got {len(values)} epochs of {length:g} s where "
                f"the last sample begins at {begins.max():g} s"
            )
        values = [values[place] for place in places]
    if len(values) != begins.size:
        raise ValueError(f"{name} must be one per sample, so {begins.size} of them, got {len(values)}")
    known = {canonical(label): place for place, label in enumerate(classes)}
    places = np.array([_place(value, known, len(classes), name) for value in values], dtype=np.float64)
    named = [value for value in values if isinstance(value, str) and value.strip()]
    if named and not np.isfinite(places).any():
        raise ValueError(
            f"{name} must have stages among the classes, {', '.join(classes)}, got others alone, such as "
            f"{named[0]!r}: rename them"
        )
    return places


def canonical(label: Any) -> str:
    """One name for all names of a stage.

    Examples
    --------
    >>> canonical("Rem"), canonical("spindle")
    ('R', 'SPINDLE')
    """
    name = str(label).strip().upper()
    return SYNONYMS.get(name, name)


def from_the_top(classes: Sequence[str], order: Sequence[str] | None) -> list[int]:
    """Positions of classes in the order of the rows of a hypnogram, the first at the top.

    Raises
    ------
    TypeError, ValueError
        If `order` does not hold every class once.
    """
    names = [canonical(label) for label in classes]
    if order is not None:
        wanted = [canonical(label) for label in check_entries(order, "order", "classes from top to bottom")]
        if sorted(wanted) != sorted(names):
            raise ValueError(f"order must hold every class once, {', '.join(classes)}, got {shown(order)}")
        return [names.index(label) for label in wanted]
    if set(names) <= set(FROM_THE_TOP):
        return sorted(range(len(names)), key=lambda place: FROM_THE_TOP.index(names[place]))
    return list(range(len(names)))


def _values(given: Any, name: str) -> tuple[list[Any], float | None]:
    """Stages, and the length of an epoch in s where the object knows it."""
    series = getattr(given, "hypno", None)
    if series is None:
        return check_entries(given, name, "stages, one per sample, or a Hypnogram of YASA"), None
    # A Hypnogram of YASA, whose epochs are of a length that pandas writes, such as "30s".
    import pandas as pd

    length = pd.Timedelta(pd.tseries.frequencies.to_offset(given.freq)).total_seconds()
    return np.asarray(series).tolist(), float(length)


def _place(value: Any, known: dict[str, int], count: int, name: str) -> float:
    if value is None:
        return np.nan
    if isinstance(value, (bool, np.bool_, complex)):
        raise TypeError(f"{name} must be names, or positions in the {count} classes, got {value!r}")
    if isinstance(value, (int, float)):
        if np.isnan(value) or value < 0:
            return np.nan
        if not value < count or value != int(value):
            raise ValueError(f"{name} must be names, or positions in the {count} classes, got {value!r}")
        return float(value)
    return float(known.get(canonical(value), np.nan))

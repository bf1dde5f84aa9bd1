"""Which samples of two results are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from .._check import shown

KEYS = (("file", "onset"), ("file",), ("sample",))
"""Coordinates that tell which samples are the same in two results, the first that both have and that differ
from sample to sample."""
SAME = ("file", "onset", "truth", "label")
"""Coordinates in which two samples of a pair must agree."""
SIGNALS = 1e-3
"""Relative difference up to which two signals are the same: one may have been stored in float32."""


def pairs_of(first: xr.Dataset, second: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the samples on both sides, in pairs: by file and onset, by names of samples, or as they stand.

    Raises
    ------
    ValueError
        If one side has a sample that the other has not, or what is known of a pair differs.
    """
    number = first.sizes["sample"]
    if number != second.sizes["sample"]:
        raise ValueError(
            f"a and b must have the same samples where paired=True, got {number} and {second.sizes['sample']}"
        )
    found = _by_key(first, second)
    one, other = (
        (first, second)
        if found is None
        else (own.isel(sample=rows) for own, rows in zip((first, second), found, strict=True))
    )
    for name in SAME:
        if _along(one, name) and _along(other, name):
            for row, (x, y) in enumerate(zip(one[name].values, other[name].values, strict=True)):
                # NaN, where nobody knows, is not even itself.
                if x != y and (x == x or y == y):
                    raise ValueError(
                        "a and b must have the same samples where paired=True, but pair "
                        f"{row} has the {name} {x!s} in a and {y!s} in b"
                    )
    if found is None:
        _check_signals(one, other)
        return np.arange(number), np.arange(number)
    return found


def _by_key(first: xr.Dataset, second: xr.Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows in pairs of one key; None where there is none."""
    for names in KEYS:
        one, other = _keys(first, names), _keys(second, names)
        if one is None or other is None:
            continue
        if lost := [key for key in one if key not in other]:
            raise ValueError(
                "a and b must have the same samples where paired=True, but b has none with "
                f"{', '.join(names)} {shown(lost[0] if len(names) > 1 else lost[0][0])}"
            )
        return np.array(list(one.values())), np.array([other[key] for key in one])
    return None


def _check_signals(one: xr.Dataset, other: xr.Dataset) -> None:
    """ValueError where samples that pair as they stand have different signals."""
    if "signal" not in one or "signal" not in other or one["signal"].shape != other["signal"].shape:
        return
    for row, (x, y) in enumerate(zip(one["signal"].values, other["signal"].values, strict=True)):
        if not np.allclose(x, y, rtol=SIGNALS, atol=SIGNALS * float(np.abs(x).max(initial=0))):
            raise ValueError(
                "a and b must have the same samples where paired=True, but sample "
                f"{row} has another signal in b: line them up; or, where both models read the same samples "
                "in their own way, leave the signals out, a.drop_vars('signal')"
            )


def _keys(data: xr.Dataset, names: tuple[str, ...]) -> dict[Any, int] | None:
    """Row of every sample by its key; None where there is none, or it is not its own."""
    if not all(_along(data, name) for name in names):
        return None
    rows = list(zip(*(data[name].values.tolist() for name in names), strict=True))
    found = {key: row for row, key in enumerate(rows)}
    return found if len(found) == len(rows) and all(key == key for key in found) else None


def _along(data: xr.Dataset, name: str) -> bool:
    return name in data.coords and data[name].dims == ("sample",)

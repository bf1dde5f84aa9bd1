"""miniSEED: whether its records hold what they claim, before its reader believes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAD = 64
MOST_PARTS = 10_000
"""Traces, and parts of them between gaps, in a file."""
BITS = {0: 8, 1: 16, 2: 24, 3: 32, 4: 32, 5: 64, 10: 8, 11: 32 / 7, 19: 32 / 9}
"""The fewest that a sample takes, by encoding; of others fewer are not known."""
ID, YEAR, DAY, CLOCK, FRACTION = slice(8, 20), 20, 22, slice(24, 27), 28
SAMPLES, FACTOR, MULTIPLIER, DATA = 30, 32, 34, 44
KIND, ENCODING, LENGTH = 48, 52, 54
"""Where things stand in a record whose first blockette is that of number 1000."""


def refuse_lying_records(path: Path) -> None:
    """ValueError where records claim more samples than they have room for, or make too many parts.

    Records that differ in length, or begin with another blockette, are not looked at.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(HEAD)
    length = 1 << first[LENGTH] if len(first) == HEAD and 7 <= first[LENGTH] <= 16 else 0
    if not length or size < length:
        return
    rows = np.memmap(path, np.uint8, "r", 0, (size // length, length))[:, :HEAD]
    order = ">" if _words(rows[:1], KIND, ">u2")[0] == 1000 else "<"
    alike = (_words(rows, KIND, f"{order}u2") == 1000) & (rows[:, LENGTH] == first[LENGTH])
    if not alike.all():
        return
    samples = _words(rows, SAMPLES, f"{order}u2").astype(np.int64)
    bits = np.array([BITS.get(int(one), 3.0) for one in range(256)])[rows[:, ENCODING]]
    room = 8 * (length - _words(rows, DATA, f"{order}u2").astype(np.int64))
    wrong = np.flatnonzero(samples * bits > room)
    if len(wrong):
        raise ValueError(
            f"{path.name} must be a whole file of MSEED, but record {wrong[0]} claims {samples[wrong[0]]} "
            f"samples, and has {max(0, room[wrong[0]] // 8)} bytes for them"
        )
    parts = _parts(rows, samples, order)
    if parts > MOST_PARTS:
        raise ValueError(f"{path.name} must have {MOST_PARTS} traces and gaps at most, got {parts}")


def _words(rows: NDArray[np.uint8], at: int, kind: str) -> NDArray[Any]:
    return np.ascontiguousarray(rows[:, at : at + 2]).view(kind)[:, 0]


def _parts(rows: NDArray[np.uint8], samples: NDArray[np.int64], order: str) -> int:
    """Stretches of records that follow one another in time, of one channel."""
    year = (_words(rows, YEAR, f"{order}u2").astype(np.int64) - 1970).view("M8[Y]").astype("M8[D]")
    day = year.astype(np.int64) + _words(rows, DAY, f"{order}u2")
    seconds = rows[:, CLOCK] @ np.array([3600, 60, 1])
    start = 86_400.0 * day + seconds + _words(rows, FRACTION, f"{order}u2") / 1e4
    factors = (_words(rows, at, f"{order}i2").astype(float) for at in (FACTOR, MULTIPLIER))
    with np.errstate(divide="ignore", invalid="ignore"):
        period = np.prod([np.where(one > 0, 1 / one, -one) for one in factors], 0)
        late = np.abs(start[1:] - (start + samples * period)[:-1]) > 0.5 * period[:-1]
    other = (rows[1:, ID] != rows[:-1, ID]).any(1)
    return 1 + int((late | other).sum())

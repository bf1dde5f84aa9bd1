"""Columns of a table that label its rows, and are no signals, though they hold numbers."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from ..errors import SignalWarning, warn

CLASSES = ("label", "labels", "class", "stage", "sleep_stage", "target", "y")
EVENTS = ("event", "events", "marker", "trigger")
"""Of these 0 means that there is none."""
MOST = 64
"""Different values from which on whole numbers are counts of a converter, and no classes."""

Span = tuple[int, int, str]
"""First row, number of rows, and label."""


def label_columns(
    pd: Any, table: Any, channels: tuple[str, ...] | None, file: str
) -> tuple[list[str], list[Span]]:
    """Columns that label the rows, and what the first of them says.

    Text is no signal, nor are few whole numbers beside columns of fractions. Where all columns hold whole
    numbers nobody can tell, and the caller is asked. What is named in `channels` is a channel.

    Raises
    ------
    ValueError
        If a column may be either.
    """
    lower = {name: name.lower() for name in table.columns}
    named = [name for name in lower if lower[name] in CLASSES + EVENTS and name not in (channels or ())]
    # Beside x it is an axis of a sensor.
    named = [name for name in named if lower[name] != "y" or "x" not in lower.values()]
    found = [name for name in named if not _is_numeric(pd, table[name]) or _are_few(table[name])]
    rest = [table[name] for name in lower if name not in named]
    if not found or not rest:
        return [], []
    if channels is None:
        numbers = [name for name in found if _is_numeric(pd, table[name])]
        if numbers and all(_is_numeric(pd, own) and _is_whole(own) for own in rest):
            raise ValueError(
                f"column {numbers[0]!r} of {file} may be a signal, or labels of the rows: pass channels= "
                "with those that are signals"
            )
        warn(
            f"{file}: {' and '.join(map(repr, found))} taken for no signal, and windows are labelled by "
            f"{found[0]!r}: to read it as a channel, name it in channels=",
            SignalWarning,
        )
    return found, _spans(table[found[0]], of_events=lower[found[0]] in EVENTS)


def _is_numeric(pd: Any, column: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column))


def _are_few(column: Any) -> bool:
    return _is_whole(column) and column.nunique() <= MOST


def _is_whole(column: Any) -> bool:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    return bool((known == np.round(known)).all())


def _spans(column: Any, of_events: bool) -> list[Span]:
    """Runs of one label; rows without one are in none."""
    labels = [
        "" if missing else _told(own) for own, missing in zip(column.tolist(), column.isna(), strict=True)
    ]
    if of_events:
        labels = ["" if one == "0" else one for one in labels]
    found, row = list[Span](), 0
    for label, run in groupby(labels):
        count = len(list(run))
        if label:
            found.append((row, count, label))
        row += count
    return found


def _told(label: Any) -> str:
    return f"{label:g}" if isinstance(label, float) else str(label).strip()

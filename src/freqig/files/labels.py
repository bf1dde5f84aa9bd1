"""Labels that stand beside a recording: a file of one per window, a table of spans, or a list."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._check import brief, check_path, check_within
from .dialect import dialect, encoding_of
from .recording import Annotation

TABLES = {".csv": ",", ".tsv": "\t"}
"""How the names of tables end, and what stands between their cells as a rule."""
MOST_BYTES, MOST_LINES, MOST_COLUMNS = 2**24, 2**18, 1000
"""What a file of labels may have: a night of one label per second has 30,000 lines."""
LATEST = 1e12
"""Seconds beyond which there is no recording."""


def read_annotations(given: Any) -> tuple[Annotation, ...] | tuple[str, ...]:
    """Labels as the caller gave them.

    Parameters
    ----------
    given : path or sequence
        A text file with one label per line; a table, CSV or TSV, with columns onset, duration (both in s) and
        label, description or trial_type, also one of pandas; or a sequence of labels, one per window, or of
        (onset, duration, label).

    Returns
    -------
    tuple of Annotation, or tuple of str
        Spans, or one label per window.

    Raises
    ------
    ValueError, TypeError
        If it is none of these.
    """
    if isinstance(given, (str, os.PathLike)):
        path = check_path(given, "annotations")
        found = _from_file(path)
        if not found:
            raise ValueError(f"annotations must hold at least one label, got none in {path.name}")
        return found
    if hasattr(given, "columns") and hasattr(given, "to_dict"):
        # A table of pandas.
        return _spans([{str(key).lower(): row[key] for key in row} for row in given.to_dict("records")], "it")
    rows = _rows(given)
    if rows and all(isinstance(row, (tuple, list)) and len(row) == 3 for row in rows):
        return tuple(_span(*row) for row in rows)
    return tuple("" if row is None else str(row) for row in rows)


def _rows(given: Any) -> list[Any]:
    """Labels or spans, of any sequence or column of a table."""
    is_array = hasattr(given, "tolist") and getattr(given, "ndim", 1) == 1 and not isinstance(given, type)
    try:
        if is_array or isinstance(given, Sequence):
            return list(given.tolist() if is_array else given)
    except (RuntimeError, ValueError):
        pass  # Tensors without values of their own.
    raise TypeError(
        "annotations must be a path, a sequence of labels, one per window, or of (onset, duration, "
        f"label), got {brief(given)}"
    )


def _from_file(path: Path) -> tuple[Annotation, ...] | tuple[str, ...]:
    if not path.is_file():
        raise FileNotFoundError(f"annotations must be the path of a file, but there is none at {str(path)!r}")
    if path.suffix.lower() not in TABLES:
        lines = map(str.strip, _lines_of(path))
        return tuple(line for line in lines if line and not line.startswith("#"))
    return _spans(rows_of(path), path.name)


def _spans(rows: list[dict[str, Any]], name: str) -> tuple[Annotation, ...]:
    """Spans of the rows of a table, cells by the names of columns."""
    label = next((key for key in ("label", "description", "trial_type") if rows and key in rows[0]), None)
    if label is None or not {"onset", "duration"} <= set(rows[0]):
        raise ValueError(
            f"annotations must have columns onset, duration and label, got "
            f"{', '.join(list(rows[0])[:10]) if rows else 'no rows'} in {name}"
        )
    try:
        return tuple(
            _span(_number(str(row["onset"])), _number(str(row["duration"]) or "0"), row[label])
            for row in rows
        )
    except ValueError as error:
        raise ValueError(f"{error}, in {name}") from None


def _span(onset: Any, duration: Any, label: Any) -> Annotation:
    return Annotation(
        check_within(onset, "annotations, an onset in s,", -LATEST, LATEST),
        check_within(duration, "annotations, a duration in s,", 0, LATEST),
        str(label),
    )


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"annotations must have onsets and durations in s, got {text!r}") from None


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a table by the names of columns in small letters, whatever program wrote it; "n/a" is nothing.

    Raises
    ------
    ValueError
        If it is no text.
    """
    lines = _lines_of(path)
    separator, _ = dialect(lines[:3] or [""], TABLES[path.suffix.lower()])
    rows = csv.reader(lines, delimiter=separator)
    names = [name.strip().lower() for name in next(rows, [])]
    if len(names) > MOST_COLUMNS:
        raise ValueError(
            f"annotations must have {MOST_COLUMNS} columns at most, got {len(names)} in {path.name}"
        )
    cells = ([cell.strip() for cell in row] + [""] * (len(names) - len(row)) for row in rows if row)
    return [dict(zip(names, ("" if one == "n/a" else one for one in row), strict=False)) for row in cells]


def _lines_of(path: Path) -> list[str]:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"annotations must be of {MOST_BYTES} bytes at most, got {size} in {path.name}")
    content = path.read_bytes()
    try:
        lines = content.decode(encoding_of(content, path.name)).splitlines()
    except ValueError:
        raise ValueError(
            f"annotations must be text in UTF-8, got {path.name}: of events of MNE make spans, "
            "[(onset, duration, label), ...] in s, or pass a Raw after "
            "raw.set_annotations(mne.annotations_from_events(...))"
        ) from None
    if len(lines) > MOST_LINES or max(map(len, lines), default=0) > csv.field_size_limit():
        raise ValueError(
            f"annotations must have {MOST_LINES} lines of {csv.field_size_limit()} letters at most, got "
            f"{len(lines)} of up to {max(map(len, lines))} in {path.name}"
        )
    return lines


def columns_of(path: Path) -> list[str]:
    """Names of the columns of a table of BIDS, by its first line; none where that is too long for names."""
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline(csv.field_size_limit())
    return first.strip("\ufeff\r\n").split("\t") if first.endswith("\n") else []

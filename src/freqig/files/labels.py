"""Labels that stand beside a recording: a file of one per window, a table of spans, or a list."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._check import brief, check_number, check_path
from .recording import Annotation


def read_annotations(given: Any) -> tuple[Annotation, ...] | tuple[str, ...]:
    """Labels as the caller gave them.

    Parameters
    ----------
    given : path or sequence
        A text file with one label per line; a table, CSV or TSV, with columns onset, duration (both in s) and
        label or description; or a sequence of labels, one per window, or of (onset, duration, label).

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
    rows = _rows(given)
    if rows and all(isinstance(row, (tuple, list)) and len(row) == 3 for row in rows):
        return tuple(
            Annotation(
                check_number(onset, "annotations, an onset,"),
                check_number(duration, "annotations, a duration,"),
                str(label),
            )
            for onset, duration, label in rows
        )
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
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError:
        raise ValueError(
            f"annotations must be text in UTF-8, got {path.name}: of events of MNE make spans, "
            "[(onset, duration, label), ...] in s, or pass a Raw after "
            "raw.set_annotations(mne.annotations_from_events(...))"
        ) from None
    if path.suffix.lower() not in (".csv", ".tsv"):
        return tuple(line for line in lines if line and not line.startswith("#"))
    rows = list(csv.DictReader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ","))
    label = next((key for key in ("label", "description", "trial_type") if rows and key in rows[0]), None)
    if label is None or not {"onset", "duration"} <= set(rows[0]):
        raise ValueError(
            f"annotations must have columns onset, duration and label, got "
            f"{', '.join(rows[0]) if rows else 'no rows'} in {path.name}"
        )
    return tuple(Annotation(float(row["onset"]), float(row["duration"]), row[label]) for row in rows)

"""Labels that are given for inputs: a file for each, or a table with a row for each."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

LABELS = ("label", "truth", "class")


def labels_of(labels: Sequence[str], inputs: Sequence[Path]) -> dict[str, Any]:
    """Arguments `annotations` or `truth` of `Explainer.explain_files`.

    Parameters
    ----------
    labels : sequence of str
        Paths: none, one for each input, or one table with columns file and label.
    inputs : sequence of path
        The recordings.

    Raises
    ------
    click.ClickException
        If they are as many as neither, or the table lacks an input.
    """
    if not labels:
        return {}
    table = _table(Path(labels[0])) if len(labels) == 1 else None
    if table is not None:
        missing = [str(path) for path in inputs if path.name not in table and str(path) not in table]
        if missing:
            raise click.ClickException(
                f"--labels {labels[0]} must have a row for each input, and lacks {', '.join(missing[:5])}"
                f"{', …' if len(missing) > 5 else ''}"
            )
        return {"truth": [table.get(str(path), table.get(path.name)) for path in inputs]}
    if len(labels) != len(inputs):
        raise click.ClickException(
            f"--labels must be given once for each input, {len(inputs)} times, or once for a table with "
            f"columns file and label, got {len(labels)}"
        )
    return {"annotations": list(labels) if len(inputs) > 1 else labels[0]}


def _table(path: Path) -> dict[str, str] | None:
    """Labels by file; None where this is no table of files."""
    if path.suffix.lower() not in (".csv", ".tsv") or not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ","))
    label = next((key for key in LABELS if rows and key in rows[0]), None)
    if label is None or "file" not in rows[0]:
        return None
    return {row["file"]: row[label] for row in rows}

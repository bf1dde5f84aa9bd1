"""Labels that are given for inputs: a file for each, or a table with a row for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..files.formats import stem_of
from ..files.labels import TABLES, rows_of

LABELS = ("label", "truth", "class")


def labels_of(labels: Sequence[str], inputs: Sequence[Path]) -> dict[str, Any]:
    """Arguments `annotations` or `truth` of `Explainer.explain_files`.

    Parameters
    ----------
    labels : sequence of str
        Paths: none, one for each input, one table with columns file and label, or one folder with a file for
        each input that has its name.
    inputs : sequence of path
        The recordings.

    Raises
    ------
    click.ClickException
        If they are as many as neither, or the table lacks an input.
    """
    if not labels:
        return {}
    if len(labels) == 1 and Path(labels[0]).is_dir():
        return _one_per_input([_in_folder(Path(labels[0]), path) for path in inputs])
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
    return _one_per_input(list(labels))


def subjects_of(pattern: str | None, inputs: Sequence[Path]) -> list[str] | None:
    """Whose recordings are, by a regular expression with one group that is found in each of their names.

    Raises
    ------
    click.ClickException
        If it is none, or not found in one of them.
    """
    if pattern is None:
        return None
    try:
        search = re.compile(pattern)
    except re.error as error:
        raise click.ClickException(
            f"--subjects must be a regular expression, got {pattern!r}: {error}"
        ) from None
    found = [search.search(path.name) for path in inputs]
    without = [path.name for path, one in zip(inputs, found, strict=True) if one is None]
    if search.groups != 1 or without:
        raise click.ClickException(
            f"--subjects must have one group and be found in the name of every input, got {pattern!r}"
            + (f", which is not in {', '.join(without[:5])}" if without else "")
        )
    return [one[1] for one in found if one is not None]


def _one_per_input(files: list[str]) -> dict[str, Any]:
    """Files of labels; that of a single input by itself, for a sequence would be labels of its windows."""
    return {"annotations": files if len(files) > 1 else files[0]}


def _in_folder(folder: Path, recording: Path) -> str:
    """The file of labels of a recording, by its name without endings."""
    stem = stem_of(recording)
    there = [folder / f"{stem}{end}" for end in (".txt", ".csv", ".tsv")]
    found = [str(path) for path in there if path.is_file()]
    if len(found) != 1:
        raise click.ClickException(
            f"--labels {folder} must hold one file for each input, such as {there[0].name}, and holds "
            f"{len(found) or 'none'} for {recording.name}"
        )
    return found[0]


def _table(path: Path) -> dict[str, str] | None:
    """Labels by file; None where this is no table of files."""
    if path.suffix.lower() not in TABLES or not path.is_file():
        return None
    rows = rows_of(path)
    label = next((key for key in LABELS if rows and key in rows[0]), None)
    if label is None or "file" not in rows[0]:
        return None
    return {row["file"]: row[label] for row in rows}

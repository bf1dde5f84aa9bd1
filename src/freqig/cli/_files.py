"""Files of the command line: whole or not at all, and over others when asked to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..whole_files import all_or_none, replacing

__all__ = ["all_or_none", "refuse_existing", "replacing"]


def refuse_existing(paths: Sequence[Path | None], force: bool) -> None:
    """Raise where something would be written over, before anything is computed.

    Raises
    ------
    click.ClickException
        If one of the paths is there already and `force` was not given, or names no file at all.
    """
    if Path() in paths:
        raise click.ClickException("--out, --table, --report and --figures must be paths, got an empty one")
    there = [path for path in paths if path is not None and path.exists()]
    if there and not force:
        raise click.ClickException(
            f"{', '.join(map(str, there))} must not be there yet: pass --force to write over it"
        )

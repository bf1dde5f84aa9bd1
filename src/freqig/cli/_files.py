"""Files of the command line: whole or not at all, and over others when asked to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..whole_files import all_or_none, replacing

__all__ = ["FilePath", "all_or_none", "refuse_existing", "replacing"]


class FilePath(click.Path):
    """A path, in which `~` is the home of the user also where no shell has seen to it, as in --out=~/x.nc."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, as click does it."""
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111


def refuse_existing(paths: Mapping[str, Path | None], force: bool) -> None:
    """Raise where something would be written over, before anything is computed.

    Parameters
    ----------
    paths : mapping of str to path or None
        What is written, by the option that says so.
    force : bool
        Whether it may be written over.

    Raises
    ------
    click.ClickException
        If one of the paths is there already and `force` was not given, or names no file at all.
    """
    for option, path in paths.items():
        if path == Path():
            raise click.ClickException(f"{option} must be a path, got an empty one")
        if path is not None and path.exists() and not force:
            raise click.ClickException(
                f"{option} {path} must not be there yet: pass --force to write over it"
            )

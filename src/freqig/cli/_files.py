"""Files of the command line: whole or not at all, and over others when asked to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from .._paths import from_home
from ..whole_files import all_or_none, replacing

__all__ = [
    "FileName",
    "FilePath",
    "all_or_none",
    "refuse_existing",
    "refuse_folder",
    "refuse_missing",
    "refuse_no_page",
    "replacing",
]


PAGES = (".html", ".htm")


class FilePath(click.Path):
    """A path, in which `~` is the home of the user also where no shell has seen to it, as in --out=~/x.nc."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, as click does it."""
        return super().convert(from_home(os.fspath(value)), param, ctx)


class FileName(click.types.StringParamType):
    """Text that is the name of a file as a rule, which the shell then completes."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names of files."""
        return [CompletionItem(incomplete, type="file")]


def refuse_missing(model: str, inputs: Sequence[Path]) -> None:
    """Raise where there is no model or no input at all, before libraries are imported to read them.

    Raises
    ------
    click.ClickException
        If MODEL is no file and no object of Python, or none of INPUT is there.
    """
    if ":" not in model and not from_home(model).exists():
        raise click.ClickException(
            "MODEL must be the path of a file, or with --trust module:name of an object of Python, but there "
            f"is none at {model!r}"
        )
    if not any(path.exists() for path in inputs):
        # A shell leaves a pattern as it is where nothing fits it, or where it stands in quotes.
        patterns = any(letter in str(inputs[0]) for letter in "*?[")
        raise click.ClickException(
            f"INPUT must be the path of a recording, but there is none at {str(inputs[0])!r}"
            + (": a pattern has no quotes, and fits files that are there" if patterns else "")
        )


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
        If one of the paths is there already and `force` was not given, names no file at all, is that of
        another option, or cannot be written.
    """
    taken: dict[Path, str] = {}
    for option, path in paths.items():
        if path is None:
            continue
        if path == Path():
            raise click.ClickException(f"{option} must be a path, got an empty one")
        if path.exists() and not force:
            raise click.ClickException(
                f"{option} {path} must not be there yet: pass --force to write over it"
            )
        other = taken.setdefault(path.resolve(), option)
        if other != option:
            raise click.ClickException(f"{option} must be another file than {other}, got {str(path)!r}")
        _refuse_unwritable(f"{option} {path} must be in a folder", path.absolute().parent)


def refuse_folder(option: str, folder: Path | None) -> None:
    """Raise where nothing can be written into a folder, or where it cannot be made, before the work.

    Parameters
    ----------
    option : str
        What names it.
    folder : path or None
        Where files are to go.

    Raises
    ------
    click.ClickException
        If that is so.
    """
    if folder is not None:
        _refuse_unwritable(f"{option} must be a folder", folder.absolute())


def refuse_no_page(option: str, path: Path | None) -> None:
    """Raise where a page would be written under a name that browsers do not take for one.

    Raises
    ------
    click.ClickException
        If the name ends in something else.
    """
    if path is not None and path.suffix.lower() not in PAGES:
        raise click.ClickException(
            f"{option} must end in .html, got {str(path)!r}: write a page, which a browser prints to PDF"
        )


def _refuse_unwritable(what: str, folder: Path) -> None:
    """Raise where no file can be made, which nobody wants to learn when everything is computed."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        # It leaves no name behind. Rights alone do not tell of read-only disks, nor bind an administrator.
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise click.ClickException(
            f"{what} that can be written to, got {str(folder)!r}: {str(there)!r} is "
            + ("not writable" if there.is_dir() else "a file")
        ) from error

"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os.path import lexists
from pathlib import Path
from uuid import uuid4


@contextmanager
def all_or_none(folder: Path) -> Iterator[Path]:
    """Give a scratch folder whose files move to `folder` when the block ends without an error.

    Parameters
    ----------
    folder : pathlib.Path
        Where the files go. Created if missing; files of the same names are replaced.

    Yields
    ------
    pathlib.Path
        An empty folder to write into. After an error, also of a move at the end, it is removed with all
        that is in it, and `folder` holds what it held before.

    Raises
    ------
    OSError
        If `folder` cannot be created or written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from freqig.whole_files import all_or_none
    >>> folder = Path(tempfile.mkdtemp())
    >>> with all_or_none(folder) as scratch:
    ...     _ = (scratch / "table.csv").write_text("a,b")
    >>> [path.name for path in folder.iterdir()]
    ['table.csv']
    """
    # Inside the folder itself: a rename is atomic only within one file system.
    with _scratch(folder, folder) as scratch:
        yield Path(scratch)
        _put(sorted(Path(scratch).iterdir()), folder)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, which takes its place when the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        A file or a folder; that of the same name is replaced.

    Yields
    ------
    pathlib.Path
        Of the same name and ending, in a scratch folder beside it.

    Raises
    ------
    OSError
        If the folder of `path` cannot be created or written to.
    """
    with _scratch(path.parent, path) as scratch:
        made = Path(scratch) / path.name
        yield made
        if not made.is_dir():
            made.replace(path)
            return
        # A folder takes the place of another only once that is gone.
        _put([made], path.parent)


def _put(made: Sequence[Path], folder: Path) -> None:
    """Move files and folders into a folder; what has their names there comes back unless all of them arrive.

    Raises
    ------
    OSError
        If one cannot be moved. Where what was there does not come back either, the error says where it lies.
    """
    # No scratch folder, which would be removed with what is in it.
    aside = Path(tempfile.mkdtemp(prefix=".freqig-old-", dir=folder))
    try:
        for path in made:
            if lexists(folder / path.name):
                (folder / path.name).replace(aside / path.name)
            path.replace(folder / path.name)
    except BaseException as error:
        _put_back(made, folder, aside, error)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _put_back(made: Sequence[Path], folder: Path, aside: Path, error: BaseException) -> None:
    """Undo what `_put` has done before an error."""
    try:
        for path in made:
            if not lexists(path):
                (folder / path.name).replace(path)
            if lexists(aside / path.name):
                (aside / path.name).replace(folder / path.name)
        aside.rmdir()
    except OSError as again:
        told = f"Cannot be replaced, and what was there lies in {aside} now, {again.strerror}"
        raise OSError(again.errno, told, str(folder)) from error


def _scratch(folder: Path, asked: Path) -> tempfile.TemporaryDirectory[str]:
    """A new folder inside of one, which is made if missing; an error names what was asked for."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=".freqig-", dir=folder)
    except OSError as error:
        # A file in the place of a folder is no reason to ask for force.
        code, why = error.errno, error.strerror
        if code == errno.EEXIST:
            code, why = errno.ENOTDIR, "Not a directory"
        raise OSError(code, f"Cannot be written to, {why}", str(asked)) from error


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file that takes the place of that of the same name in one step.

    As `replacing`, for one file, without a folder beside it meanwhile: in a Zarr store that would be a group.

    Parameters
    ----------
    path : pathlib.Path
        In a folder that is there.
    parts : iterable of bytes
        What is in the file, one behind the other.

    Raises
    ------
    OSError
        If the folder of `path` cannot be written to.
    """
    scratch = path.with_name(f"{path.name}.{uuid4().hex[:8]}")
    try:
        with scratch.open("wb") as file:
            file.writelines(parts)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)

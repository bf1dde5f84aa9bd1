"""Looks into a `.keras` archive before anything is built of it: sizes, and whether they are true."""

from __future__ import annotations

import io
import math
import os
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..archives import check_members
from ..content import NOT_TRUST, names_in
from ..exchanged import exchanged

WEIGHTS = "model.weights.h5"
MAX_CONFIG = 8 << 20
MAX_LAYERS = 20_000
MAX_COMMAS = 400_000
# With those of an optimizer; of networks that are known, the largest have some 7,000.
MAX_OBJECTS = 10_000
# Variables that are not kept in the file, such as states of random generators.
BESIDE_WEIGHTS = 1 << 20


class TooLargeError(MemoryError):
    """A model that would need more memory for its weights than its file has of them.

    Examples
    --------
    >>> issubclass(TooLargeError, MemoryError)
    True
    """

    REASON = f"its configuration declares more weights than the file holds. {NOT_TRUST}"


def check_archive(path: str | PathLike[str], max_bytes: int) -> int:
    """Refuse an archive whose sizes are too large, or not true.

    Parameters
    ----------
    path : path
        The file.
    max_bytes : int
        Largest unpacked size accepted.

    Returns
    -------
    int
        Bytes of weights in the file.

    Raises
    ------
    ValueError
        If it is no archive, or is refused.
    """
    name = os.fspath(path)
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{name} is not a .keras archive: HDF5 and SavedModel files are not loaded, open them in Keras "
            f"and save as .keras. {NOT_TRUST}"
        )
    names_in(path)
    check_members(path, (".json",), MAX_CONFIG, max_bytes)
    with zipfile.ZipFile(path) as archive:
        if "config.json" in archive.namelist():
            config = archive.read("config.json")
            layers = config.count(b'"class_name"')
            if layers > MAX_LAYERS or config.count(b",") > MAX_COMMAS:
                what = f"{layers} objects, more than {MAX_LAYERS}, or {config.count(b',')} entries, more than"
                raise ValueError(f"{name} declares {what} {MAX_COMMAS}; {NOT_TRUST}")
        return _weights(archive, name) if WEIGHTS in archive.namelist() else 0


def _weights(archive: zipfile.ZipFile, name: str) -> int:
    """Bytes of all arrays in the file of weights, none of which may claim more than is there."""
    import h5py

    content = archive.read(WEIGHTS)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            total = sum(_claimed(array) for array in _arrays(file))
    except Exception as error:
        raise ValueError(f"{WEIGHTS} in {name} is not taken: {error}; {NOT_TRUST}") from error
    if total > len(content):
        raise ValueError(f"{WEIGHTS} in {name} claims {total} bytes, of {len(content)}; {NOT_TRUST}")
    return total


def _claimed(array: Any) -> int:
    """Bytes of an array, all of which must be in this file."""
    size, there = math.prod(array.shape) * array.dtype.itemsize, array.id.get_storage_size()
    if array.external or array.is_virtual or size > there:
        raise ValueError(f"{array.name} claims {size} bytes, of which {there} are there")
    return int(size)


def _arrays(file: Any) -> Iterator[Any]:
    """Every array once, however many groups hold it or hold each other."""
    import h5py

    waiting, seen = [file], set()
    while waiting:
        group = waiting.pop()
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise TypeError(f"{group.name}/{key} is a link")
            child = group[key]
            place = h5py.h5o.get_info(child.id).addr
            if place in seen:
                raise TypeError(f"{group.name}/{key} is what stands elsewhere too")
            seen.add(place)
            if len(seen) > MAX_OBJECTS:
                raise TypeError(f"it holds more than {MAX_OBJECTS} arrays and groups")
            if isinstance(child, h5py.Group):
                waiting.append(child)
            elif isinstance(child, h5py.Dataset):
                yield child


@contextmanager
def at_most(allowed: int) -> Iterator[None]:
    """Let Keras make variables of so many bytes in this thread, and a few for what is in no file.

    Raises
    ------
    TooLargeError
        Before one more is made.
    """
    import keras

    thread, total = threading.get_ident(), 0

    def counting(make: Callable[..., None]) -> Callable[..., None]:
        def counted(self: Any, initializer: Any, shape: Any = None, *more: Any, **named: Any) -> None:
            nonlocal total
            if threading.get_ident() == thread and shape is not None:
                total += 4 * math.prod(int(size) for size in shape)
                if total > 2 * allowed + BESIDE_WEIGHTS:  # half precision is kept in half the bytes
                    raise TooLargeError(f"TooLargeError: {TooLargeError.REASON}")
            make(self, initializer, shape, *more, **named)

        return counted

    with exchanged(keras.Variable, "__init__", counting):
        yield


@contextmanager
def ending_in_keras(path: str | PathLike[str]) -> Iterator[str]:
    """A name of the file by which Keras knows it, for it looks at its end alone."""
    if Path(path).suffix == ".keras":
        yield os.fspath(path)
        return
    with TemporaryDirectory() as folder:
        name = Path(folder) / "model.keras"
        try:
            name.symlink_to(Path(path).resolve())
        except OSError:  # not everybody may make links on Windows
            shutil.copyfile(path, name)
        yield str(name)

"""MAT files, of version 5 by scipy and 7.3 by pymatreader."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import of_variables
from .limits import refuse_hdf5, refuse_size
from .recording import Recording

HDF5 = b"\x89HDF\r\n\x1a\n"
HEAD, COMPRESSED, PIECE = 128, 15, 1 << 20
DEPTH, MOST_STRUCTS = 8, 1000
"""How deep, and how many, structs are looked into."""
ORDERS = {b"IM": "<", b"MI": ">"}
"""Order of bytes, by the end of the head of version 5."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The largest variable of numbers, as (channel, time) or (sample, channel, time).

    Raises
    ------
    ValueError
        If the file is damaged, or there is no such variable.
    """
    content = _flat({name: value for name, value in _content(path).items() if not name.startswith("__")})
    try:
        return of_variables(content, path, channels)
    except ValueError as error:
        raise ValueError(f"{path.name} must hold an array of numbers: {error}") from None


def _flat(content: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Variables, and fields of structs by their paths, "bearing.gs"; "rec(2).sig" is of the second."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        here = f"{prefix}{name}"
        several: list[Any]
        if isinstance(value, np.ndarray) and value.dtype.names:
            several = [{key: one[key] for key in value.dtype.names} for one in value.ravel()]
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            several = value
        elif isinstance(value, Mapping):
            several = [value]
        else:
            found[here] = value
            continue
        if depth < DEPTH:
            for number, one in enumerate(several[:MOST_STRUCTS], 1):
                place = here if len(several) == 1 else f"{here}({number})"
                found |= _flat(one, f"{place}.", depth + 1)
    return found


def refuse_swelling(path: Path) -> None:
    """ValueError where what is in a file becomes far larger, however deep it is, or leads elsewhere."""
    with path.open("rb") as file:
        start = file.read(HEAD)
        if _is_hdf5(start):
            refuse_hdf5(path)
            return
        order = ORDERS.get(start[-2:])
        stored, unpacked = path.stat().st_size, 0
        while order and len(tag := file.read(8)) == 8:
            kind, length = struct.unpack(f"{order}II", tag)
            content, unpack = file.read(length), zlib.decompressobj()
            while kind == COMPRESSED and content and not unpack.eof:
                try:
                    unpacked += len(unpack.decompress(content, PIECE))
                except zlib.error:  # its reader says so
                    return
                content = unpack.unconsumed_tail
                refuse_size(unpacked, path.name, stored)


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            is_hdf5 = _is_hdf5(file.read(HEAD))
        if is_hdf5:
            import pymatreader

            refuse_swelling(path)
            content: dict[str, Any] = pymatreader.read_mat(path)
        else:
            from scipy.io import loadmat, whosmat

            for name, shape, _ in whosmat(path):
                needed = 8 * int(np.prod(shape, dtype=object))
                refuse_size(needed, f"{name} in {path.name}", path.stat().st_size)
            refuse_swelling(path)
            content = loadmat(path)
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 - readers raise as the damage has it
        raise ValueError(f"{path.name} must be a MAT file, which cannot be read: {error}") from None
    return content


def _is_hdf5(start: bytes) -> bool:
    return b"MATLAB 7.3" in start or start.startswith(HDF5)

"""MAT files, of version 5 by scipy and 7.3 by pymatreader."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import of_variables
from .limits import DEEPEST, SMALL, refuse_hdf5, refuse_size
from .recording import Recording

HDF5 = b"\x89HDF\r\n\x1a\n"
HEAD, COMPRESSED, MATRIX, PIECE = 128, 15, 14, 1 << 20
HOLDING, SPARSE, POINTER = (1, 2, 3), 5, 8
"""Classes of arrays in version 5: those that hold arrays, each behind a pointer, and what stores no zeros."""
DEPTH, MOST_STRUCTS = 8, 1000
"""How deep, and how many, structs are looked into."""
LABELS, SIZES = "labels", ("nbchan", "pnts", "trials")
"""What EEGLAB calls the names of channels, a struct for each, and the axes of its data."""
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
    _put_epochs_first(content)
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
            if len(several) > 1 and all(LABELS in one for one in several):
                found[f"{here}.{LABELS}"] = [one[LABELS] for one in several]
    return found


def _put_epochs_first(content: dict[str, Any]) -> None:
    """Data of EEGLAB are (channel, time, epoch), by the three numbers that stand beside them."""
    for name in [name for name in content if name.endswith("data")]:
        beside = [content.get(f"{name.removesuffix('data')}{size}", -1) for size in SIZES]
        if list(np.shape(content[name])) == [np.squeeze(one).tolist() for one in beside]:
            content[name] = np.moveaxis(content[name], -1, 0)


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
            content, unpack = file.read(min(length, stored)), zlib.decompressobj()
            element = bytearray() if kind == COMPRESSED else bytearray(tag + content)
            while kind == COMPRESSED and content and not unpack.eof:
                try:
                    element += unpack.decompress(content, PIECE)
                except zlib.error:  # its reader says so
                    return
                content = unpack.unconsumed_tail
                refuse_size(unpacked + len(element), path.name, stored)
            unpacked += len(element) if kind == COMPRESSED else 0
            _refuse_claims(memoryview(element), order, path.name)


def _refuse_claims(elements: memoryview, order: str, name: str, depth: int = 0) -> None:
    """ValueError where an array, or one in a cell or struct, claims more entries than are there.

    Its reader takes memory for as many as it claims.
    """
    for kind, content in _elements(elements, order):
        parts = [value for _, value in islice(_elements(content, order), 2)] if kind == MATRIX else []
        if len(parts) < 2 or len(parts[0]) < 4:
            continue
        (flags,) = struct.unpack(f"{order}I", parts[0][:4])
        sizes = struct.unpack(f"{order}{len(parts[1]) // 4}i", parts[1][: len(parts[1]) // 4 * 4])
        needed = math.prod(sizes) * (POINTER if flags & 0xFF in HOLDING else 1)
        if flags & 0xFF != SPARSE and needed > max(SMALL, len(content)):
            raise ValueError(
                f"{name} has an array that claims {math.prod(sizes)} entries, in {len(content)} bytes: it is "
                "damaged"
            )
        if depth < DEEPEST:
            _refuse_claims(content, order, name, depth + 1)


def _elements(content: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Kind and value of each element; short ones have both and their length in 8 bytes."""
    at = 0
    while at + 8 <= len(content):
        kind, length = struct.unpack(f"{order}II", content[at : at + 8])
        if kind >> 16:
            yield kind & 0xFFFF, content[at + 4 : at + 4 + min(kind >> 16, 4)]
            at += 8
        else:
            yield kind, content[at + 8 : at + 8 + length]
            at += 8 + length + -length % 8


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

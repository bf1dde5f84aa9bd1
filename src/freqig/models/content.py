"""What a model file is, by what is in it; nothing in it is loaded or run."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

NOT_TRUST = "trust=True does not change this"
"""How errors end that say what is wrong with a file, whoever trusts it."""
HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
# Top-level fields of an ONNX ModelProto, and how each is written: 0 a number, 2 with its length.
ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
ONNX_GRAPH = 7


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """What a file holds.

    Parameters
    ----------
    path : path
        An existing file.

    Returns
    -------
    str or None
        "TorchScript", "torch.export", "Keras", "HDF5", "safetensors", "TensorFlow Lite", "ONNX", "pickle";
        None for what is not known.

    Raises
    ------
    ValueError
        For a damaged zip archive.
    """
    with Path(path).open("rb") as file:
        start = file.read(16)
        if start.startswith(ZIP) or zipfile.is_zipfile(path):
            return _kind_of_archive(names_in(path))
        if start.startswith(HDF5):
            return "HDF5"
        if start[4:8] == b"TFL3":
            return "TensorFlow Lite"
        if start[8:10] == b'{"' and int.from_bytes(start[:8], "little") <= os.fstat(file.fileno()).st_size:
            return "safetensors"
        if start[:1] == b"\x80" and start[1:2] <= b"\x05":
            return "pickle"
        return "ONNX" if ONNX_GRAPH in _fields(file) else None


def names_in(path: str | os.PathLike[str]) -> list[str]:
    """Names in a zip archive, without the folder that PyTorch puts them in.

    Raises
    ------
    ValueError
        If the archive is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
        raise ValueError(
            f"{os.fspath(path)} is a damaged zip archive ({error}): save or download it again. {NOT_TRUST}"
        ) from error


def _kind_of_archive(names: list[str]) -> str | None:
    inside = {name.split("/", 1)[-1] for name in names}
    if any(name.startswith("code/") for name in inside):
        return "TorchScript"
    if any("archive_format" in name or "serialized_exported_program" in name for name in inside):
        return "torch.export"
    if "data.pkl" in inside:
        return "pickle"
    if "config.json" in names and {"metadata.json", "model.weights.h5"} & set(names):
        return "Keras"
    return None


def _fields(file: BinaryIO) -> set[int]:
    """Numbers of the top-level fields, where all of them are those of an ONNX model; else none."""
    size = os.fstat(file.fileno()).st_size
    found: set[int] = set()
    file.seek(0)
    for _ in range(10_000):
        tag = _varint(file)
        if tag is None:
            return found if file.tell() == size else set()
        field, wire = tag >> 3, tag & 7
        value = _varint(file)
        if ONNX_FIELDS.get(field) != wire or value is None:
            return set()
        if wire == 2:
            if file.tell() + value > size:
                return set()
            file.seek(value, os.SEEK_CUR)
        found.add(field)
    return set()


def _varint(file: BinaryIO) -> int | None:
    """A number of seven bits in each byte; None at the end."""
    value = 0
    for shift, byte in zip(range(0, 70, 7), _bytes(file), strict=False):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    return None


def _bytes(file: BinaryIO) -> Iterator[int]:
    while byte := file.read(1):
        yield byte[0]

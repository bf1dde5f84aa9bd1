"""Looks into a zip archive before its members are read: how large they become, and whether that is true."""

from __future__ import annotations

import io
import os
import sys
import zipfile
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

from .content import NOT_TRUST, ZIP

# Frameworks store without compression; others may compress by so much, above what is small anyway.
MAX_RATIO, SMALL = 50, 64 << 20
PIECE = 1 << 16


def check_members(
    path: str | PathLike[str], text: tuple[str, ...], max_text: int, max_bytes: int = sys.maxsize
) -> None:
    """Refuse an archive whose members become too large, or larger than it states.

    Parameters
    ----------
    path : path
        The file, a zip archive.
    text : tuple of str
        How the names of members end that are parsed as a whole.
    max_text : int
        Largest unpacked size accepted of such a member.
    max_bytes : int
        Largest unpacked size accepted, of all members together.

    Raises
    ------
    ValueError
        If it is damaged, or is refused.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(f"{folder}/net.pt", "w") as archive:
    ...         archive.writestr("net/version", "3")
    ...     check_members(f"{folder}/net.pt", text=("version",), max_text=10)
    """
    name = os.fspath(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, name, Path(path).stat().st_size, text, max_text, max_bytes)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{name} is a damaged archive, or one with a password: {error}; {NOT_TRUST}"
        ) from error


def _check(
    archive: zipfile.ZipFile,
    name: str,
    there: int,
    text: tuple[str, ...],
    max_text: int,
    max_bytes: int,
    is_inner: bool = False,
) -> None:
    """Refuse an archive of so many bytes, and those in it, such as the examples of a program."""
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if sum(entry.compress_size for entry in entries) > there:
        raise ValueError(f"{name} has {there} bytes, less than its members take in it; {NOT_TRUST}")
    if size > max_bytes:
        raise ValueError(f"{name} unpacks to {size} bytes, more than {max_bytes}; {NOT_TRUST}")
    if size > max(SMALL, MAX_RATIO * there):
        raise ValueError(f"{name} has {there} bytes and unpacks to {size}, which no model does; {NOT_TRUST}")
    for entry in entries:
        if entry.filename.endswith(text) and entry.file_size > max_text:
            raise ValueError(
                f"{entry.filename} in {name} has {entry.file_size} bytes, more than the {max_text} "
                f"that it may have; {NOT_TRUST}"
            )
        _check_size(archive, entry, name)
        inner = f"{entry.filename} in {name}"
        if not _is_archive(archive, entry):
            continue
        if is_inner:
            raise ValueError(f"{inner} is an archive in an archive in another; {NOT_TRUST}")
        stored = entry.compress_type == zipfile.ZIP_STORED
        member: Any = archive.open(entry) if stored else io.BytesIO(archive.read(entry))
        with member, zipfile.ZipFile(member) as found:
            _check(found, inner, entry.file_size, text, max_text, max_bytes, is_inner=True)


def _is_archive(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    with archive.open(entry) as member:
        return member.read(len(ZIP)) == ZIP


def _check_size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> None:
    """Unpack a member piece by piece, and refuse it where it is not as long as stated."""
    lies = ValueError(f"{entry.filename} in {name} is not as long as the archive states; {NOT_TRUST}")
    if entry.compress_type == zipfile.ZIP_STORED:
        if entry.compress_size != entry.file_size:
            raise lies
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise ValueError(
            f"{entry.filename} in {name} is compressed in a way that no framework uses; {NOT_TRUST}"
        )
    unpack, length = zlib.decompressobj(-15), 0
    raw = _raw(archive, entry)
    try:
        while not unpack.eof and length <= entry.file_size:
            packed = unpack.unconsumed_tail or raw.read(PIECE)
            if not packed:
                break
            length += len(unpack.decompress(packed, PIECE))
    except zlib.error as error:
        raise ValueError(f"{entry.filename} in {name} is damaged: {error}; {NOT_TRUST}") from error
    if length != entry.file_size:
        raise lies


def _raw(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Any:
    """The packed bytes of a member, as a file."""
    with archive.open(entry):  # checks the header in front of them
        pass
    file: Any = archive.fp
    file.seek(entry.header_offset + 26)
    lengths = file.read(4)
    file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), os.SEEK_CUR)
    return io.BytesIO(file.read(entry.compress_size))

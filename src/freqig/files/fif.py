"""FIF: whether its tags lie within the file, one behind the other, before MNE follows them."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .limits import MOST_UNPACKED, SMALL

HEAD = struct.Struct(">iIii")
"""Kind, type, size and next of a tag, in front of its values; in the directory its place, not the next."""
FILE_ID, DIRECTORY, POINTER = 100, 102, 101
MOST_TAGS = 2**20


def refuse_lying_tags(path: Path) -> None:
    """ValueError where a tag reaches beyond the file, or leads back, which MNE would follow for ever.

    Parameters
    ----------
    path : pathlib.Path
        A file of FIF, or one compressed by gzip.
    """
    is_packed = path.suffix.lower() == ".gz"
    file: Any
    with gzip.open(path) if is_packed else path.open("rb") as file:
        most = max(SMALL, MOST_UNPACKED * path.stat().st_size)
        size = _unpacked(file, most) if is_packed else path.stat().st_size
        directory = -1
        for number, (kind, length) in enumerate(_tags(file, size)):
            if number == 0 and kind != FILE_ID:
                raise ValueError("it does not begin as a file of FIF does")
            if number > MOST_TAGS:
                raise ValueError(f"it has more than {MOST_TAGS} tags")
            if kind == POINTER and length == 4:
                directory = struct.unpack(">i", file.read(4))[0]
            if kind == POINTER and directory > 0:
                # The directory is what is followed from here on.
                return _refuse_directory(file, directory, size)
    return None


def _unpacked(file: Any, most: int) -> int:
    """Bytes of a compressed file, unpacked piece by piece."""
    size = 0
    while piece := file.read(1 << 20):
        size += len(piece)
        if size > most:
            raise ValueError(f"it unpacks to more than {most} bytes, which no recording does")
    file.seek(0)
    return size


def _tags(file: Any, size: int) -> Iterator[tuple[int, int]]:
    """Kind and size of each tag, in the order in which they are followed."""
    at = 0
    while at >= 0 and len(head := _read_at(file, at)) == HEAD.size:
        kind, _, length, following = HEAD.unpack(head)
        if not 0 <= length <= size - at - HEAD.size:
            raise ValueError(f"a tag at byte {at} claims {length} bytes, and the file has {size}")
        yield kind, length
        if 0 < following <= at:
            raise ValueError(f"a tag at byte {at} leads back to byte {following}")
        at = following if following else at + HEAD.size + length


def _read_at(file: Any, at: int) -> bytes:
    file.seek(at)
    head: bytes = file.read(HEAD.size)
    return head


def _refuse_directory(file: Any, at: int, size: int) -> None:
    """ValueError where an entry of the directory lies outside of the file."""
    head = _read_at(file, at)
    kind, _, length, _ = HEAD.unpack(head) if len(head) == HEAD.size else (0, 0, -1, 0)
    if kind != DIRECTORY or not 0 <= length <= size - at - HEAD.size or length > MOST_TAGS * HEAD.size:
        raise ValueError(f"its directory at byte {at} claims {length} bytes, and the file has {size}")
    for _, _, own, place in HEAD.iter_unpack(file.read(length - length % HEAD.size)):
        if place > 0 and not 0 <= own <= size - place - HEAD.size:
            raise ValueError(f"a tag at byte {place} claims {own} bytes, and the file has {size}")

"""What the system's allocator keeps of freed memory: as much as helps, and no more than a run may take."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch

# The largest block that counts, by which glibc's malloc measures what to keep.
LARGEST_FREED = 31 * 2**20

TRIM, MMAP = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"
"""Variables that fix what glibc's malloc keeps, and from which size on a block is a mapping of its own."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""The same in `mallopt`, see malloc.h."""

STATM, PAGE = Path("/proc/self/statm"), mmap.PAGESIZE

_least = float("inf")


@cache
def keep_freed_memory() -> None:
    """Let malloc keep what a chunk has freed for the next chunk.

    As it starts, glibc gives freed memory back to the system after every chunk, and gets it anew
    page by page, filled with zeros: half of the time of a small network. It keeps up to twice the
    largest block that was ever freed, of up to 32 MiB, so one such block is freed. Its pages are
    never touched; other allocators are not affected.

    It measures nothing where the environment fixes what it keeps, as Dask does for its workers: then every
    block above 128 KiB is a mapping of its own, which takes as long again as a network. So that is set, too.
    """
    torch.empty(LARGEST_FREED, dtype=torch.uint8)
    if TRIM in os.environ and MMAP not in os.environ:
        with suppress(AttributeError, OSError, TypeError):
            option = ctypes.CDLL(None).mallopt
            option(M_MMAP_THRESHOLD, LARGEST_FREED)
            option(M_TRIM_THRESHOLD, 2 * LARGEST_FREED)


def give_back(most: float) -> None:
    """Give freed memory back to the system where the process has grown by `most` bytes since it held least.

    What libraries keep for every size of batch, a few bytes here and there, lies between freed blocks. Blocks
    of another size, and aligned ones of the same, do not fit into the holes, which grow without end.
    """
    global _least  # noqa: PLW0603 - a process has one heap
    trim = _trim()
    if trim is None:
        return
    held = _resident()
    _least = min(_least, held)
    if held - _least >= most:
        trim(0)
        _least = _resident()


def _resident() -> int:
    """Bytes of the process that are in memory."""
    return int(STATM.read_bytes().split()[1]) * PAGE


@cache
def _trim() -> Callable[[int], int] | None:
    """The `malloc_trim` of glibc; None where there is another allocator, or nobody says what it holds."""
    try:
        _resident()
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim

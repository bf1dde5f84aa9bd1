"""How much a file may ask for, before memory is taken for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..memory import described

MOST_UNPACKED = 200
"""Times what is stored that values may take: compressed recordings have a tenth, zeros a thousandth."""
SMALL = 2**24
"""Bytes that are no danger, however little is stored of them."""
UNKNOWN = 2**36


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN


def refuse_size(needed: int, name: str, stored: int | None = None) -> None:
    """ValueError where values take more than the machine has, or are hardly stored at all.

    Parameters
    ----------
    needed : int
        Bytes of the values.
    name : str
        Of the file, or of a part of it.
    stored : int, optional
        Bytes that the file has for them.

    Examples
    --------
    >>> refuse_size(8 * 2**32, "big.npz", 129)
    Traceback (most recent call last):
    ValueError: big.npz unpacks to 34400 MB, for which 129 bytes are stored: it is damaged, or no recording
    """
    if stored is not None and needed > SMALL and needed > MOST_UNPACKED * max(stored, 1):
        raise ValueError(
            f"{name} unpacks to {described(needed)}, for which {stored} bytes are stored: it is damaged, "
            "or no recording"
        )
    if needed > machine_memory():
        raise ValueError(
            f"{name} takes {described(needed)} of memory, and this machine has "
            f"{described(machine_memory())}: cut it into several files"
        )


def refuse_hdf5(path: Path) -> None:
    """ValueError where a file of HDF5 holds what is not in it, or asks for too much.

    External links, external storage and virtual datasets lead to other files; a dataset may be declared of
    any size without a value being stored.
    """
    import h5py

    def visit(group: Any, seen: set[Any]) -> None:
        for key in group:
            leads_away = isinstance(group.get(key, getlink=True), h5py.ExternalLink)
            if leads_away:
                raise ValueError(f"{path.name} must hold its own values, but {key!r} links to another file")
            item = group.get(key)
            if isinstance(item, h5py.Group) and item.id not in seen:
                visit(item, seen | {item.id})
            elif isinstance(item, h5py.Dataset):
                if item.is_virtual or item.external:
                    raise ValueError(f"{path.name} must hold its own values, but {key!r} is stored elsewhere")
                needed = int(np.prod(item.shape or (0,), dtype=object)) * item.dtype.itemsize
                refuse_size(needed, f"{key} in {path.name}", int(item.id.get_storage_size()))

    try:
        with h5py.File(path) as file:
            visit(file, {file.id})
    except OSError as error:
        raise ValueError(f"{path.name} must be a file of HDF5, and cannot be read: {error}") from None

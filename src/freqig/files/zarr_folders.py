"""Looks into a folder of Zarr before anything of it is read: what it asks for, and where it leads."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from .limits import refuse_size

DESCRIPTIONS = (".zarray", ".zmetadata", "zarr.json")
"""Names of the files in which Zarr says how arrays are stored."""
MOST_CHUNKS = 100_000
BESIDE_CHUNK = 1 << 16
"""Bytes by which a stored chunk may be longer than twice its values."""


def refuse_folder(folder: Path) -> None:
    """ValueError where a filter unpickles, which runs what is stored, or too much is asked for.

    Chunks that are not stored are filled with a number, those that are stored may become far larger, and
    links lead to other files.
    """
    for base, folders, names in os.walk(folder):
        for name in (*folders, *names):
            file = Path(base, name)
            if file.is_symlink():
                raise ValueError(
                    f"{folder.name} must hold its own values, but {name} links to {file.resolve()}"
                )
            if name in DESCRIPTIONS and "pickle" in file.read_text("utf-8", "replace").lower():
                raise ValueError(f"{folder.name} must hold numbers, but {file.parent.name} holds pickles")
    import zarr

    try:
        arrays = dict(zarr.open_group(str(folder), mode="r").arrays())
        sizes = {name: _sizes_of(array) for name, array in arrays.items()}
    except Exception as error:
        raise ValueError(
            f"{folder.name} must be a group of Zarr, and cannot be read: {' '.join(str(error).split())[:300]}"
        ) from error
    for name, own in sizes.items():
        _refuse_sizes(*own, f"{name} in {folder.name}", folder / name)


def _sizes_of(array: Any) -> tuple[int, int, int]:
    """Bytes of all values and of those of a chunk, and how many chunks there are."""
    shape = getattr(array, "shards", None) or array.chunks
    return int(array.nbytes), array.dtype.itemsize * math.prod(shape), int(array.nchunks)


def _refuse_sizes(values: int, chunk: int, count: int, name: str, folder: Path) -> None:
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    refuse_size(values, name, sum(sizes))
    if count > MOST_CHUNKS:
        raise ValueError(f"{name} must have at most {MOST_CHUNKS} chunks, got {count}: store larger ones")
    refuse_size(chunk, f"a chunk of {name}", max(sizes, default=0))
    if max(sizes, default=0) > 2 * chunk + BESIDE_CHUNK:
        raise ValueError(
            f"{name} has chunks of {chunk} bytes, and {max(sizes)} are stored for one: it is damaged"
        )

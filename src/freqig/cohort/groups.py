"""Groups of Zarr v3 as they lie on the disk: their metadata, chunks and text."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import xarray as xr

from .._check import object_in
from ..whole_files import write_whole

METADATA = "zarr.json"
CHUNK_BYTES = 8 * 2**20
AT_ONCE = 8
"""Files that the disk is waited for together, which takes little longer than for one."""
INDEX = "consolidated_metadata"
BEGIN = f', "{INDEX}": '.encode()
"""Where an index begins, which stands last in its file; in text before it quotes would be escaped."""
PIECE = 2**16


def storable(result: xr.Dataset) -> xr.Dataset:
    """With text of any length: for text of one length Zarr v3 has no type that others read."""
    text = {
        name: (array.dims, array.values.astype(object), array.attrs)
        for name, array in result.variables.items()
        if array.dtype.kind == "U"
    }
    return result.assign(text)


def chunks(result: xr.Dataset) -> dict[Any, dict[str, Any]]:
    """Chunks along the first axis, of a few megabytes."""
    found = {}
    for name, array in result.variables.items():
        if array.nbytes > CHUNK_BYTES and array.dtype.kind != "O":
            rows = max(1, CHUNK_BYTES // (array.nbytes // array.shape[0]))
            found[name] = {"chunks": (min(rows, array.shape[0]), *array.shape[1:])}
    return found


def write_group(result: xr.Dataset, folder: Path) -> None:
    """Write a result as a group, its attributes last, and have the system put all of it on the disk.

    The group is compressed in memory and then written file by file: Zarr would hand each file to a thread,
    which takes longer than writing it. What takes long is to wait for the disk, so that is done for several
    at once. Files are on the disk before their folder takes its place, so that power may fail.
    """
    from zarr.storage import MemoryStore

    made: dict[str, Any] = {}
    storable(result).to_zarr(
        MemoryStore(made), mode="w-", consolidated=False, zarr_format=3, encoding=chunks(result)
    )
    made[METADATA] = made.pop(METADATA)
    for key, content in made.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(content.to_bytes())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_on_disk, [folder / key for key in made]))


def _on_disk(path: Path) -> None:
    """Return once the system has put a file on the disk."""
    # Windows wants to be allowed to write to it.
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def attributes(group: Path) -> dict[str, Any]:
    """Attributes of a group; none where there is none."""
    try:
        held, _ = read_head(group)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        # Not so where a disk does not answer: what cannot be read is not to be swept.
        return {}
    own = held.get("attributes")
    return own if isinstance(own, dict) else {}


def read_head(group: Path) -> tuple[dict[str, Any], bool]:
    """What the file of a group says without the index of what is below it, and whether it has one."""
    content = b""
    with (group / METADATA).open("rb") as file:
        while piece := file.read(PIECE):
            # It may begin in the piece before.
            since = max(0, len(content) - len(BEGIN))
            content += piece
            at = content.find(BEGIN, since)
            if at >= 0:
                return object_in(content[:at] + b"}"), True
    held = object_in(content)
    # As zarr writes it, amid the rest.
    return held, held.pop(INDEX, None) is not None


def told_in(attributes: Mapping[Any, Any], key: str) -> dict[str, Any]:
    """What an attribute tells as an object of JSON; nothing where there is none that can be read."""
    try:
        return object_in(attributes.get(key))
    except ValueError:
        return {}


def read_json(path: Path) -> dict[str, Any]:
    """An object of JSON."""
    return object_in(path.read_bytes())


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object of JSON, which takes the place of the file in one step."""
    write_whole(path, [json.dumps(content, indent=2).encode()])

"""The index of a store: the metadata of all groups in one file, written a group at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..whole_files import write_whole
from .groups import BEGIN, INDEX, METADATA, read_head, read_json

NOTHING = {"kind": "inline", "must_understand": False, "metadata": {}}


def write_index(store: Path) -> None:
    """Consolidate: the metadata of all groups in the file of the store, so that opening reads one.

    What `zarr.consolidate_metadata` writes, which takes 0.2 MB of memory for each recording.
    """
    write_whole(store / METADATA, _indexed(store))


def _indexed(store: Path) -> Iterator[bytes]:
    head, _ = read_head(store)
    yield json.dumps(head).encode()[:-1] + BEGIN + json.dumps(NOTHING).encode()[:-2]
    for number, (name, held) in enumerate(_nodes(store)):
        yield f"{', ' if number else ''}{json.dumps(name)}: {json.dumps(held)}".encode()
    yield b"}}}"


def _nodes(folder: Path, above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Groups and arrays below a folder, by their paths."""
    for path in sorted(folder.iterdir()):
        if not (path / METADATA).is_file():
            continue
        held, name = read_json(path / METADATA), above + path.name
        if held.get("node_type") != "group":
            yield name, held
            continue
        yield name, {**held, INDEX: NOTHING}
        yield from _nodes(path, f"{name}/")

"""What is in the files of a recording, so that results of other contents are told from these."""

from __future__ import annotations

import hashlib
import json
import os
from glob import escape
from pathlib import Path
from typing import Any

from ..files.formats import stem_of
from .recordings import Recording

COMPANIONS = {
    ".vhdr": (".eeg", ".dat", ".vmrk"),
    ".set": (".fdt",),
    ".hea": (".dat",),
}
"""Endings of files that hold what a file of this ending describes."""
BLOCK = 1 << 20


def contents_of(recording: Recording) -> dict[str, Any]:
    """What was read, for the marker of a recording.

    Returns
    -------
    dict
        `digest`, SHA-256 of contents, and of what was said beside; `files`: name, size in bytes and time of
        change in ns of each; `said`, a digest of subject and labels.
    """
    files = _files_of(recording)
    digest = hashlib.sha256(_said(recording).encode())
    for path in files:
        digest.update(f"\0{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    return {"digest": f"sha256:{digest.hexdigest()}", "files": _stats(files), "said": _said(recording)}


def are_contents_of(recording: Recording, known: dict[str, Any]) -> bool:
    """Whether a recording still holds what a marker says; files of the same size and time are not read."""
    files = _files_of(recording)
    if not all(path.exists() for path in files):
        return False
    if _stats(files) == known["files"] and _said(recording) == known["said"]:
        return True
    return bool(contents_of(recording)["digest"] == known["digest"])


def _files_of(recording: Recording) -> list[Path]:
    path = recording.path
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file())
    else:
        ends = COMPANIONS.get(path.suffix.lower(), ())
        beside = [path.with_name(stem_of(path) + end) for end in ends]
        files = [path, *filter(Path.is_file, beside)]
        if path.suffix.lower() == ".fif":
            # MNE parts what is larger than 2 GB: NAME.fif, NAME-1.fif, NAME-2.fif.
            files += sorted(path.parent.glob(f"{escape(path.stem)}-[0-9]*.fif"))
    if isinstance(recording.annotations, (str, os.PathLike)):
        files.append(Path(recording.annotations))
    return files


def _stats(files: list[Path]) -> list[list[Any]]:
    found = ((path.name, path.stat()) for path in files)
    return [[name, own.st_size, own.st_mtime_ns] for name, own in found]


def _said(recording: Recording) -> str:
    """A digest of what the caller said of a recording; labels in a file are one of its files."""
    labels = recording.annotations
    if isinstance(labels, (str, os.PathLike)):
        labels = None
    said = [recording.subject, *(_plain(one) for one in (recording.truth, labels))]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def _plain(values: Any) -> Any:
    return values.tolist() if hasattr(values, "tolist") else values

"""The store: a Zarr group for each recording, which takes its place once its marker is written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import xarray as xr

from .groups import METADATA, attributes, read_head, told_in, write_group, write_json
from .index import write_index
from .job import JobError
from .recordings import placed

MARKER, COHORT = "freqig_recording", "freqig_cohort"
FORMAT = 1
DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Store:
    """A Zarr store of results, and the folder beside it in which they are made.

    A result is made in a part of its own, and moved to its place once it is whole: what is in the store is
    done, or says why it failed.

    Parameters
    ----------
    path : pathlib.Path
        Absolute path of the store.
    """

    path: Path

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Store:
        """The store at a path."""
        try:
            import zarr  # noqa: F401
        except ImportError as error:
            raise ImportError("store needs the library zarr: pip install freqig[zarr]") from error
        return cls(placed(path, "store"))

    @property
    def work(self) -> Path:
        """Folder of what is made and of locks; beside the store, for all that is in it is Zarr's."""
        return self.path.with_name(f".{self.path.name}.work")

    @property
    def locks(self) -> Path:
        """Folder of locks."""
        return self.work / "locks"

    def open_for(self, settings: dict[str, Any], model: str) -> dict[str, Any]:
        """Make the store, or see that it was made with these settings and this model.

        Returns
        -------
        dict
            The settings as the store has them: 2 and 2.0 are the same, and hashes of them are not.

        Raises
        ------
        ValueError
            If it was made with others, or the path holds something else.
        """
        known = self.about()
        if known is None:
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise ValueError(
                    f"store must be a new path, or a store that freqig made, but {self.path} holds something "
                    "else"
                )
            self.path.mkdir(parents=True, exist_ok=True)
            told = {"format": FORMAT, "settings": settings, "model": model}
            about = {COHORT: json.dumps(told, sort_keys=True)}
            write_json(self.path / METADATA, {"zarr_format": 3, "node_type": "group", "attributes": about})
            return settings
        if known["format"] != FORMAT:
            raise ValueError(f"store must have format {FORMAT}, got {known['format']}: pass another path")
        if known["model"] != model:
            raise ValueError(
                f"store must be of the same model, but {self.path} is of another, by its weights, layers, "
                "code or model_id: pass that, or another path"
            )
        if known["settings"] != settings:
            raise ValueError(
                f"store must be of the same settings, but {self.path} has "
                f"{_differences(known['settings'], settings)}: pass these, or another path"
            )
        self.forget_index()
        return dict(known["settings"])

    def about(self) -> dict[str, Any] | None:
        """What the store says of itself; None where there is none."""
        told = told_in(attributes(self.path), COHORT)
        return told if {"format", "settings", "model"} <= set(told) else None

    def marker(self, name: str) -> dict[str, Any] | None:
        """What is said of a recording that is done or failed; None of any other."""
        told = told_in(attributes(self.path / name), MARKER)
        return told if "state" in told else None

    def names(self) -> list[str]:
        """Recordings that are done or failed."""
        return [path.name for path in sorted(self.path.iterdir()) if self.marker(path.name) is not None]

    def begin(self, name: str, shard: str) -> Path:
        """A folder of its own to make the result of a recording in."""
        part = self.work / "parts" / shard / uuid4().hex
        part.mkdir(parents=True)
        (part / "name").write_text(name, encoding="utf-8")
        return part

    def finish(self, part: Path, name: str, result: xr.Dataset, marker: dict[str, Any]) -> bool:
        """Write a result, its marker last, then move it to its place.

        Returns
        -------
        bool
            Whether it is this one that stands there: another worker may have been first.

        Raises
        ------
        JobError
            If the disk is full, or the store is not to be written to.
        """
        marked = result.assign_attrs({MARKER: json.dumps(marker, sort_keys=True)})
        try:
            write_group(marked, part / "group")
            return self._place(part / "group", name)
        except OSError as error:
            raise JobError(
                f"store must be writable, but {error.strerror or error}: what is done stays, run again once "
                "there is room"
            ) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _place(self, group: Path, name: str) -> bool:
        try:
            group.rename(self.path / name)
        except OSError:
            if self.marker(name) is None:
                raise
            return False
        return True

    def left_behind(self, shard: str) -> list[str]:
        """Recordings that workers were at when they died."""
        found = (self.work / "parts" / shard).glob("*/name")
        return sorted({path.read_text(encoding="utf-8") for path in found})

    def sweep(self, shards: Callable[[str], bool]) -> None:
        """Remove what was left behind: parts of these shards, groups without a marker, half an index."""
        for folder in self.work.glob("parts/*"):
            if shards(folder.name):
                self._remove(folder)
        if self.path.is_dir():
            for path in self.path.glob(f"{METADATA}.*"):
                path.unlink(missing_ok=True)
            for path in self.path.iterdir():
                if path.is_dir() and self.marker(path.name) is None:
                    self._remove(path)

    def remove(self, name: str) -> None:
        """Remove the group of a recording."""
        self._remove(self.path / name)

    def _remove(self, folder: Path) -> None:
        # Gone at once, so that nobody who still writes to it takes it for whole.
        trash = self.work / "trash" / uuid4().hex
        trash.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)

    def write_index(self) -> None:
        """Put the metadata of all groups into one file, so that opening reads one."""
        write_index(self.path)

    def forget_jobs(self) -> None:
        """Remove what workers were told, once none of them has anything left to do."""
        for path in self.work.glob("job-*"):
            path.unlink(missing_ok=True)

    def forget_index(self) -> None:
        """Undo `write_index`: groups are added, which an old index does not know."""
        held, indexed = read_head(self.path)
        if indexed:
            write_json(self.path / METADATA, held)


def _differences(known: dict[str, Any], asked: dict[str, Any]) -> str:
    keys = [key for key in sorted({*known, *asked}) if known.get(key) != asked.get(key)]
    told = [f"{key}={known.get(key)!r}, not {asked.get(key)!r}" for key in keys]
    return "; ".join(told[:4]) + ("; …" if len(told) > 4 else "")

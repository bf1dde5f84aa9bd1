"""A lock on a store that names the process which holds it, and goes when that process goes."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from .._check import object_in

T = TypeVar("T")
LOOK = 5.0
"""Seconds for which the lock of another number of shards is tried: others who look hold it briefly."""
NAME = re.compile(r"(\d+)-of-(\d+)\.lock")


@dataclass(frozen=True)
class Shard:
    """One of the parts that several runs share a cohort out into, 1 of 1 where one does all.

    Parameters
    ----------
    place, count : int
        Which, from 1, of how many.

    Examples
    --------
    >>> str(Shard(2, 8)), Shard(2, 8).of(list("abcdefghij"))
    ('2-of-8', ['b', 'j'])
    """

    place: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.place <= self.count:
            raise ValueError(
                f"shard must be i/n with i from 1 to n, such as 1/8, got {self.place}/{self.count}"
            )

    def __str__(self) -> str:
        return f"{self.place}-of-{self.count}"

    def of(self, items: list[T]) -> list[T]:
        """Those of a list that belong to this shard."""
        return items[self.place - 1 :: self.count]


class InUseError(RuntimeError):
    """A store that another run is at work on."""


@contextmanager
def held(folder: Path, shard: Shard) -> Iterator[list[str]]:
    """Hold the lock of a shard: no other run does the same one, or parts the cohort in another way.

    The system frees a lock when its process ends, however that ends.

    Parameters
    ----------
    folder : pathlib.Path
        Where locks lie. Created if missing.
    shard : Shard
        The part that this run does.

    Yields
    ------
    list of str
        Who held this lock, or that of another number of shards, and ended without giving it back.

    Raises
    ------
    InUseError
        If another run is at work on the store. The error names its process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mine = folder / f"{shard}.lock"
    with _taken(mine, patience=0) as gone:
        dead = [gone] if gone else []
        # Whoever parts the cohort in another way does the same: each takes its own, then looks at others.
        for path in sorted(folder.glob("*.lock")):
            found = NAME.fullmatch(path.name)
            if found is not None and int(found[2]) != shard.count:
                with _taken(path, LOOK) as gone:
                    dead += [gone] if gone else []
                    _owner(path).unlink(missing_ok=True)
        about = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
            "command": _command(),
        }
        _owner(mine).write_text(json.dumps(about), encoding="utf-8")
        try:
            yield dead
        finally:
            _owner(mine).unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold what shards at work on one store share, for as long as it takes to look after it."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "index.lock"):
        yield


@contextmanager
def _taken(path: Path, patience: float) -> Iterator[str]:
    """Hold a lock; gives the name of who died with it, else nothing."""
    try:
        lock = FileLock(path, timeout=patience)
        lock.acquire()
    except Timeout:
        raise InUseError(
            f"store must be free, but {_holder(path) or 'another process'} works on it: wait until it is "
            "done, or stop it"
        ) from None
    try:
        yield _holder(path)
    finally:
        lock.release()


def _command() -> str:
    """What was typed, as far as it tells one run from others."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join([name, *sys.argv[1:3]])


def _owner(path: Path) -> Path:
    return path.with_suffix(".json")


def _holder(path: Path) -> str:
    try:
        about = object_in(_owner(path).read_bytes())
        return f"process {about['process']} on {about['host']} ({about['command']}, since {about['since']})"
    except (OSError, ValueError, KeyError):
        # It has the lock, and has not come to write its name; or it gave both back.
        return ""

"""Small recordings of several people, and a network for them, which any process can unpickle."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ..helpers import seeded

FS, WINDOW = 50, 2.0
HOW: dict[str, Any] = {"fs": FS, "window": WINDOW, "target": 1, "tol": 0.05, "progress": False}


def network(outputs: int = 3) -> nn.Module:
    """Takes (batch, 2, 100); silence is none of its classes."""

    def build() -> nn.Module:
        net = nn.Sequential(nn.Conv1d(2, 4, 9), nn.Tanh(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
        head = nn.Linear(4, outputs)
        head.weight.data *= 20
        return net.append(head)

    return seeded(build)


def write(folder: Path, people: int = 3, each: int = 1, windows: int = 4) -> list[Path]:
    """Recordings ``sub-01_run-1.npy``, … of noise, each with a file of labels, a or b, of its windows."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    paths = []
    for person in range(1, people + 1):
        for run in range(1, each + 1):
            path = folder / f"sub-{person:02}_run-{run}.npy"
            np.save(path, rng.normal(size=(2, int(windows * WINDOW * FS))))
            path.with_suffix(".txt").write_text("a\nb\n" * (windows // 2))
            paths.append(path)
    return paths


def files(folder: Path) -> dict[str, bytes]:
    """Content of all files in a folder, by their names."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@contextmanager
def own_thread(count: int) -> Iterator[Executor]:
    """In place of the processes of a run, which take seconds to start, a thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool

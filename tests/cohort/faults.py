"""What tests of faults share: a network that can be slow or deadly, runs, and comparisons."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import xarray as xr

import freqig
from freqig import cohort
from freqig.cli._reading import read_model

from .peoples import FS, WINDOW, write

NET = """
import os, signal, time
import torch
from torch import nn


class Net(nn.Module):
    \"\"\"Slow by so many s a call, and deadly to the process that shows it values above 90.\"\"\"

    def __init__(self, seconds):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Conv1d(2, 4, 9), nn.Tanh(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
        # What begins so is no setting that would make it another network.
        self.head, self._seconds = nn.Linear(4, 3), seconds

    def forward(self, x):
        time.sleep(self._seconds)
        if x.max() > 90:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.head(self.net(x))


model, slow = Net(0).eval(), Net(0.1).eval()
"""


def furnish(folder: Path, people: int) -> Path:
    """Write the network, and a recording of each of so many people; the folder."""
    (folder / "net.py").write_text(NET)
    write(folder / "in", people)
    return folder


def paths(folder: Path) -> list[Path]:
    """The recordings."""
    return sorted((folder / "in").glob("*.npy"))


def loader(folder: Path, name: str = "model") -> cohort.Loader:
    """The network, as workers load it. Slow or not, it is the same."""
    return cohort.Loader(read_model, f"{folder / 'net.py'}:{name}", True)


def arguments(
    folder: Path, out: Path, *more: object, name: str = "model", recordings: list[Path] | None = None
) -> list[str]:
    """`cohort` on all recordings of the folder, with what `HOW` says."""
    asked = f"--trust --fs {FS} --window {WINDOW} --target 1 --tol 0.05 --no-progress --model-id net".split()
    words = ["cohort", f"{folder / 'net.py'}:{name}", *(recordings or paths(folder)), *asked]
    return [*map(str, words), "--out", str(out), *map(str, more)]


def command(folder: Path, out: Path, *more: object, name: str = "model") -> list[str]:
    """The same, in a new interpreter."""
    return [sys.executable, "-m", "freqig", *arguments(folder, out, *more, name=name)]


def start(line: list[str], **environment: str) -> subprocess.Popen[str]:
    """Start a command in a group of processes of its own."""
    return subprocess.Popen(
        line,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(line: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    process = start(line, **environment)
    out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(line, process.returncode, out, err)


def wait_for(found: Callable[[], Any], seconds: float = 600.0) -> Any:
    """What is found, once it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if something := found():
            return something
        time.sleep(0.02)
    raise AssertionError("it never came")


def descendants(pid: int) -> list[psutil.Process]:
    """Processes of a process."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether processes have ended, also those that nobody has asked for their status."""
    return all(not p.is_running() or p.status() == psutil.STATUS_ZOMBIE for p in processes)


def assert_same(store: Path, reference: Path, *, at_rest: bool = True) -> None:
    """Every recording, variable, value and attribute, but when files were changed.

    At rest nobody is at work on the store any more, and so nothing lies beside it.
    """
    ours, theirs = freqig.open_cohort(store), freqig.open_cohort(reference)
    assert set(ours.children) == set(theirs.children)
    for name, node in ours.children.items():
        xr.testing.assert_identical(_told(node), _told(theirs[name]))
    assert sorted(path.name for path in store.iterdir()) == sorted(path.name for path in reference.iterdir())
    parts = store.with_name(f".{store.name}.work") / "parts"
    assert not at_rest or not [path for path in parts.rglob("*") if path.is_file()]


def _told(node: xr.DataTree) -> xr.Dataset:
    result = node.to_dataset().load()
    return result.drop_attrs(deep=False).assign_attrs(
        {name: value for name, value in result.attrs.items() if name != "freqig_recording"}
    )

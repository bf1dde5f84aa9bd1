"""Timing as ratios of interleaved runs, and peak memory in processes of their own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs of one contender.

    Parameters
    ----------
    seconds : numpy.ndarray
        One number a repetition.
    """

    seconds: np.ndarray

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    def ratio_to(self, other: Timing) -> str:
        """Median and range of the ratios of runs that stood beside one another."""
        return spread(self.seconds / other.seconds)


def spread(values: np.ndarray, form: str = "{:.2f}", scale: float = 1.0) -> str:
    """Median and range."""
    middle, low, high = (form.format(scale * v) for v in (np.median(values), values.min(), values.max()))
    return f"{middle} ({low}–{high})"


def interleaved(
    contenders: Mapping[str, Callable[[], object]],
    repetitions: int,
    warm_up: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time contenders in turn, so that a slow moment of the machine meets all of them.

    Parameters
    ----------
    contenders : mapping of str to callable
        What to run.
    repetitions : int
        Rounds.
    warm_up : bool
        Whether to run each once before.
    clock : callable
        `time.process_time` counts the time of this process alone, for rough numbers while other
        processes use the machine.
    """
    if warm_up:
        for run in contenders.values():
            run()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repetitions):
        for name, run in contenders.items():
            begin = clock()
            run()
            seconds[name].append(clock() - begin)
    return {name: Timing(np.array(values)) for name, values in seconds.items()}


def in_fresh_process(
    script: Path, *arguments: str, python: str = sys.executable, **environment: str
) -> dict[str, float]:
    """Run a script that prints one JSON object on its last line, and return that object.

    Further keywords are variables of its environment.
    """
    done = subprocess.run(
        [python, str(script), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{script.name} {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def peak_bytes() -> int:
    """Largest resident memory that this process has had, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("peak memory is read from /proc/self/status, which needs Linux")


def machine(device: str = "cpu") -> str:
    """The machine, in a line, with the card where it is one that counts."""
    import torch

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    card = "" if device == "cpu" else f"{torch.cuda.get_device_name(device)} in "
    return (
        f"{card}{model}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}, torch {torch.__version__} with {torch.get_num_threads()} threads"
    )

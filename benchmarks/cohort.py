"""Cohorts: what store and scheduling cost over a bare loop, memory of the driver, and a calculation on paper.

    python benchmarks/cohort.py [--recordings 10 100 1000] [--workers 1 2] [--epochs 100] [--dask]

Recordings are noise, 30 s epochs at 100 Hz, explained in the spectrum of the sleep CNN. The bare loop is one
Explainer in each of as many processes, over the same recordings, which keeps nothing. Every run is a process
of its own; runs that are compared stand beside one another. CPU time is that of a run and all of its workers,
which tells overhead where other programs use the machine as well; wall time is told beside it.

Moments of kills: FREQIG_KILLS=100 python -m pytest tests/cohort/test_faults.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
from measure import in_fresh_process, spread
from networks import SleepCNN

FS, SECONDS = 100, 30
NIGHTS, EPOCHS, CHANNELS = 5000, 1000, 6
LAPTOP, CLUSTER = 8, 64
"""Cores of the calculation on paper."""


def network(channels: int) -> torch.nn.Module:
    """The sleep CNN with fixed random weights, for so many channels."""
    torch.manual_seed(0)
    net = SleepCNN()
    net.features[0] = torch.nn.Conv1d(channels, 128, 50, 6, padding=25, bias=False)
    net.eval()(torch.zeros(2, channels, FS * SECONDS))
    return net


def write(folder: Path, count: int, epochs: int, channels: int) -> list[Path]:
    """Recordings of noise, each another."""
    folder.mkdir(parents=True)
    paths = [folder / f"sub-{i:04}_task-sleep.npy" for i in range(count)]
    for i, path in enumerate(paths):
        noise = np.random.default_rng(i).normal(size=(channels, epochs * SECONDS * FS))
        np.save(path, noise.astype(np.float32))
    return paths


def explain_all(paths: Sequence[Path], channels: int) -> int:
    """The bare loop of one process."""
    import freqig

    torch.set_num_threads(1)
    explainer = freqig.Explainer(network(channels), progress=False)
    for path in paths:
        explainer.explain_files([path], fs=FS, window=SECONDS)
    return len(paths)


def child(kind: str, folder: Path, workers: int, keep: str, channels: int) -> None:
    """One run, and what it took, as JSON."""
    import freqig

    paths = sorted((folder / "in").glob("*.npy"))
    how: dict[str, Any] = {"fs": FS, "window": SECONDS, "keep": keep, "progress": False}
    how["bands"] = "sleep" if keep == "bands" else None
    start = time.perf_counter()
    store = Path(tempfile.mkdtemp(dir=folder)) / "cohort.zarr"
    if kind == "bare":
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(explain_all, [paths[i::workers] for i in range(workers)], [channels] * workers))
    elif kind == "dask":
        from distributed import Client, LocalCluster

        shape = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(**shape) as cluster, Client(cluster) as client:
            freqig.cohort.run(paths, network(channels), store, client.get_executor(), **how)
    else:
        freqig.cohort.run(paths, network(channels), store, workers=workers, **how)
    wall = time.perf_counter() - start
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    told = {
        "wall": wall,
        "cpu": sum(one.ru_utime + one.ru_stime for one in (own, others)),
        "driver_mb": own.ru_maxrss / 1024,
        "bytes": sum(path.stat().st_size for path in store.rglob("*") if path.is_file()),
    }
    print(json.dumps(told))


def measured(
    kind: str, folder: Path, workers: int, keep: str = "spectra", channels: int = 1
) -> dict[str, float]:
    """What a run takes in a process of its own."""
    arguments = ("--child", kind, str(folder), str(workers), keep, str(channels))
    return in_fresh_process(Path(__file__), *arguments, OMP_NUM_THREADS="1", PYTHONWARNINGS="ignore")


def overhead(
    folder: Path, counts: Sequence[int], workers: Sequence[int], dask: bool, epochs: int, repetitions: int
) -> list[str]:
    """A row for each size and number of workers."""
    rows = [
        "| recordings | workers | CPU over bare | wall over bare | CPU s per recording, bare | driver, MB |",
        "|---|---|---|---|---|---|",
    ]
    for count in counts:
        place = folder / f"{count}"
        write(place / "in", count, epochs, 1)
        for number in workers:
            for kind in ("processes", "dask") if dask else ("processes",):
                pairs = [
                    (measured("bare", place, number), measured(kind, place, number))
                    for _ in range(repetitions)
                ]
                told = {
                    key: spread(np.array([ours[key] / bare[key] for bare, ours in pairs]), "{:.3f}")
                    for key in ("cpu", "wall")
                }
                each = np.median([bare["cpu"] for bare, _ in pairs]) / count
                memory = np.median([ours["driver_mb"] for _, ours in pairs])
                name = f"{number}" + (", Dask" if kind == "dask" else "")
                rows.append(
                    f"| {count} | {name} | {told['cpu']} | {told['wall']} | {each:.1f} | {memory:.0f} |"
                )
                print(rows[-1], flush=True)
    return rows


def paper(folder: Path, epochs: int) -> list[str]:
    """Hours and gigabytes of 5,000 nights, by what some epochs of six channels take."""
    few, many = (folder / name for name in ("few", "many"))
    write(few / "in", 1, epochs, CHANNELS)
    write(many / "in", 1, 3 * epochs, CHANNELS)
    rows = [
        "| keep | s of CPU per epoch | MB per epoch | hours, laptop of 8 cores | hours, 64 cores | GB |",
        "|---|---|---|---|---|---|",
    ]
    for keep in ("spectra", "bands", "means"):
        # What a start takes, of processes and of the first call, is no part of an epoch.
        less, more = (measured("processes", place, 1, keep, CHANNELS) for place in (few, many))
        each = (more["cpu"] - less["cpu"]) / (2 * epochs)
        size = (more["bytes"] - less["bytes"]) / (2 * epochs) / 1e6
        hours = NIGHTS * EPOCHS * each / 3600
        gb = NIGHTS * (EPOCHS * size if keep != "means" else more["bytes"] / 1e6) / 1e3
        rows.append(
            f"| {keep} | {each:.3f} | {size:.4f} | {hours / LAPTOP:.0f} | {hours / CLUSTER:.0f} | {gb:.0f} |"
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--paper-epochs", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        lines = overhead(
            Path(scratch) / "overhead",
            asked.recordings,
            asked.workers,
            asked.dask,
            asked.epochs,
            asked.repetitions,
        )
        lines += ["", *paper(Path(scratch) / "paper", asked.paper_epochs)]
    load = os.getloadavg()[0]
    head = (
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, {asked.epochs} epochs per recording"
    )
    text = "\n".join(
        [f"# Cohorts\n\n{head}, medians (and ranges) of {asked.repetitions} pairs.\n", *lines, ""]
    )
    print(text)
    if asked.report:
        asked.report.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5], int(sys.argv[6]))
    else:
        main()

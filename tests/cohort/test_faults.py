"""Whatever stops a run, in real processes: the next goes on, and the store is that of one undisturbed."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from freqig import cohort
from freqig.cohort.job import JobError
from freqig.cohort.store import Store

from .faults import (
    all_gone,
    arguments,
    assert_same,
    command,
    descendants,
    furnish,
    loader,
    paths,
    run,
    start,
    wait_for,
)
from .forks import Runs
from .peoples import HOW

pytest.importorskip("zarr")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")

KILLS = int(os.environ.get("FREQIG_KILLS", "20"))
"""Moments at which runs are killed; the benchmark takes 100."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("faults"), people=4)


@pytest.fixture(scope="module")
def undisturbed(bench: Path) -> Path:
    """The store of a run that nothing stops, with interpreters of their own for it and its worker."""
    done = run(command(bench, bench / "whole"))
    assert done.returncode == 0, done.stderr
    return bench / "whole" / "cohort.zarr"


def test_killed_at_any_moment(bench: Path, runs: Runs, tmp_path: Path) -> None:
    """SIGKILL of the run alone, and SIGINT of all of its processes, which is Ctrl-C, in turn.

    A store gets as many kills as land in it before it is whole; then comes another.
    """
    two = paths(bench)[:2]
    seconds = []
    for name in ("first", "left alone"):  # the first reads all files for the first time
        begin = time.monotonic()
        assert runs.start(arguments(bench, tmp_path / name, recordings=two), tmp_path).wait() == 0
        seconds.append(time.monotonic() - begin)
    reference = tmp_path / "left alone" / "cohort.zarr"
    rng, killed, whole = np.random.default_rng(0), 0, 0
    while killed < KILLS or whole == 0:
        out = tmp_path / f"out{whole}"
        process = runs.start(arguments(bench, out, recordings=two), tmp_path)
        if killed < KILLS and process.lives_for(rng.uniform(0, min(seconds))):
            workers = descendants(process.pid)
            if killed % 2:
                os.killpg(process.pid, signal.SIGINT)
            else:
                os.kill(process.pid, signal.SIGKILL)
            assert process.wait() in (-signal.SIGKILL, 130, -signal.SIGINT, 1, 0)
            # Workers end by themselves where the run could not tell them.
            wait_for(lambda workers=workers: all_gone(workers), 300)
            killed += 1
            continue
        assert process.wait() == 0, process.said()
        assert_same(out / "cohort.zarr", reference)
        whole += 1


def test_a_worker_that_is_killed_is_replaced(
    bench: Path, undisturbed: Path, runs: Runs, tmp_path: Path
) -> None:
    """The out-of-memory killer takes whom it likes: here each worker once, in the middle of a recording."""
    process = runs.start(arguments(bench, tmp_path, name="slow"), tmp_path)
    store = Store.at(tmp_path / "cohort.zarr")
    for name in ("sub-01_run-1", "sub-02_run-1"):
        wait_for(lambda name=name: store.left_behind("1-of-1") == [name])
        workers = [p for p in descendants(process.pid) if "resource_tracker" not in " ".join(p.cmdline())]
        workers[0].kill()
        wait_for(lambda victim=workers[0]: all_gone([victim]))
    assert process.wait() == 0, process.said()
    assert "explained:    4\n" in process.said()
    assert_same(store.path, undisturbed)


def test_a_recording_that_kills_its_worker_is_a_failure(bench: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "sub-00_run-1.npy", np.full((2, 400), 100.0))
    found = cohort.run(
        [tmp_path / "sub-00_run-1.npy", paths(bench)[0]],
        loader(bench),
        tmp_path / "c.zarr",
        model_id="net",
        **HOW,
    )
    assert found.done == ("sub-01_run-1",)
    assert set(found.failed) == {"sub-00_run-1"}
    assert "its worker died, and died again" in found.failed["sub-00_run-1"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB, where it may be mounted; else a folder in which files stay below 8 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        (disk / "limited").touch()
    yield disk
    if mounted:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_stops_the_run_and_spoils_nothing(
    bench: Path, undisturbed: Path, small_disk: Path
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    limited = (small_disk / "limited").exists()
    if limited:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))
    try:
        with ThreadPoolExecutor(1) as pool, pytest.raises(JobError, match="store must be writable") as caught:
            cohort.run(paths(bench), loader(bench), small_disk / "cohort.zarr", pool, model_id="net", **HOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "what is done stays" in str(caught.value)
    if not limited:
        assert 0 < len(Store.at(small_disk / "cohort.zarr").names()) < 4
        subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    with ThreadPoolExecutor(1) as pool:
        found = cohort.run(
            paths(bench), loader(bench), small_disk / "cohort.zarr", pool, model_id="net", **HOW
        )
    assert (found.failed, len(found.done) + len(found.skipped)) == ({}, 4)
    assert_same(small_disk / "cohort.zarr", undisturbed)


def test_two_runs_on_one_store(bench: Path, undisturbed: Path, runs: Runs, tmp_path: Path) -> None:
    first = runs.start(arguments(bench, tmp_path, name="slow"), tmp_path)
    store = Store.at(tmp_path / "cohort.zarr")
    wait_for(lambda: store.left_behind("1-of-1"))
    with pytest.raises(RuntimeError, match=rf"process {first.pid} on \S+ \(freqig cohort"):
        cohort.run(paths(bench), loader(bench), store.path, model_id="net", **HOW)
    assert first.wait() == 0, first.said()
    assert_same(store.path, undisturbed)


def test_other_places_and_times(bench: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Half a cohort under one locale and clock, killed; the rest under others, with files from the future."""
    first = start(
        command(bench, tmp_path, name="slow"), TZ="Pacific/Kiritimati", LC_ALL="C", PYTHONHASHSEED="1"
    )
    store = Store.at(tmp_path / "cohort.zarr")
    wait_for(lambda: store.path.is_dir() and len(store.names()) >= 1)
    first.kill()
    first.communicate()
    for path in store.path.rglob("*"):
        os.utime(path, (4e9, 4e9))
    elsewhere = {"TZ": "Pacific/Pago_Pago", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    second = run(command(bench, tmp_path), PYTHONHASHSEED="2", **elsewhere)
    assert second.returncode == 0, second.stderr
    assert "Taken over: the lock of process" in second.stderr
    assert_same(store.path, undisturbed)

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
from .peoples import HOW

pytest.importorskip("zarr")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")

KILLS = int(os.environ.get("FREQIG_KILLS", "20"))
"""Moments at which runs are killed; the benchmark takes 100."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("faults"), people=4)


@pytest.fixture(scope="module")
def undisturbed(bench: Path) -> tuple[Path, float]:
    """The store of a run that nothing stops, and how long that took in s."""
    begin = time.monotonic()
    done = run(command(bench, bench / "whole"))
    assert done.returncode == 0, done.stderr
    return bench / "whole" / "cohort.zarr", time.monotonic() - begin


def test_killed_at_any_moment(bench: Path, undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    """SIGKILL of the run alone, and SIGINT of all of its processes, which is Ctrl-C; two runs at a time."""
    reference, seconds = undisturbed
    moments = np.random.default_rng(0).uniform(0, seconds, KILLS)

    def disturbed(which: int) -> Path:
        out = tmp_path / f"out{which}"
        for i, moment in enumerate(moments[which::2]):
            process = start(command(bench, out))
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                workers = descendants(process.pid)
                if i % 2:
                    os.killpg(process.pid, signal.SIGINT)
                else:
                    process.kill()
                assert process.wait(300) in (-signal.SIGKILL, 130, -signal.SIGINT, 1, 0)
                # Workers end by themselves where the run could not tell them.
                wait_for(lambda workers=workers: all_gone(workers), 300)
            finally:
                process.communicate()
        done = run(command(bench, out))
        assert done.returncode == 0, done.stderr
        return out / "cohort.zarr"

    with ThreadPoolExecutor(2) as pool:
        for store in pool.map(disturbed, range(2)):
            assert_same(store, reference)


def test_a_worker_that_is_killed_is_replaced(
    bench: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    """The out-of-memory killer takes whom it likes: here each worker once, in the middle of a recording."""
    store = Store.at(tmp_path / "cohort.zarr")
    killed: list[int] = []

    def kill() -> None:
        for _ in range(2):
            wait_for(lambda: store.left_behind("1-of-1"))
            fresh = [p for p in descendants(os.getpid()) if "spawn_main" in " ".join(p.cmdline())]
            victim = next(p for p in fresh if p.pid not in killed)
            killed.append(victim.pid)
            victim.kill()
            wait_for(lambda victim=victim: all_gone([victim]))
            wait_for(lambda: len(list(store.path.iterdir())) > len(killed))

    with ThreadPoolExecutor(1) as pool:
        killer = pool.submit(kill)
        found = cohort.run(paths(bench), loader(bench, "slow"), store.path, model_id="net", **HOW)
        killer.result(300)
    assert (len(found.done), found.failed) == (4, {})
    assert_same(store.path, undisturbed[0])


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
    bench: Path, undisturbed: tuple[Path, float], small_disk: Path
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
    assert_same(small_disk / "cohort.zarr", undisturbed[0])


def test_two_runs_on_one_store(bench: Path, undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    first = start(command(bench, tmp_path, name="slow"))
    try:
        store = Store.at(tmp_path / "cohort.zarr")
        wait_for(lambda: store.left_behind("1-of-1"))
        with pytest.raises(RuntimeError, match=rf"process {first.pid} on \S+ \(freqig cohort"):
            cohort.run(paths(bench), loader(bench), store.path, model_id="net", **HOW)
    finally:
        _, err = first.communicate(timeout=600)
    assert first.returncode == 0, err
    assert_same(store.path, undisturbed[0])


def test_other_places_and_times(bench: Path, undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    """Half a cohort under one locale and clock, killed; the rest under others, with files from the future."""
    line = command(bench, tmp_path, name="slow")
    first = start(line, TZ="Pacific/Kiritimati", LC_ALL="C", PYTHONHASHSEED="1")
    store = Store.at(tmp_path / "cohort.zarr")
    wait_for(lambda: store.path.is_dir() and len(store.names()) >= 1)
    first.kill()
    first.communicate()
    for path in store.path.rglob("*"):
        os.utime(path, (4e9, 4e9))
    second = run(line, TZ="Pacific/Pago_Pago", LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8", PYTHONHASHSEED="2")
    assert second.returncode == 0, second.stderr
    assert "Taken over: the lock of process" in second.stderr
    assert_same(store.path, undisturbed[0])

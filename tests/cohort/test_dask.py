"""Dask as the executor: a scheduler and a worker of its own, and one that is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from freqig import cohort
from freqig.cohort.job import JobError
from freqig.cohort.store import Store

from .faults import assert_same, command, furnish, loader, paths, run, wait_for
from .peoples import HOW

distributed = pytest.importorskip("distributed")
pytest.importorskip("zarr")
pytestmark = [
    pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning"),
    # What Tornado's loop says of connections that end with their process.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("dask"), people=3)


@pytest.fixture(scope="module")
def reference(bench: Path) -> Path:
    with ThreadPoolExecutor(1) as pool:
        cohort.run(paths(bench), loader(bench), bench / "whole.zarr", pool, model_id="net", **HOW)
    return bench / "whole.zarr"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Address and process of a scheduler that has one worker; the last test ends it."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    beside = {"env": {**os.environ, "OMP_NUM_THREADS": "1"}, "stderr": subprocess.DEVNULL, "cwd": folder}
    shared = ["--scheduler-file", str(file), "--no-dashboard", "--interface", "lo"]
    program = [sys.executable, "-m"]
    scheduler = subprocess.Popen(
        [*program, "distributed.cli.dask_scheduler", *shared, "--port", "0"], **beside
    )
    wait_for(file.exists)
    worker = subprocess.Popen(
        [*program, "distributed.cli.dask_worker", *shared, "--no-nanny", "--nthreads", "1"], **beside
    )
    address: Any = wait_for(lambda: json.loads(file.read_text())["address"])
    yield address, scheduler
    for process in (worker, scheduler):
        process.kill()
        process.wait()


def test_workers_of_dask_do_what_processes_do(
    bench: Path, reference: Path, cluster: tuple[str, Any], tmp_path: Path
) -> None:
    done = run(command(bench, tmp_path / "out", "--dask", cluster[0]))
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "out" / "cohort.zarr", reference)


def test_a_scheduler_that_is_lost(
    bench: Path, reference: Path, cluster: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    address, scheduler = cluster
    store = Store.at(tmp_path / "c.zarr")

    def lose() -> None:
        wait_for(lambda: store.path.is_dir() and store.names())
        scheduler.kill()

    with distributed.Client(address, set_as_default=False) as client, ThreadPoolExecutor(1) as pool:
        loser = pool.submit(lose)
        with pytest.raises(JobError, match="executor must live as long as the run"):
            cohort.run(
                paths(bench), loader(bench, "slow"), store.path, client.get_executor(), model_id="net", **HOW
            )
        loser.result(300)
    assert 0 < len(store.names()) < 3
    with ThreadPoolExecutor(1) as pool:
        found = cohort.run(paths(bench), loader(bench), store.path, pool, model_id="net", **HOW)
    assert len(found.done) + len(found.skipped) == 3
    # Workers outlive their scheduler, and may still be at what nobody waits for.
    assert_same(store.path, reference, at_rest=False)

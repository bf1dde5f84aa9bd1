"""Cells, run one after another or in several processes, which load a network once for all methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import torch

from leaderboard import cell
from leaderboard.case import Case
from leaderboard.cases import CASES
from leaderboard.methods import Method, found
from leaderboard.task import Task, task_of
from leaderboard.training import Trained, shortened, trained

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Problem:
    """A problem with a seed, in words that go to another process.

    Parameters
    ----------
    case : str
        Which.
    seed : int
        Of its series and of its network.
    most : int
        Series that are drawn, of which all methods see the first.
    quick : bool
        Whether the network learns for a short while only.
    networks : pathlib.Path
        Where networks are kept.
    """

    case: str
    seed: int
    most: int
    quick: bool
    networks: Path

    @property
    def made(self) -> Case:
        """The problem itself."""
        case = CASES[self.case]
        return shortened(case) if self.quick else case


@dataclass(frozen=True)
class Job:
    """A cell that is to be run.

    Parameters
    ----------
    problem : Problem
        On what.
    method : str
        By which method.
    samples : int
        Series that it explains.
    known : mapping
        What the result is known by.
    """

    problem: Problem
    method: str
    samples: int
    known: Mapping[str, Any]

    @property
    def place(self) -> str:
        """What is told of it."""
        return f"{self.problem.case}, seed {self.problem.seed}, {self.method}"


@dataclass(frozen=True)
class Done:
    """A job and its result, or what it failed of."""

    job: Job
    result: dict[str, Any] | None = None
    failed: str = ""


@lru_cache(maxsize=1)
def loaded(problem: Problem) -> tuple[Trained, Task]:
    """Network and series of a problem: methods come one after another, so that the last is enough."""
    network = trained(problem.made, problem.seed, problem.networks)
    return network, task_of(problem.made, network, problem.seed, problem.most)


def learn(problem: Problem) -> None:
    """See to it that the network of a problem is kept."""
    trained(problem.made, problem.seed, problem.networks)


def run(job: Job, methods: Mapping[str, Method] | None = None) -> Done:
    """Run a cell; `methods` are those of the folder unless others are given."""
    try:
        network, task = loaded(job.problem)
        method = replace((methods or found())[job.method], samples=job.samples)
        result = cell.run(method, task, network)
    except Exception as error:  # noqa: BLE001 - one method's fault is not the end of the others
        return Done(job, failed=f"{type(error).__name__}: {error}")
    return Done(job, {**result, "series": result["samples"], **job.known})


def each(work: Callable[[T], R], given: Sequence[T], processes: int, threads: int) -> Iterator[R]:
    """Results of some work, in the order in which they are done.

    Parameters
    ----------
    work : callable
        Where there are several processes, one that has a name in a module.
    given : sequence
        What it is done with.
    processes : int
        How many; with one nothing leaves this one.
    threads : int
        Of torch, in each process.
    """
    if processes == 1:
        yield from map(work, given)
        return
    # Not forked, for what threads of torch hold would be held for ever.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), torch.set_num_threads, (threads,))
    try:
        for future in as_completed([pool.submit(work, one) for one in given]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)

"""Executors: the processes of a run of its own, which end with it, and those that a caller passes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import torch

from ..errors import reason_of
from .job import JobError, Order
from .recordings import Recording
from .store import Store
from .work import Outcome, explain_recording, failed

AGAIN = "what is done stays, run again"
VISIBLE = "CUDA_VISIBLE_DEVICES"
DIED = "its worker died, and died again, as processes do that need more memory than there is"
FRUITLESS = 3
"""How often workers may die without a recording of theirs being done or found out."""
KILLED = "KilledWorker"
"""How Dask calls it that several workers died of one recording."""


def outcomes(
    executor: Executor | None, workers: int, order: Order, recordings: Sequence[Recording], store: Store
) -> Iterator[Outcome]:
    """How each recording ended, as they end.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
        What runs them. None: processes of this run.
    workers : int
        How many of these.
    order : Order
        What is asked of all.
    recordings : sequence of Recording
        Which ones.
    store : Store
        Where results go.

    Raises
    ------
    JobError
        For what goes wrong with every recording.
    """
    waiting = {one.name: one for one in recordings}
    if executor is not None:
        try:
            yield from _submitted(executor, order, waiting, store)
        except (BrokenExecutor, CancelledError) as error:
            raise JobError(
                f"executor must live as long as the run, but ended, {reason_of(error)}: {AGAIN}"
            ) from error
        return
    fruitless = 0
    while waiting:
        before = len(waiting)
        try:
            with own_processes(min(workers, len(waiting))) as pool:
                yield from _submitted(pool, order, waiting, store)
        except BrokenProcessPool as error:
            # Whatever a worker was at when it died is tried once more, by itself.
            for name in store.left_behind(order.shard):
                if name in waiting:
                    yield _alone(order, waiting.pop(name), store)
            store.sweep(lambda shard: shard == order.shard)
            fruitless = fruitless + 1 if len(waiting) == before else 0
            if fruitless == FRUITLESS:
                raise JobError(f"workers must be able to start, and ended as they did: {AGAIN}") from error


def _submitted(
    executor: Executor, order: Order, waiting: dict[str, Recording], store: Store
) -> Iterator[Outcome]:
    """Outcomes of recordings, each of which is then no longer waiting."""
    futures = {executor.submit(explain_recording, order, one): name for name, one in waiting.items()}
    try:
        for future in as_completed(futures):
            recording = waiting[futures.pop(future)]
            try:
                outcome = future.result()
            except Exception as error:
                if type(error).__name__ != KILLED:
                    raise
                outcome = failed(store, order, recording, DIED)
            del waiting[recording.name]
            yield outcome
    finally:
        for future in futures:
            future.cancel()


def _alone(order: Order, recording: Recording, store: Store) -> Outcome:
    try:
        with own_processes(1) as pool:
            return pool.submit(explain_recording, order, recording).result()
    except BrokenProcessPool:
        return failed(store, order, recording, DIED)


@contextmanager
def own_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end when the block does, when an error or Ctrl-C ends it, and when this process dies.

    They are started anew rather than forked: PyTorch's threads do not outlive a fork.
    """
    context = get_context("spawn")
    read, write = context.Pipe(duplex=False)
    gpus = context.SimpleQueue()
    for gpu in visible_gpus():
        gpus.put(gpu)
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(read, gpus))
    with _deaf_to_interrupts():
        # Something to do starts a process, while no other is idle.
        for _ in range(count):
            pool.submit(os.getpid)
    try:
        yield pool
    except BaseException:
        write.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        write.close()
        read.close()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that begin in this block hear no Ctrl-C while they import; this one hears it behind it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def visible_gpus() -> list[str]:
    """GPUs that this process may use, by the names that CUDA has for them."""
    named = os.environ.get(VISIBLE)
    if named is None:
        return [str(i) for i in range(torch.cuda.device_count())]
    # What is empty hides all of them.
    return [one.strip() for one in named.split(",") if one.strip()]


def _begin(alive: Connection, gpus: Any) -> None:
    """A worker begins: Ctrl-C is the run's to answer, the run's end its own, and its GPU nobody else's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if not gpus.empty():
        # CUDA has not started in a process that has explained nothing.
        os.environ[VISIBLE] = gpus.get()

    def end_with_the_run() -> None:
        # The only other end is held by the run; when that is closed, there is nobody to work for.
        try:
            alive.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=end_with_the_run, daemon=True).start()

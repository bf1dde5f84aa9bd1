"""Runs of `freqig cohort` that start at once: each is forked from a process that has imported everything.

Each is a process of its own, and so is each of its workers; all dies as it does of the command in a new
interpreter. Only the imports, which take longer than the rest of a short run, are behind it.

Not for runs that write to a store themselves before they start another worker, as where a worker has died
twice: compression has threads of its own, which do not outlive a fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from multiprocessing import util
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

IMPORTED = (
    *("freqig.__main__", "freqig.cli.cohort", "freqig.cohort.exporting", "freqig.cohort.work", "freqig.demo"),
    *(
        "dask.array",
        "dask.distributed",
        "h5netcdf.legacyapi",
        "mne",
        "pandas",
        "torch._dynamo",
        "zarr",
        "xarray.backends.zarr",
    ),
)
"""What a run or its workers import, now or later; what is missing there costs time, and nothing else."""


class Runs:
    """Where runs come from; it lives as long as a block."""

    def __enter__(self) -> Runs:
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._server.communicate(timeout=60)

    def ask(self, **question: Any) -> Any:
        """What the server answers."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(question) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def start(self, words: list[str], folder: Path) -> Run:
        """Start `freqig` with such arguments in a folder, in a group of processes of its own."""
        log = folder / f".run-{time.monotonic_ns()}.log"
        return Run(self, self.ask(words=words, folder=str(folder), log=str(log)), log)


class Run:
    """A process, as far as tests need one of `subprocess.Popen`."""

    def __init__(self, runs: Runs, pid: int, log: Path) -> None:
        self.runs, self.pid, self.log = runs, pid, log
        self.returncode: int | None = None

    def lives_for(self, seconds: float) -> bool:
        """Whether it is still there after so many s; waits no longer than it is."""
        end = time.monotonic() + seconds
        while self.returncode is None and time.monotonic() < end:
            self.returncode = self.runs.ask(ended=self.pid)
            time.sleep(min(0.005, max(end - time.monotonic(), 0)))
        return self.returncode is None

    def wait(self) -> int:
        """How it ended."""
        assert not self.lives_for(300), self.said()
        assert self.returncode is not None
        return self.returncode

    def said(self) -> str:
        """All that it has printed."""
        return self.log.read_text(encoding="utf-8")


def serve() -> None:
    """Start a run, or tell how one has ended, for each line on stdin."""
    from tqdm import tqdm

    import freqig.__main__

    for name in IMPORTED:
        with suppress(ImportError):
            importlib.import_module(name)

    # The thread behind progress bars may hold their lock when a process forks, whose copy nobody lets go.
    tqdm.monitor_interval = 0
    gc.collect()
    gc.freeze()  # what is never looked at is never copied
    util.spawnv_passfds = fork_worker
    for line in sys.stdin:
        asked = json.loads(line)
        if "words" in asked:
            answer = os.fork()
            if answer == 0:
                begin(Path(asked["folder"]), Path(asked["log"]))
                sys.argv = [str(freqig.__main__.__file__), *asked["words"]]
                end_with(freqig.__main__.main)
            os.setpgid(answer, answer)
        else:
            pid, status = os.waitpid(asked["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        print(json.dumps(answer), flush=True)


def begin(folder: Path, log: Path) -> None:
    """A run has nothing of the server's streams."""
    os.chdir(folder)
    for path, flags, streams in ((os.devnull, os.O_RDONLY, (0,)), (log, os.O_WRONLY | os.O_CREAT, (1, 2))):
        opened = os.open(path, flags, 0o600)
        for stream in streams:
            os.dup2(opened, stream)
        os.close(opened)


in_new_interpreter = util.spawnv_passfds


def fork_worker(path: str, words: list[str], files: tuple[int, ...]) -> int:
    """What `multiprocessing` calls to start a worker in a new interpreter, which has these files alone."""
    if words[-1] != "--multiprocessing-fork":
        return int(in_new_interpreter(path, words, files))  # the tracker of resources
    # A new interpreter is started in one step; within a fork Ctrl-C meets handlers of Python, and is lost.
    interrupts = list[object]()
    before = signal.signal(signal.SIGINT, lambda *told: interrupts.append(told))
    pid = os.fork()
    if pid == 0:
        # Nor does it know connections of the run, which would one day close what has their numbers by then.
        gc.freeze()
        for low, high in pairwise(sorted({0, 1, 2, *files, os.sysconf("SC_OPEN_MAX")})):
            os.closerange(low + 1, high)
        sys.argv = ["-c", words[-1]]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        end_with(lambda: exec(words[-2], {}))
    signal.signal(signal.SIGINT, before)
    if interrupts:
        signal.raise_signal(signal.SIGINT)
    return pid


def end_with(program: Callable[[], None]) -> NoReturn:
    """End as a program does, without putting away, one by one, all that was imported for it."""
    code = 1
    try:
        program()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()

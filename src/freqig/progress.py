"""A bar that counts evaluations where samples are few, and appears where somebody waits."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from tqdm import tqdm

PATIENCE = 10.0
"""Seconds that a run takes before a bar is worth showing."""

EARLIEST = 1.0
"""Seconds before which nothing is foretold: the first calls of a model are slow."""

FEW = 8
"""Samples fewer than that say little while they are counted."""


@contextmanager
def counting(wanted: bool | None, total: int | None) -> Iterator[Callable[[int], object]]:
    """A bar that counts samples of several batches, whose own bars are off.

    Parameters
    ----------
    wanted : bool or None
        Whether to show it; None shows it on a terminal, after about 10 s.
    total : int or None
        Samples in all; None where nobody knows.

    Yields
    ------
    callable
        To be told how many more samples are done.
    """
    hidden = wanted is False or (wanted is None and not sys.stderr.isatty())
    delay = 0.0 if wanted else PATIENCE
    with tqdm(total=total, unit=" sample", file=sys.stderr, disable=hidden, delay=delay) as bar:
        yield bar.update


class Progress:
    """Progress of one run.

    Parameters
    ----------
    wanted : bool or None
        Whether to show a bar; None shows one on a terminal, on which a run takes more than about 10 s.
    n_samples : int
        Paths to follow: samples, times baselines.
    n_least : int
        Evaluations that each of them takes at least.
    exact : bool
        Whether it takes no more than that.

    Examples
    --------
    >>> with Progress(False, n_samples=2, n_least=7, exact=False) as progress:
    ...     progress.evaluated(14)
    ...     progress.done(2)
    >>> progress.n_evaluations, progress.n_done
    (14, 2)
    """

    def __init__(self, wanted: bool | None, n_samples: int, n_least: int, exact: bool) -> None:
        self.wanted, self.n_samples, self.n_least, self.exact = wanted, n_samples, n_least, exact
        self.n_evaluations = self.n_done = 0
        self.started = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def evaluated(self, count: int) -> None:
        """So many more gradients are there."""
        self.n_evaluations += count
        self._show()

    def done(self, count: int) -> None:
        """So many more samples are done."""
        self.n_done += count
        self._show()

    def _show(self) -> None:
        few = self.n_samples < FEW
        if self._bar is None:
            if self.wanted is False or not (self.wanted or self._somebody_waits()):
                return
            total = self.n_samples * self.n_least if self.exact else None
            unit = " evaluation" if few else " sample"
            self._bar = tqdm(total=total if few else self.n_samples, unit=unit, file=sys.stderr)
        if few:
            self._bar.set_description_str(f"{self.n_done}/{self.n_samples} samples", refresh=False)
        self._bar.update((self.n_evaluations if few else self.n_done) - self._bar.n)

    def _somebody_waits(self) -> bool:
        if self.wanted is not None or not sys.stderr.isatty():
            return False
        elapsed = time.monotonic() - self.started
        if elapsed < EARLIEST:
            return False
        known = (self.n_done, self.n_samples), (self.n_evaluations, self.n_samples * self.n_least)
        # What is known of the end: at the pace so far, all samples, or the least that they take.
        longest = max((elapsed * total / count for count, total in known if count), default=0.0)
        return elapsed > PATIENCE or longest > PATIENCE

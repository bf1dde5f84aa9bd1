"""What messages call the series of a batch: samples, or windows of long signals by their times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

TOLD = 10
"""Series that a message names, of more."""


class _Windows(NamedTuple):
    """Onsets of the windows of one signal in s, and how many signals have these one after another."""

    onsets: tuple[float, ...]
    signals: int

    def at(self, rows: Sequence[int]) -> str:
        """Onsets of some windows, with their signals where there are several."""
        places = [divmod(row, len(self.onsets)) for row in rows[:TOLD]]
        more = ", …" if len(rows) > TOLD else ""
        if self.signals == 1:
            return f"{', '.join(f'{self.onsets[window]:g}' for _, window in places)}{more} s"
        return ", ".join(f"{self.onsets[window]:g} s of signal {signal}" for signal, window in places) + more


_windows: ContextVar[_Windows | None] = ContextVar("_windows", default=None)


@contextmanager
def windows_at(onsets: Sequence[float], signals: int) -> Iterator[None]:
    """Call the series of a batch by the times of their windows meanwhile.

    Parameters
    ----------
    onsets : sequence of float
        Where the windows of one signal begin, in s.
    signals : int
        Number of signals, whose windows follow one another in the batch.

    Examples
    --------
    >>> with windows_at([0.0, 1.5], 1):
    ...     one_row(1)
    'the window at 1.5 s'
    """
    before = _windows.set(_Windows(tuple(onsets), signals))
    try:
        yield
    finally:
        _windows.reset(before)


def one_row(row: int) -> str:
    """One series by its place in a batch.

    Examples
    --------
    >>> one_row(3)
    'sample 3'
    """
    windows = _windows.get()
    return f"sample {row}" if windows is None else f"the window at {windows.at([row])}"


def many_rows(rows: Sequence[int], total: int) -> str:
    """How many series of all, and which.

    Examples
    --------
    >>> many_rows([0, 2], 3)
    '2 of 3 samples (0, 2)'
    >>> with windows_at([0.0, 1.5, 3.0], 1):
    ...     many_rows([0, 2], 3)
    '2 of 3 windows (at 0, 3 s)'
    >>> with windows_at([0.0, 1.5], 2):
    ...     many_rows([1, 2], 4)
    '2 of 4 windows (at 1.5 s of signal 0, 0 s of signal 1)'
    """
    windows = _windows.get()
    if windows is not None:
        return f"{len(rows)} of {total} windows (at {windows.at(rows)})"
    more = ", …" if len(rows) > TOLD else ""
    return f"{len(rows)} of {total} samples ({', '.join(map(str, rows[:TOLD]))}{more})"


def such_rows(rows: Sequence[int]) -> str:
    """The first of some series, and how many there are.

    Examples
    --------
    >>> such_rows([4, 7])
    'sample 4 (2 such samples)'
    """
    kind = "samples" if _windows.get() is None else "windows"
    return f"{one_row(rows[0])} ({len(rows)} such {kind})"

"""Who looks for gradients that are not those of F: along every path, and beside some of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..path.gradients import Lines
from ..path.inspection import Finding, Inspect
from ..path.nodes import SIZES, SLOPES, VALUES, Flags, Indices, Nodes
from ..path.tolerance import Tolerance
from ..path.walk import trapezoid
from .beside import convicted, suspected
from .slopes import Suspicion

MANY = 63
"""Nodes whose gradients mostly add up to the rise of F, and those of something else do not."""


class Foreign:
    """What one call has seen of its paths, which come in blocks: an `Inspector`.

    `found` is whether a gradient was not that of F: then every path is looked at from beside. Samples whose
    gradient is `right` there are noted by their number in the call.

    Parameters
    ----------
    found : bool
        Whether an earlier call has found one.
    """

    def __init__(self, found: bool = False) -> None:
        self.found, self.here, self.right = found, False, set[int]()
        self._met = 0

    def __call__(self, lines: Lines, tolerance: Tolerance) -> Inspect:
        return Watch(self, lines, tolerance)

    def convict(self) -> None:
        """A gradient is not that of F."""
        self.found = self.here = True

    @property
    def stands(self) -> bool:
        """Whether one was found now, or earlier and nothing since speaks for the model."""
        return self.here or (self.found and not self.right)

    def due(self, count: int) -> Flags:
        """Which of so many more paths are looked at from beside: the first, second, fourth, eighth … one."""
        number = self._met + np.arange(1, count + 1)
        self._met += count
        due: Flags = number & (number - 1) == 0
        return due


class Watch:
    """What was done with the S samples of a block.

    F was `examined` from near by along the path; the sample was `met`, and looked at from `beside`; its
    gradient was found `wrong`.
    """

    def __init__(self, call: Foreign, lines: Lines, tolerance: Tolerance) -> None:
        self.call, self.lines, self.tolerance = call, lines, tolerance
        self.examined, self.met, self.beside, self.wrong = np.zeros((4, len(lines.delta)), dtype=bool)

    def __call__(self, nodes: Nodes, left: Indices) -> Iterator[Finding]:
        yield from self._along(nodes, left)
        yield from self._beside(nodes)

    def _along(self, nodes: Nodes, left: Indices) -> Iterator[Finding]:
        """Samples whose F does not rise as its gradient says are looked at from near by, once."""
        suspicion = Suspicion.of(nodes, self.tolerance)
        for a in np.flatnonzero(suspicion.found & ~self.examined[nodes.sample]).tolist():
            i = int(nodes.sample[a])
            wrong, used, hidden = suspicion.examined(a, self.lines, self.tolerance, int(left[a]))
            self.examined[i], self.wrong[i] = used > 0, wrong is not None
            if wrong is not None:
                self.call.convict()
            yield Finding(i, used, wrong, hidden)

    def _beside(self, nodes: Nodes) -> Iterator[Finding]:
        """Some samples are looked at from beside the path as they come; where one is wrong there, all are."""
        fresh = np.flatnonzero(~self.wrong[nodes.sample] & ~self.met[nodes.sample])
        self.met[nodes.sample[fresh]] = True
        due = fresh[self.call.due(len(fresh))]
        suspects = fresh if self.call.found else due[suspected(self.lines, nodes, due, self.tolerance)]
        if nodes.n >= MANY:
            apart = self._unseen(nodes) & _do_not_add_up(nodes, self.tolerance.tol)
            suspects = np.union1d(suspects, np.flatnonzero(apart))
        while len(suspects):
            for a in suspects.tolist():
                i = int(nodes.sample[a])
                look = convicted(self.lines, nodes, a, self.tolerance)
                self.beside[i], self.wrong[i] = True, look.wrong is not None
                if look.wrong is not None:
                    self.call.convict()
                elif look.right:
                    self.call.right.add(self.lines.objective.offset + i)
                yield Finding(i, look.used, look.wrong)
            suspects = np.flatnonzero(self._unseen(nodes) & self.call.found)

    def _unseen(self, nodes: Nodes) -> Flags:
        """Which samples are not wrong as far as is known, and were not looked at from beside."""
        unseen: Flags = ~self.wrong[nodes.sample] & ~self.beside[nodes.sample]
        return unseen


def _do_not_add_up(nodes: Nodes, tol: float) -> Flags:
    """Whose slopes make another rise than that of F, by more than `tol` of all that gradients say, (A,)."""
    told = np.einsum("an,ant->at", trapezoid(nodes.place), nodes.trace[SLOPES, :, 1:-1])
    rise = nodes.trace[VALUES, :, -1] - nodes.trace[VALUES, :, 0]
    found: Flags = (np.abs(told - rise) > tol * nodes.trace[SIZES, :, 1:-1].mean(1)).any(1)
    return found

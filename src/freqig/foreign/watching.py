"""Who looks for gradients that are not those of F: along every path, and beside some of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..path.gradients import Lines
from ..path.inspection import Finding, Inspect
from ..path.nodes import Flags, Indices, Nodes
from ..path.tolerance import Tolerance
from .beside import convicted, suspected
from .slopes import Suspicion


class Foreign:
    """What one call has seen of its paths, which come in blocks: an `Inspector`.

    `found` is whether a gradient was not that of F: then every path is looked at from beside.
    """

    def __init__(self) -> None:
        self.found = False
        self._met = 0

    def __call__(self, lines: Lines, tolerance: Tolerance) -> Inspect:
        return Watch(self, lines, tolerance)

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
            self.call.found |= wrong is not None
            yield Finding(i, used, wrong, hidden)

    def _beside(self, nodes: Nodes) -> Iterator[Finding]:
        """Some samples are looked at from beside the path as they come; where one is wrong there, all are."""
        fresh = np.flatnonzero(~self.wrong[nodes.sample] & ~self.met[nodes.sample])
        self.met[nodes.sample[fresh]] = True
        due = fresh[self.call.due(len(fresh))]
        suspects = fresh if self.call.found else due[suspected(self.lines, nodes, due, self.tolerance)]
        while len(suspects):
            for a in suspects.tolist():
                i = int(nodes.sample[a])
                wrong, used = convicted(self.lines, nodes, a, self.tolerance)
                self.beside[i], self.wrong[i] = True, wrong is not None
                self.call.found |= wrong is not None
                yield Finding(i, used, wrong)
            left = ~self.wrong[nodes.sample] & ~self.beside[nodes.sample]
            suspects = np.flatnonzero(left & self.call.found)

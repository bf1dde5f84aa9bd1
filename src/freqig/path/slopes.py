"""Gradients that are not those of F: its rises between nodes, and close around them, against its slopes.

A model may return another gradient than its own: statistics detached, rounding with a straight-through
gradient, a hook that scales it. No number of nodes makes attributions add up then. Where the rises of F
between most nodes are not what the slopes at both sides can make, F is evaluated close around some of them:
a jump, a kink or a steep step is somewhere, and its slope right everywhere else, but a gradient of something
else is wrong at every place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..diagnosis import Diagnosis, foreign_gradient
from .gradients import Lines
from .nodes import SIZES, SLOPES, TINY, VALUES, Flags, Nodes, interval_gaps
from .path import Array
from .tolerance import NOISE, Tolerance

UNEXPLAINED = 0.05
"""Share of the rise, or of what the slopes make of it, by which an interval is not explained."""

MOST = 0.6
"""Share of the intervals, and of the places looked at, that makes it the gradient and not the path."""

PLACES = 5
"""Nodes around which F is evaluated, on both sides at every distance."""

FEWEST = 3
"""Places that count at least: of a flight of steep steps one may lie at a place, and F be flat elsewhere."""

DISTANCES = (1e-5, 1e-3, 0.02)
"""Of these from the node, in widths of the interval around it. The smallest at which rounding does not hide
the rise decides: what bends or jumps nearby spoils the larger ones."""

PARTS = 4
"""Of an interval at a time, in search of a step."""

STEP = 0.75
"""Share of a rise in one of these parts, at the narrowest, that makes it a step and not only steep."""

COARSE = 1e-4
"""Rounding of a dtype beyond which rises from near by say nothing: that of half precision."""


@dataclass(frozen=True, eq=False)
class Suspicion:
    """Which of A samples rise in most intervals by what the slopes at their ends cannot make, `found`, (A,).

    Rounding of F explains what it can, and that of slopes, whose terms cancel where the gradient does not see
    the path, shape (A, T).
    """

    nodes: Nodes
    found: Flags
    rounding: Array
    of_slopes: Array

    @classmethod
    def of(cls, nodes: Nodes, tolerance: Tolerance) -> Suspicion:
        """Compare the rises between nodes."""
        rounding = tolerance.rounding(nodes.trace[VALUES])
        of_slopes = NOISE * tolerance.eps * nodes.trace[SIZES, :, 1:-1].max(1)
        values, slopes = nodes.trace[VALUES, :, 1:-1], nodes.trace[SLOPES, :, 1:-1]
        gaps, reach = interval_gaps(nodes.place, values, slopes)
        widths = np.diff(nodes.place)[:, :, None]
        told = widths * np.maximum(np.abs(slopes[:, 1:]), np.abs(slopes[:, :-1]))
        # A kink between two nodes makes a gap of half of `reach` at most.
        limit = reach / 2 + UNEXPLAINED * np.maximum(np.abs(np.diff(values, axis=1)), told)
        limit += rounding[:, None] + widths * of_slopes[:, None]
        most = (np.abs(gaps) > limit).mean(1) >= MOST
        return cls(nodes, most.any(1) & (tolerance.eps <= COARSE), rounding, of_slopes)

    def holds(self, a: int, around: Array, values: Array) -> bool:
        """Whether F of one sample rises otherwise at `places_around` too, (distances, places, 2, T)."""
        if not np.isfinite(values).all():
            return False
        slopes = self.nodes.trace[SLOPES, a, 1:-1]
        rises, steps = values[:, :, 1] - values[:, :, 0], (around[:, :, 1] - around[:, :, 0])[:, :, None]
        told = slopes[_some(len(slopes))] * steps
        # What rounding hides tells nothing. A rise that is there at a larger distance is to be expected at a
        # smaller one too, in proportion: where it is not, F is flat around the node.
        larger = np.maximum(np.abs(rises), np.abs(told))
        expected = np.maximum(larger, larger[-1] * steps / steps[-1])
        hidden = self.rounding[a] + steps * self.of_slopes[a]
        seen = expected > 8 * hidden
        first = seen.argmax(0)[None]
        off, larger, hidden = (
            np.take_along_axis(v, first, 0)[0] for v in (np.abs(rises - told), larger, hidden)
        )
        wrong = seen.any(0) & (off > UNEXPLAINED * larger + 2 * hidden)
        against = wrong.sum(0) >= MOST * np.maximum(seen.any(0).sum(0), FEWEST)
        return bool(against.any())

    def silent(self, a: int) -> bool:
        """Whether one sample has no gradient at any node: F then moves by steps too fine to meet one."""
        return bool((self.nodes.trace[SIZES, a, 1:-1] == 0).all(0).any())

    def steep(self, a: int, lines: Lines, narrowest: float) -> tuple[bool, int]:
        """Whether F of one sample is steep between the nodes and does not jump, and how many places it took.

        A step in the interval that rises most is followed until it is as narrow as the model can tell:
        rounding jumps there, and a steep sigmoid goes on rising.
        """
        place, values = self.nodes.place[a], self.nodes.trace[VALUES, a, 1:-1]
        j, t = np.unravel_index(np.abs(np.diff(values, axis=0)).argmax(), (len(place) - 1, values.shape[1]))
        left, right, ends = place[j], place[j + 1], values[[j, j + 1], t]
        share, used = 1.0, 0
        while right - left > PARTS * narrowest:
            places = np.linspace(left, right, PARTS + 1)
            inside = lines.values(np.full(PARTS - 1, self.nodes.sample[a]), places[1:-1])[:, t]
            ends, used = np.concatenate([ends[:1], inside, ends[1:]]), used + PARTS - 1
            rises = np.abs(np.diff(ends))
            k, share = int(rises.argmax()), float(rises.max() / max(rises.sum(), TINY))
            left, right, ends = places[k], places[k + 1], ends[k : k + 2]
        return share < STEP, used

    def told(self, a: int) -> Diagnosis:
        """What was found of one sample, for the target whose F and slopes are farthest apart."""
        places, values = self.nodes.place[a], self.nodes.trace[VALUES, a, 1:-1]
        slopes = self.nodes.trace[SLOPES, a : a + 1, 1:-1]
        gaps = interval_gaps(places[None], values[None], slopes)[0][0]
        t = int(np.abs(gaps).sum(0).argmax())
        j = int(np.abs(gaps[:, t]).argmax())
        rise = float(values[j + 1, t] - values[j, t])
        return foreign_gradient(float(places[j]), float(places[j + 1]), rise, rise - float(gaps[j, t]))


def places_around(place: Array, eps: float) -> Array:
    """Pairs around some nodes of one sample, (n,), where F is evaluated, shape (distances, places, 2).

    Places nearer than the root of `eps` differ by too few digits.
    """
    some, widths = _some(len(place)), np.diff(np.concatenate([[0.0], place, [1.0]]))
    width = np.minimum(widths[some], widths[some + 1])
    steps = np.maximum(np.array(DISTANCES)[:, None] * width, np.sqrt(eps))
    around: Array = place[some][:, None] + steps[:, :, None] * np.array([-1.0, 1.0])
    return around


def _some(n: int) -> NDArray[np.int64]:
    """Which of n nodes are looked at."""
    return np.unique(np.linspace(0, n - 1, PLACES).round().astype(int))

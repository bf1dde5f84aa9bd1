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
import torch

from ..completeness import ROUNDING
from ..diagnosis import Array, Diagnosis, foreign_gradient
from ..path.ends import bisect
from ..path.gradients import Lines, points_on_path
from ..path.nodes import SIZES, VALUES, Flags, Indices, Nodes, interval_gaps
from ..path.tolerance import NOISE, Tolerance
from .stretches import Stretches

UNEXPLAINED = 0.03
"""Share of the rise, or of what the slopes make of it, by which an interval is not explained."""

MOST = 0.6
"""Share of the intervals, and of the places looked at, that makes it the gradient and not the path."""

PLACES = 5
"""Nodes around which F is evaluated, on both sides at every distance."""

FEWEST = 3
"""Places that count at least: of a flight of steep steps one may lie at a place, and F be flat elsewhere."""

DISTANCES = np.array([1e-5, 1e-3, 0.02])
"""Of these from the node, in widths of the interval around it: rounding hides what is at the smaller ones,
and what bends or jumps nearby spoils the larger ones."""

APART = np.array([1.0, 2.0, 4.0])
"""Shortest distances, in the shortest that numbers can tell."""

STEP = 0.75
"""Share of a rise in one part, at the narrowest, that makes it a step and not only steep."""

COARSE = 1e-4
"""Rounding of a dtype beyond which rises from near by say nothing: that of half precision."""


@dataclass(frozen=True, eq=False)
class Suspicion:
    """Which of A samples rise in most intervals by what the slopes at their ends cannot make, `found`, (A,).

    F rises beyond its slopes by `gaps`, (A, n - 1, T). Rounding explains what it can, (A, T): that of F, and
    that of slopes, whose terms cancel where the gradient does not see the path.
    """

    nodes: Nodes
    found: Flags
    gaps: Array
    rounding: Array
    of_slopes: Array

    @classmethod
    def of(cls, nodes: Nodes, tolerance: Tolerance) -> Suspicion:
        """Compare the rises between nodes."""
        values, slopes, sizes = nodes.trace[:, :, 1:-1]
        rounding = tolerance.rounding(nodes.trace[VALUES])
        of_slopes = NOISE * tolerance.eps * sizes.max(1)
        gaps, reach = interval_gaps(nodes.place, values, slopes)
        widths, steepest = np.diff(nodes.place)[:, :, None], np.abs(slopes)
        told = widths * np.maximum(steepest[:, 1:], steepest[:, :-1])
        # A kink between two nodes makes a gap of half of `reach` at most.
        limit = reach / 2 + UNEXPLAINED * np.maximum(np.abs(np.diff(values, axis=1)), told)
        limit += rounding[:, None] + widths * of_slopes[:, None]
        most = (np.abs(gaps) > limit).mean(1) >= MOST
        return cls(nodes, most.any(1) & (tolerance.eps <= COARSE), gaps, rounding, of_slopes)

    def examined(
        self, a: int, lines: Lines, tolerance: Tolerance, room: int
    ) -> tuple[Diagnosis | None, int, Array]:
        """What is wrong with the gradient of one sample, if anything, and at how many places F was taken.

        At none where there is no `room` for the first look. The third is by how much rounding changes F where
        it moves by no more than that, (T,): log p of a sure class is what is left of scores that cancel, and
        of no more digits than they have.
        """
        place, sample = self.nodes.place[a], self.nodes.sample[a]
        around = places_around(place, tolerance.eps)
        nothing = np.zeros(self.rounding.shape[1])
        if around.size > room:
            return None, 0, nothing
        near = lines.trace(np.full(around.size, sample), around.ravel()).reshape(3, *around.shape, -1)
        raw = ROUNDING * tolerance.eps * _largest_output(lines, int(sample), around.ravel()[:2])
        of_points = ROUNDING * tolerance.eps * self._products(a, lines)
        against = self._against(a, around, near, np.maximum(self.rounding[a], raw) + of_points)
        if against.any():
            return self._told(a, against), around.size, nothing
        inner = self.nodes.trace[VALUES, a, 1:-1]
        if (hidden := np.where(np.ptp(inner, axis=0) <= raw, raw, 0.0)).any():
            return None, around.size, hidden
        if self.nodes.trace[SIZES, a, 1:-1].any(0).all():
            return None, around.size, nothing
        # No gradient at any node: F moves by steps too fine to meet one. The one in the interval that rises
        # most is followed until it is as narrow as the model can tell: rounding jumps there, and a steep
        # sigmoid goes on rising.
        rises = np.abs(np.diff(inner, axis=0))
        j, t = np.unravel_index(rises.argmax(), rises.shape)
        own = int(sample), place[j : j + 2], inner[j : j + 2], int(t)
        found = bisect(lines, *own, tolerance.narrowest, least=0.0)
        used = around.size + len(found.visited)
        followed: Flags = np.arange(len(nothing)) == t
        return self._told(a, followed) if found.share >= STEP else None, used, nothing

    def _against(self, a: int, around: Array, near: Array, rounding: Array) -> Flags:
        """Which targets of one sample rise otherwise around most places: `near` is a trace, (3, P, 6, T)."""
        values, slopes, sizes = np.moveaxis(near, -1, 1)
        lengths = np.diff(around)
        hidden = rounding[:, None, None] + lengths * self.of_slopes[a][:, None, None]
        values = np.where(np.isfinite(sizes), values, np.nan)
        against, in_favour = Stretches.of(around, values, slopes).judge(UNEXPLAINED, hidden)
        told = against.sum(1) + in_favour.sum(1)
        wrong: Flags = against.sum(1) >= MOST * np.maximum(told, FEWEST / MOST)
        return wrong

    def _products(self, a: int, lines: Lines) -> Array:
        """Σ |g·x| at nodes looked at, the largest, (T,): rounding of points is a share of it."""
        some = _some(self.nodes.n)
        gradient = self.nodes.gradient[a, torch.as_tensor(some)]
        rows = torch.full((len(some),), int(self.nodes.sample[a]), device=gradient.device)
        places = torch.as_tensor(self.nodes.place[a, some], device=gradient.device).to(lines.delta.dtype)
        points = points_on_path(lines.baseline, lines.delta, rows, places).flatten(1).unsqueeze(1)
        products = (gradient * points).abs().sum(2).amax(0)
        return np.asarray(products.double().cpu().numpy())

    def _told(self, a: int, against: Flags) -> Diagnosis:
        """What was found of one sample, for the target `against` it whose F and slopes are farthest apart."""
        gaps, place = np.abs(self.gaps[a]) * against, self.nodes.place[a]
        t = int(gaps.sum(0).argmax())
        j = int(gaps[:, t].argmax())
        rise = float(np.diff(self.nodes.trace[VALUES, a, 1:-1, t])[j])
        told = rise - float(self.gaps[a, j, t])
        return foreign_gradient(float(place[j]), float(place[j + 1]), rise, told)


def _largest_output(lines: Lines, sample: int, place: Array) -> float:
    """Size of the largest output of the model, which need not be explained, at places of one path."""
    rows = torch.full((len(place),), sample, device=lines.delta.device)
    points = points_on_path(lines.baseline, lines.delta, rows, torch.tensor(place).to(lines.delta))
    return float(lines.objective.raw(points, rows).abs().max())


def places_around(place: Array, eps: float) -> Array:
    """Places beside some nodes of one sample, (n,), where F is evaluated, ascending, shape (places, 6).

    Places nearer than the root of `eps` differ by too few digits.
    """
    some, widths = _some(len(place)), np.diff(np.concatenate([[0.0], place, [1.0]]))
    width = np.minimum(widths[some], widths[some + 1])
    steps = np.maximum(DISTANCES * width[:, None], np.sqrt(eps) * APART)
    around: Array = place[some][:, None] + np.concatenate([-steps[:, ::-1], steps], 1)
    return around


def _some(n: int) -> Indices:
    """Which of n nodes are looked at."""
    return np.unique(np.linspace(0, n - 1, PLACES).round().astype(int))

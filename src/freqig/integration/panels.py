"""Panels: stretches of a path, each with a small nested rule, split where their own gap is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from ..quadrature import patterson
from .estimates import error_from_gap
from .node_trace import TINY, interval_gaps, tangents_meet
from .path import Array
from .streaming import Sums

SAFETY = 1.6
"""Of the error estimate of a panel, and of the gap of all together."""

MAX_RATE = 2.0
"""Of 3 → 7 nodes, in powers of two: a kinked panel shows 1, a smooth one 6. More is trusted here than
on the whole path, since the errors of panels add up as vectors and their luck averages."""

MEMORY = 0.1
"""As on the whole path: share of the difference before last below which the last is not believed."""

SMALLEST_SHARE = 1 / 32
"""A panel's share of the tolerance is the root of its width, but never less than that of this width:
errors of panels add in quadrature, and of the few dozen tiny panels around a step the impossible is
not asked."""

CONCENTRATED = 0.6
"""Share of a panel's roughness in one interval beyond which it is cut there and not in the middle."""


@dataclass(frozen=True)
class End:
    """End of a panel, or a node inside one.

    Parameters
    ----------
    place : float
        Where on the path.
    value : numpy.ndarray or None
        F there, shape (T,); None until it is evaluated.
    slope : numpy.ndarray or None
        Derivative of F along the path, shape (T,); None where no gradient was taken.
    """

    place: float
    value: Array | None = None
    slope: Array | None = None


@dataclass(frozen=True)
class Panel:
    """Stretch of the path between two ends."""

    left: End
    right: End

    @property
    def width(self) -> float:
        return self.right.place - self.left.place

    def rule(self) -> tuple[Array, Array]:
        """Its nodes on the path, shape (m,), and rows of weights, shape (5, m)."""
        nodes, weights = layout(self.left.slope is None, self.right.slope is None)
        return self.left.place + self.width * nodes, self.width * weights

    def split(self, cuts: tuple[End, ...]) -> list[Panel]:
        """The panels between the cuts."""
        ends = (self.left, *cuts, self.right)
        return [Panel(a, b) for a, b in pairwise(ends) if b.place > a.place]


@dataclass(frozen=True)
class Finding:
    """What the nodes of a panel say.

    Parameters
    ----------
    norm : numpy.ndarray
        L1 norm of the panel's attribution, shape (T,).
    factor : numpy.ndarray
        Estimated error over the norm of the last difference, shape (T,).
    hidden : numpy.ndarray
        Part of the panel's gap beyond its estimated error: the work of something that no node has
        seen, shape (T,).
    error, gap : float
        Estimated L1 error, and rise of F that the slopes do not account for: the largest over
        targets, relative to the panel's share of what is allowed.
    roughest : tuple of End
        The interval between neighbouring nodes with the largest gap of its own.
    jump : numpy.ndarray
        That gap, shape (T,).
    cuts : tuple of End
        Where to split.
    """

    norm: Array
    factor: Array
    hidden: Array
    error: float
    gap: float
    roughest: tuple[End, End]
    jump: Array
    cuts: tuple[End, ...]

    @property
    def excess(self) -> float:
        return max(self.error, self.gap)


END = 0.1
"""A kink between a panel's end and the node next to it is seen by no node of the rule, and two that
bend F to and fro not even by F. One more gradient in this part of that stretch sees them."""

# Rows of weights: the rule, its difference to the rule of 3 nodes inside it, and the difference of
# that to the rule of 1 node; then what the gradients at the ends say beyond the rule.
RULE, LAST, BEFORE, LEFT, RIGHT = range(5)


@cache
def layout(left: bool, right: bool) -> tuple[Array, Array]:
    """Nodes and weights of a panel of width 1, with or without a look at either end.

    Parameters
    ----------
    left, right : bool
        Whether to look at this end: where it is a node of an earlier rule, that one has looked.

    Returns
    -------
    nodes : numpy.ndarray
        Shape (m,), 7 to 9.
    weights : numpy.ndarray
        Shape (5, m).
    """
    fine = patterson(7)
    nodes = fine.nodes
    weights = np.zeros((5, 7))
    inner = np.zeros((2, 7))
    for row, n in enumerate((3, 1)):
        where = [int(np.abs(nodes - node).argmin()) for node in patterson(n).nodes]
        inner[row, where] = patterson(n).weights
    weights[RULE], weights[LAST], weights[BEFORE] = fine.weights, fine.weights - inner[0], inner[0] - inner[1]
    # Gradient at the end minus that which the two nodes next to it lead to expect, times the width
    # of the stretch that only the end has seen: the error if it kinks there.
    blind, spacing = nodes[0], nodes[1] - nodes[0]
    ahead = (1 - END) * blind / spacing
    check = blind * np.array([1.0, -1 - ahead, ahead])
    if left:
        nodes = np.concatenate([[END * blind], nodes])
        weights = np.pad(weights, ((0, 0), (1, 0)))
        weights[LEFT, :3] = check
    if right:
        nodes = np.concatenate([nodes, [1 - END * blind]])
        weights = np.pad(weights, ((0, 0), (0, 1)))
        weights[RIGHT, -3:] = check[::-1]
    return nodes, weights


def share(width: float) -> float:
    """Share of the tolerance that a panel may use; half of it is left for what panels have in common."""
    return 0.5 * float(np.sqrt(max(width, SMALLEST_SHARE)))


def examine(panel: Panel, result: Sums, allowed: Array, allowed_gap: Array) -> Finding:
    """Estimate the error of a panel and say where it should be split.

    Parameters
    ----------
    panel : Panel
        Its ends have values.
    result : Sums
        What came of its rule.
    allowed, allowed_gap : numpy.ndarray
        L1 error of the attributions, and completeness gap, which the whole path may have, shape (T,).

    Returns
    -------
    Finding
        The estimate and the cuts.
    """
    norms, part = result.norms, share(panel.width)
    nodes, weights = panel.rule()
    known = [panel.left, *map(End, nodes.tolist(), result.values, result.slopes), panel.right]
    places = np.array([end.place for end in known])
    values = np.array([end.value for end in known])
    slopes = np.array([np.full_like(allowed, np.nan) if e.slope is None else e.slope for e in known])

    rate = np.clip(np.log2(norms[BEFORE] + TINY) - np.log2(norms[LAST] + TINY), 0.0, MAX_RATE)
    totals = weights @ result.slopes
    whole = values[-1] - values[0] - totals[RULE]
    estimate = np.maximum(
        SAFETY * 0.5**rate * np.maximum(norms[LAST], MEMORY * norms[BEFORE]),
        error_from_gap(whole, norms[LAST : BEFORE + 1], totals[LAST : BEFORE + 1]),
    )
    factor = estimate / np.maximum(norms[LAST], 1e-9 * norms[BEFORE] + TINY)
    estimate += norms[LEFT] + norms[RIGHT]
    gaps, _ = interval_gaps(places, values, slopes)
    sizes = (np.abs(gaps) / (allowed_gap + TINY)).max(1)
    worst = int(sizes.argmax())
    ends, middle = (known[worst], known[worst + 1]), (panel.left.place + panel.right.place) / 2
    cuts: tuple[End, ...] = (known[int(np.abs(places - middle).argmin())],)
    if sizes[worst] >= CONCENTRATED * sizes.sum() > 0:
        pair = slice(worst, worst + 2)
        kink = tangents_meet(places[pair], values[pair], slopes[pair])
        inside = tuple(end for end in ends if panel.left.place < end.place < panel.right.place)
        cuts = (End(kink),) if kink is not None else inside
    return Finding(
        norm=norms[RULE],
        factor=factor,
        hidden=np.maximum(np.abs(whole) - estimate, 0.0),
        error=float((estimate / (allowed * part + TINY)).max()),
        gap=float((np.abs(whole) / (allowed_gap * part + TINY)).max()),
        roughest=ends,
        jump=gaps[worst],
        cuts=cuts,
    )

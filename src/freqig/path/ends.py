"""The ends of what gradients can tell: F alone is bisected until it is a jump, a pole, or resolved after all.

An interval of which F rises by more than a kink can make, and which is too narrow to be divided on and on,
hides a jump or a very steep step. Where F is discontinuous no number of gradients helps, and a forward pass
halves the interval as well as a gradient does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..diagnosis import Array
from .gradients import Lines
from .nodes import SIZES, SLOPES
from .walk import trapezoid

NARROW = 1e-4
"""Width of an interval below which F is bisected, once, before it is divided on."""

PARTS = 4
"""Of an interval at a time: three forward passes in one call halve it twice."""

CONCENTRATED = 0.5
"""Share of the rise in one part below which it is resolved: that of a straight line is one over the parts."""


@dataclass(frozen=True)
class Bisected:
    """Where F of one sample rises: the interval that is left, its `edges`, and the `rise` within it, (T,).

    `share` is what one part had of the last rise, below `CONCENTRATED` where F rises all over that interval
    and so does not jump; `visited` are the places that were looked at.
    """

    edges: Array
    rise: Array
    share: float
    visited: Array


def bisect(
    lines: Lines,
    sample: int,
    edges: Array,
    values: Array,
    target: int,
    narrowest: float,
    least: float = CONCENTRATED,
) -> Bisected:
    """Follow the rise of F in an interval of one sample, while places can be told apart.

    F at both edges is (2, T), and the `target` is followed until no part has the `least` share of its rise.
    """
    share, visited = 1.0, [np.empty(0)]
    while share >= least and edges[1] - edges[0] > PARTS * narrowest:
        inside = edges[0] + (edges[1] - edges[0]) * np.arange(1, PARTS) / PARTS
        visited.append(inside)
        found = lines.values(np.full(len(inside), sample), inside)
        places, found = np.insert(edges, 1, inside), np.insert(values, 1, found, axis=0)
        rises = np.nan_to_num(np.abs(np.diff(found[:, target])), nan=np.inf)
        j = int(rises.argmax())
        with np.errstate(invalid="ignore"):
            # No rise at all, or what is not a number, has its place in one part.
            share = float(np.nan_to_num(rises[j] / rises.sum(), nan=1.0))
        edges, values = places[j : j + 2], found[j : j + 2]
    return Bisected(edges, values[1] - values[0], share, np.concatenate(visited))


def pole(place: Array, trace: Array) -> bool:
    """Whether gradients grow like 1/α where the path leaves the baseline, from a trace of (3, n + 2, T).

    Of a size c/α the stretch to the first node α₁ holds c for every e-fold, and what all nodes make of the
    path, c ln(1/α₁). Of what can be integrated, such as α^-½, that share vanishes: half of it tells them
    apart.
    """
    sizes, first = trace[SIZES, 1:-1], place[0]
    share = 0.5 / max(np.log(1 / first), 1.0)
    return bool((sizes[0] * first > share * (trapezoid(place[None])[0] @ sizes)).any())


def blind_to_scale(trace: Array) -> bool:
    """Whether F is constant along the path at the nodes, though its gradient is not zero."""
    slopes, sizes = np.median(np.abs(trace[[SLOPES, SIZES], 1:-1]), axis=1)
    return bool((slopes <= 1e-3 * sizes).any())

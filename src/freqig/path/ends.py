"""The ends of what gradients can tell: F alone is bisected until it is a jump, a pole, or resolved after all.

An interval of which F rises by more than a kink can make, and which is too narrow to be divided on and on,
hides a jump or a very steep step. Where F is discontinuous no number of gradients helps, and a forward pass
halves the interval as well as a gradient does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .gradients import Lines
from .nodes import SIZES, SLOPES, Flags
from .path import Array
from .walk import trapezoid

NARROW = 1e-4
"""Width of an interval below which F is bisected, once, before it is divided on."""

PARTS = 4
"""Of an interval at a time: three forward passes in one call halve it twice."""

CONCENTRATED = 0.5
"""Share of the rise in one part below which it is resolved: that of a straight line is one over the parts."""


@dataclass(frozen=True)
class Bisected:
    """Where F of A samples rises: the interval that is left, (A, 2), and the rise within it, (A, T).

    `resolved` where it is spread over that interval, and so no jump; `visited` are the places of each sample.
    """

    edges: Array
    rise: Array
    resolved: Flags
    visited: list[Array]


def bisect(
    lines: Lines, sample: NDArray[np.int64], edges: Array, values: Array, gaps: Array, narrowest: float
) -> Bisected:
    """Follow the rise of F in one interval of each of A samples, all at once, while places can be told apart.

    Intervals are (A, 2), F at their ends (A, 2, T); the target with the largest of `gaps`, (A, T), is
    followed.
    """
    edges, values, rows = edges.copy(), values.copy(), np.arange(len(edges))
    target = gaps.argmax(1)
    resolved, visited = np.zeros(len(edges), dtype=bool), [np.empty(0) for _ in rows]
    while len(going := rows[~resolved & (edges[:, 1] - edges[:, 0] > PARTS * narrowest)]):
        places = edges[going, :1] + np.diff(edges[going]) * np.arange(1, PARTS) / PARTS
        found = lines.values(np.repeat(sample[going], PARTS - 1), places.ravel())
        found = found.reshape(len(going), PARTS - 1, -1)
        places = np.concatenate([edges[going, :1], places, edges[going, 1:]], 1)
        found = np.concatenate([values[going, :1], found, values[going, 1:]], 1)
        rises = np.abs(np.diff(found, axis=1))[np.arange(len(going)), :, target[going]]
        rises = np.nan_to_num(rises, nan=np.inf)
        j, here = rises.argmax(1), np.arange(len(going))
        for a, inside in zip(going, places[:, 1:-1], strict=True):
            visited[a] = np.concatenate([visited[a], inside])
        resolved[going] = rises[here, j] < CONCENTRATED * rises.sum(1)
        edges[going] = np.stack([places[here, j], places[here, j + 1]], 1)
        values[going] = np.stack([found[here, j], found[here, j + 1]], 1)
    return Bisected(edges, values[:, 1] - values[:, 0], resolved, visited)


def pole(place: Array, trace: Array) -> Flags:
    """Whether gradients grow like 1/α where the path leaves the baseline, shape (A,).

    Of a size c/α the stretch to the first node α₁ holds c for every e-fold, and what all nodes make of the
    path, c ln(1/α₁). Of what can be integrated, such as α^-½, that share vanishes: half of it tells them
    apart.
    """
    sizes, first = trace[SIZES, :, 1:-1], place[:, :1]
    whole = np.einsum("an,ant->at", trapezoid(place), sizes)
    share = 0.5 / np.maximum(np.log(1 / first), 1.0)
    found: Flags = (sizes[:, 0] * first > share * whole).any(1)
    return found


def blind_to_scale(trace: Array) -> Flags:
    """Whether F is constant along the path at the nodes, though its gradient is not zero, shape (A,)."""
    sizes, slopes = trace[SIZES, :, 1:-1], np.abs(trace[SLOPES, :, 1:-1])
    blind: Flags = np.any(np.median(slopes, 1) <= 1e-3 * np.median(sizes, 1), axis=1)
    return blind

"""The ends of what gradients can tell: F alone is bisected until it is a jump, a pole, or resolved after all.

An interval of which F rises by more than a kink can make, and which is too narrow to be divided on and on,
hides a jump or a very steep step. Where F is discontinuous no number of gradients helps, and a forward pass
halves the interval as well as a gradient does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .gradients import Lines
from .nodes import SIZES, SLOPES, Flags, Indices
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

    `share`, (A,), is what one part had of the last rise, below `CONCENTRATED` where F rises all over that
    interval and so does not jump; `visited` are the places of each sample.
    """

    edges: Array
    rise: Array
    share: Array
    visited: list[Array]


def bisect(
    lines: Lines,
    sample: Indices,
    edges: Array,
    values: Array,
    target: Indices,
    narrowest: float,
    least: float = CONCENTRATED,
) -> Bisected:
    """Follow the rise of F in one interval of each of A samples, all at once, while places can be told apart.

    Intervals are (A, 2), F at their ends (A, 2, T), and the `target` that is followed (A,). A sample is done
    where no part of its interval has the `least` share of the rise.
    """
    edges, values, share = edges.copy(), values.copy(), np.ones(len(edges))
    visited = [np.empty(0) for _ in edges]
    while len(going := np.flatnonzero((share >= least) & (edges[:, 1] - edges[:, 0] > PARTS * narrowest))):
        here = np.arange(len(going))
        inside = edges[going, :1] + np.diff(edges[going]) * np.arange(1, PARTS) / PARTS
        found = lines.values(np.repeat(sample[going], PARTS - 1), inside.ravel())
        found = found.reshape(len(going), PARTS - 1, -1)
        places = np.concatenate([edges[going, :1], inside, edges[going, 1:]], 1)
        found = np.concatenate([values[going, :1], found, values[going, 1:]], 1)
        rises = np.abs(np.diff(found, axis=1))[here, :, target[going]]
        rises = np.nan_to_num(rises, nan=np.inf)
        j = rises.argmax(1)
        with np.errstate(invalid="ignore"):
            # No rise at all, or what is not a number, has its place in one part.
            share[going] = np.nan_to_num(rises.max(1) / rises.sum(1), nan=1.0)
        for a, own in zip(going, inside, strict=True):
            visited[a] = np.concatenate([visited[a], own])
        edges[going] = np.stack([places[here, j], places[here, j + 1]], 1)
        values[going] = np.stack([found[here, j], found[here, j + 1]], 1)
    return Bisected(edges, values[:, 1] - values[:, 0], share, visited)


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

"""Where more nodes go: into the intervals that make the error."""

from __future__ import annotations

import numpy as np

from ..diagnosis import Array

LOOK = 0.1
"""Where in the stretches to both ends of the path the gradient is looked at. Of these only one side
is known: a kink there is seen by F alone, and two that bend F to and fro not even by F."""

JITTER, GOLDEN = 0.15, 1e4 * (5**0.5 - 1)
"""How far new nodes are moved, in widths of their parts, by a fraction that nearby places do not share. Of
two parts (½ + j)³ + (½ - j)³ = ¼ + 3 j² is the variance: less than 5 % more of it on average."""


def next_count(n: int, excess: float) -> int:
    """Number of nodes to have next, of a ladder, so that many samples have the same.

    The error of a walk falls like 1/n, and faster where nodes go to its kinks. As the next look is cheap
    beside nodes too many, fewer are added than the error, relative to what is allowed, asks for.
    """
    wanted, most, count = excess**0.75 * n, n * (2.0 if excess > 6 else 1.6), 8
    while count < n + 2:
        count += max(2, count // 5)
    while count < wanted and (larger := count + max(2, count // 5)) <= most:
        count = larger
    return count


def divide(edges: Array, strength: Array, m: int) -> Array:
    """Where to put `m` more nodes, (A, m), for the least error of all intervals together.

    k equal parts of an interval have 1/k of its error, as the variance of a walk says. `edges`, (A, n + 2),
    are nodes between both ends of the path, and `strength`, (A, n + 1), the error of each interval.
    """
    width = np.diff(edges)
    squares = np.square(np.where(strength.max(1, keepdims=True) > 0, strength, width))
    squares /= squares.max(1, keepdims=True)
    parts, rows = np.ones_like(squares), np.arange(len(edges))
    gain = squares * 0.75
    for _ in range(m):
        j = gain.argmax(1)
        parts[rows, j] += 1
        k = parts[rows, j]
        gain[rows, j] = squares[rows, j] * (k**-2 - (k + 1) ** -2)
    extra = (parts - 1).astype(int).ravel()
    which = np.repeat(np.arange(extra.size), extra)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(extra) - extra, extra) + 1
    left, width = edges[:, :-1].ravel()[which], width.ravel()[which]
    # Not quite equal parts: what repeats itself at the spacing of the nodes would look the same at all of
    # them.
    new: Array = left + width * (nth + _shift(left + width * nth)) / parts.ravel()[which]
    return new.reshape(len(edges), m)


def with_ends(edges: Array, strength: Array, m: int) -> Array:
    """The same, two of them near both ends of the path."""
    ends = np.stack([LOOK * edges[:, 1], 1 - LOOK * (1 - edges[:, -2])], 1)
    inner = strength.copy()
    inner[:, [0, -1]] = 0
    return np.concatenate([ends, divide(edges, inner, m - 2)], 1)


def everywhere(edges: Array) -> Array:
    """A place in each interval, both ends included, about 0.4 or 0.6 of the way, shape (A, n + 1)."""
    shares = 0.5 + np.resize([-0.1, 0.1], edges.shape[1] - 1) + _shift(edges[:, 1:]) / 2
    places: Array = edges[:, :-1] + shares * np.diff(edges)
    return places


def _shift(place: Array) -> Array:
    """Between -JITTER and JITTER."""
    shift: Array = JITTER * (2 * (place * GOLDEN % 1) - 1)
    return shift

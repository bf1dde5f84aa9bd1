"""Where more nodes go: into the intervals that make the error."""

from __future__ import annotations

import numpy as np

from .path import Array


def next_count(n: int, excess: float) -> int:
    """Number of nodes to have next, of a ladder, so that many samples have the same.

    Parameters
    ----------
    n : int
        Nodes as yet.
    excess : float
        Times as many are wanted.

    Examples
    --------
    >>> [next_count(7, excess) for excess in (1.01, 1.5, 2, 10)]
    [9, 11, 11, 13]
    """
    most = n * (2.0 if excess > 4 else 1.6)
    count = 7
    while count < n + 2:
        count += max(2, count // 5)
    while count < excess * n and (larger := count + max(2, count // 5)) <= most:
        count = larger
    return count


def divide(nodes: Array, strength: Array, m: int) -> Array:
    """Where to put `m` more nodes, for the least error of all intervals together.

    k equal parts of an interval have 1/k of its error, as the variance of a walk says.

    Parameters
    ----------
    nodes : numpy.ndarray
        Shape (A, n).
    strength : numpy.ndarray
        Error of each interval, ends included, shape (A, n + 1).
    m : int
        How many.

    Returns
    -------
    numpy.ndarray
        Ascending, shape (A, m).
    """
    places = with_ends(nodes)
    width = np.diff(places)
    squares = np.square(np.where(strength.max(1, keepdims=True) > 0, strength, width))
    squares /= squares.max(1, keepdims=True)
    parts, rows = np.ones_like(squares), np.arange(len(nodes))
    gain = squares * 0.75
    for _ in range(m):
        j = gain.argmax(1)
        parts[rows, j] += 1
        k = parts[rows, j]
        gain[rows, j] = squares[rows, j] * (k**-2 - (k + 1) ** -2)
    extra = (parts - 1).astype(int).ravel()
    which = np.repeat(np.arange(extra.size), extra)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(extra) - extra, extra) + 1
    new: Array = places[:, :-1].ravel()[which] + width.ravel()[which] * nth / parts.ravel()[which]
    return new.reshape(len(nodes), m)


def between(nodes: Array, probed: Array) -> Array:
    """A place in each interval, the stretches to both ends included, that does not touch one of the nodes.

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (A, n).
    probed : numpy.ndarray
        The node whose neighbourhood is known, shape (A,).

    Returns
    -------
    numpy.ndarray
        Ascending, shape (A, n - 1): 0.4 and 0.6 of the way in turns.

    Examples
    --------
    >>> between(np.array([[0.2, 0.5, 0.7]]), np.array([0.5])).round(2).tolist()
    [[0.08, 0.88]]
    """
    places = with_ends(nodes)
    shares = np.resize([0.4, 0.6], nodes.shape[1] + 1)
    new = places[:, :-1] + shares * np.diff(places)
    at = np.abs(nodes - probed[:, None]).argmin(1)[:, None]
    other = (np.arange(new.shape[1]) != at) & (np.arange(new.shape[1]) != at + 1)
    found: Array = new[other].reshape(len(nodes), -1)
    return found


def with_ends(nodes: Array) -> Array:
    """Nodes, shape (A, n), between both ends of the path, shape (A, n + 2)."""
    places: Array = np.pad(nodes, ((0, 0), (1, 1)), constant_values=(0, 1))
    return places

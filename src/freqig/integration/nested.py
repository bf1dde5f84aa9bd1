"""Nested rules over the whole path: Fejér's second, in sizes that contain one another.

A rule of size N is Fejér's second of N - 1 nodes. The weight of a node in every later size is known
before the node is evaluated, so one running sum a size replaces the gradients of all nodes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..quadrature import fejer2
from .path import Array

LARGEST = 2**14
"""Size of the largest rule, whatever the budget: a path that this many nodes do not resolve is no
matter of more of them, and neither rows nor weights grow with a limit that no path comes near."""

RESERVE = 1.5
"""By this much more than needed the last step that the budget allows must promise, or it is the largest."""


def first_size(n_initial: int, max_evaluations: int) -> int:
    """Smallest of 2, 3, 4, 6, 8, 12, … with at least `n_initial` nodes, or the largest affordable.

    Examples
    --------
    >>> [first_size(n, 2000) for n in (1, 3, 4, 7, 10, 15)]
    [2, 4, 6, 8, 12, 16]
    """
    size = 2
    while size <= n_initial:
        # 2, 3, 4, 6, 8, 12: a power of two is followed by its one and a half.
        larger = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
        if larger > max_evaluations + 1:
            break
        size = larger
    return size


@cache
def family(first: int, max_evaluations: int) -> tuple[int, ...]:
    """Sizes that nest: those inside the first, and what doubling and one tripling make of it.

    Tripling fills the gaps of doubling: a path of first order stops within 1.5 times of what it
    needs and not within 2.

    Examples
    --------
    >>> family(8, 100)
    (2, 4, 8, 16, 24, 32, 48, 64, 96)
    """
    sizes = {first // k for k in (2, 4) if first % k == 0 and first // k > 1}
    most = min(max_evaluations + 1, max(LARGEST, first))
    for start in (first, 3 * first) if first % 3 else (first,):
        sizes |= {start * 2**k for k in range(most.bit_length()) if start * 2**k <= most}
    return tuple(sorted(sizes | {first}))


def affordable(sizes: tuple[int, ...], first: int, n_sums: int) -> tuple[int, ...]:
    """Sizes of the family whose running sums fit: the first, the one inside it, and what doubles it.

    Paths that these do not resolve are cut into panels, whose sums are few.

    Examples
    --------
    >>> affordable(family(8, 2000), 8, 4), len(affordable(family(8, 2000), 8, 17))
    ((4, 8, 16, 32), 17)
    """
    if len(sizes) <= n_sums:
        return sizes
    doubled = [first * 2**k for k in range(n_sums)]
    return tuple(size for size in (first // 2, *doubled) if size in sizes)[:n_sums]


def next_sizes(sizes: tuple[int, ...], current: int, left: int, excess: Array) -> NDArray[np.int64]:
    """Size to try next for samples whose error is `excess` times what is allowed; 0 where none is left.

    Parameters
    ----------
    sizes : tuple of int
        The family.
    current : int
        Size that they have had.
    left : int
        Evaluations that each may still have.
    excess : numpy.ndarray
        Shape (A,).

    Examples
    --------
    >>> next_sizes(family(8, 2000), 16, 1985, np.array([1.5, 2.5, 9.0])).tolist()
    [32, 48, 32]
    """
    options = [k * current for k in (2, 3) if k * current in sizes and (k - 1) * current <= left]
    if not options:
        return np.zeros(len(excess), dtype=np.int64)
    last_step = left < 3 * current
    needed = excess * current * (RESERVE if last_step else 1.0)
    found = np.full(len(excess), options[-1 if last_step else 0])
    for option in reversed(options):
        found[needed <= option] = option
    return found


@cache
def increment(sizes: tuple[int, ...], current: int, new: int) -> tuple[Array, Array]:
    """Nodes of size `new` that `current` lacks, and their weight in every size of the family.

    Parameters
    ----------
    sizes : tuple of int
        The family.
    current, new : int
        Sizes; `current` is 1 before the first.

    Returns
    -------
    nodes : numpy.ndarray
        Shape (m,).
    weights : numpy.ndarray
        Shape (R, m), a row a size of the family.
    """
    k = np.arange(1, new)
    k = k[k * current % new != 0]
    weights = np.zeros((len(sizes), len(k)))
    for row, size in enumerate(sizes):
        shared = k * size % new == 0
        weights[row, shared] = fejer2(size - 1).weights[k[shared] * size // new - 1]
    return fejer2(new - 1).nodes[k - 1], weights


@cache
def between_nodes(size: int) -> Array:
    """What the rule integrates between neighbouring nodes, both ends of the path included.

    The rule is the integral of the polynomial through its nodes, Σ c_m sin(mθ) / sin(θ) at
    α = (1 - cos θ) / 2, whose integral over each interval is known too. Beside the rise of F there
    it shows where the rule errs.

    Parameters
    ----------
    size : int
        Size of the rule.

    Returns
    -------
    numpy.ndarray
        Weights of the nodes, shape (size, size - 1), a row an interval; the rows add up to the rule.

    Examples
    --------
    >>> rule = fejer2(7).weights
    >>> bool(np.allclose(between_nodes(8).sum(0), rule))
    True
    """
    m = np.arange(1, size)
    inner, ends = np.pi * m / size, np.pi * np.arange(size + 1) / size
    cosines = np.cos(np.outer(ends, m)) / m
    weights: Array = (cosines[:-1] - cosines[1:]) @ np.sin(np.outer(m, inner)) * np.sin(inner) / size
    return weights

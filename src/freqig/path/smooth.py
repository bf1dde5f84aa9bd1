"""Smooth paths: Fejér's rules of 7, 15 and 31 nodes are weights of the gradients that are kept anyway.

A rule of size N is Fejér's second of N - 1 nodes. Those of N / 2 and N / 4 are inside it, and what the three
make of the same gradients tells the error of the last.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ..diagnosis import Array
from .nodes import SIZES, TINY, Flags, Nodes
from .rules import fejer2

LARGEST = 32
"""Size of the last rule that smooth paths are led to. What it does not resolve is not smooth."""

KINK = 2.0
"""Order of convergence of a rule for an F with a kink: its gradient jumps."""


def first_size(n_initial: int, most: int) -> int:
    """Smallest of 4, 8, 16, … with at least `n_initial` nodes; at most `most`, and at least 2."""
    return min(max(4, 1 << n_initial.bit_length()), 1 << (max(most, 2).bit_length() - 1))


def size_of(nodes: Nodes) -> int:
    """Size of the rule whose nodes these are but for the unused one, 0 where intervals were divided."""
    size = nodes.n
    if size < 2 or size & (size - 1):
        return 0
    own = nodes.place[~is_unused(nodes)].reshape(len(nodes.place), -1)
    return size if np.abs(own - fejer2(size - 1).nodes).max() < 1e-12 else 0


def is_unused(nodes: Nodes) -> Flags:
    """Which node no rule uses, bool, shape (A, n)."""
    found: Flags = np.arange(nodes.n) == np.abs(nodes.place - nodes.unused[:, None]).argmin(1)[:, None]
    return found


@cache
def weights(size: int) -> Array:
    """Rules of this size, of half of it and of a quarter on the nodes of the first, shape (3, size - 1)."""
    rows = np.zeros((3, size - 1))
    for row, step in zip(rows, (1, 2, 4), strict=True):
        if size > step:
            row[step - 1 :: step] = fejer2(size // step - 1).weights
    return rows


@cache
def between_nodes(size: int) -> Array:
    """What the rule integrates between neighbouring nodes, both ends included, shape (size, size - 1).

    The rule is the integral of the polynomial through its nodes, Σ c_m sin(mθ) / sin(θ) at
    α = (1 - cos θ) / 2, whose integral over each interval is known too. The rows add up to the rule.
    """
    m = np.arange(1, size)
    inner, ends = np.pi * m / size, np.pi * np.arange(size + 1) / size
    cosines = np.cos(np.outer(ends, m)) / m
    weights: Array = (cosines[:-1] - cosines[1:]) @ np.sin(np.outer(m, inner)) * np.sin(inner) / size
    return weights


def order(nodes: Nodes, size: int) -> Array:
    """Order of convergence of the rises of F between the nodes, at least 1, shape (A, T).

    Where attributions converge fast by luck, the rises of F in the intervals between nodes, all of which are
    known, do not: they are many, and luck in all of them at once is rare.
    """
    own = np.pad(~is_unused(nodes), ((0, 0), (1, 1)), constant_values=True)
    values, slopes = nodes.trace[:SIZES, own].reshape(2, len(own), size + 1, -1)
    residuals = []
    for step in (2, 1):
        inner = slopes[:, step:-1:step]
        missed = np.diff(values[:, ::step], axis=1)
        missed -= np.einsum("jk,akt->ajt", between_nodes(size // step), inner)
        residuals.append(np.linalg.norm(missed, axis=1) + TINY)
    found: Array = np.maximum(np.log2(residuals[0] / residuals[1]), 1.0)
    return found


def error(last: Array, before: Array, trusted: Array, safety: float) -> Array:
    """L1 error of a rule from its difference to the one inside it, and that of this to the next, (A, P, T).

    The last difference is the error of the smaller rule. That of the larger is less by the rate which the two
    differences show, as far as it is `trusted`, (A, T). What happens to be small in one domain need not be
    so in time, P = 0: the last difference is the geometric mean of what its own domain says and what time
    says, in the proportion of the difference before.
    """
    told = before[:, :1] > TINY
    # Rules that agreed to the bit, as all of their nodes saw a flat path, say nothing of proportion.
    by_time = np.where(told, last[:, :1] * before / np.where(told, before[:, :1], 1.0), last)
    size = np.sqrt(last * by_time)
    rate = np.clip(np.log2((before + TINY) / (size + TINY)), 0.0, trusted[:, None])
    found: Array = safety * size * 0.5**rate
    return found

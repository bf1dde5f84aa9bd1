"""Quadrature rules on [0, 1], as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Rule:
    """Nodes and weights on [0, 1], float64, shape (n,), the nodes increasing inside (0, 1)."""

    nodes: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        # Whoever asks for a rule gets the same object.
        for array in (self.nodes, self.weights):
            array.setflags(write=False)


LARGEST_GAUSS = 512
"""Nodes of one Gauss rule: more are shared by panels, as finding them takes O(n²)."""


@cache
def gauss_legendre(n: int) -> Rule:
    """Gauss-Legendre rule with `n` nodes, at least 1, exact to degree 2n - 1.

    More than 512 nodes are shared by as few panels of up to 512 as there must be, whose widths go
    with their nodes: then the degree is that of a panel, far beyond what rounding lets one see.
    """
    n_panels = -(-n // LARGEST_GAUSS)
    counts = [n // n_panels + (k < n % n_panels) for k in range(n_panels)]
    edges, nodes, weights = np.cumsum([0, *counts]) / n, list[np.ndarray](), list[np.ndarray]()
    for left, width, count in zip(edges, np.diff(edges), counts, strict=False):
        roots, slopes = _legendre_roots(count)
        nodes.append(left + width * ((roots + 1) / 2))
        weights.append(width * (1 / ((1 - roots**2) * slopes**2)))
    return Rule(np.concatenate(nodes), np.concatenate(weights))


@cache
def _legendre_roots(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Roots of the Legendre polynomial of degree n, increasing, and its slopes there.

    Newton's method from Tricomi's approximation: O(n²), where eigenvalues are O(n³) and take seconds.
    """
    roots, slopes = -np.cos(np.pi * (np.arange(1, n + 1) - 0.25) / (n + 0.5)), np.ones(n)
    # The first error, 1e-2 at most, is squared by each step: three reach rounding, the last has slopes.
    for _ in range(4):
        before, value = np.ones(n), roots
        for k in range(2, n + 1):
            before, value = value, ((2 * k - 1) * roots * value - (k - 1) * before) / k
        slopes = n * (before - roots * value) / (1 - roots**2)
        roots = roots - value / slopes
    # Exactly symmetric, as the rule is.
    return (roots - roots[::-1]) / 2, (np.abs(slopes) + np.abs(slopes[::-1])) / 2


@cache
def fejer2(n: int) -> Rule:
    """Fejér's second rule, open and with positive weights: `n` nodes (1 - cos(kπ / (n + 1))) / 2, at least 1.

    Exact to degree n for odd n and n - 1 for even n. The nodes of n are among those of m wherever n + 1
    divides m + 1: the family nests under doubling of n + 1. L. Fejér, Mechanische Quadraturen mit positiven
    Cotesschen Zahlen, Math. Z. 37 (1933); weights as in J. Waldvogel, Fast construction of the Fejér and
    Clenshaw-Curtis quadrature rules, BIT 46 (2006), eq. 2.3.
    """
    k, odd = np.arange(1, n + 1), np.arange(1, n + 1, 2)
    # Σ sin(mθ_k) / m over odd m, a sine transform of 1 / m: O(n log n).
    harmonics = np.zeros(n + 1)
    harmonics[odd] = 1 / odd
    sums = -np.fft.rfft(harmonics, 2 * (n + 1)).imag[1:-1]
    weights = 2 * np.sin(k * np.pi / (n + 1)) / (n + 1) * sums
    # Reduced fractions, so that a node is the same number in every rule that has it. The square
    # of the sine keeps nodes near 0 exact where 1 - cos would cancel.
    divisor = np.gcd(k, n + 1)
    nodes = np.sin(np.pi / 2 * (k // divisor) / ((n + 1) // divisor)) ** 2
    return Rule(nodes, weights)

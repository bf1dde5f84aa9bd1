"""Quadrature rules on [0, 1], as frozen data that refuses to exist when it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Rule:
    """Nodes and weights of a quadrature rule on [0, 1].

    A rule checks on creation that it integrates every polynomial up to its declared degree:
    weights that sum to (n - 1) / n, a mistake seen in the wild, cannot pass.

    Parameters
    ----------
    name : str
        Name of the rule, recorded in results.
    nodes : numpy.ndarray
        Nodes, shape (n,), float64, strictly increasing, inside (0, 1).
    weights : numpy.ndarray
        Weights, shape (n,), float64.
    degree : int
        Highest polynomial degree that is integrated exactly.

    Raises
    ------
    ValueError
        If shapes differ, a node leaves (0, 1), or the rule does not reach its degree.

    Examples
    --------
    >>> rule = Rule("midpoint", np.array([0.5]), np.array([1.0]), degree=1)
    >>> float(rule.weights.sum())
    1.0
    """

    name: str
    nodes: np.ndarray
    weights: np.ndarray
    degree: int

    def __post_init__(self) -> None:
        nodes, weights = self.nodes, self.weights
        if nodes.ndim != 1 or nodes.shape != weights.shape or len(nodes) == 0:
            raise ValueError(
                f"rule {self.name!r}: nodes and weights must be 1-D of one length, "
                f"got shapes {nodes.shape} and {weights.shape}"
            )
        if not (np.all(nodes > 0) and np.all(nodes < 1) and np.all(np.diff(nodes) > 0)):
            raise ValueError(f"rule {self.name!r}: nodes must increase strictly inside (0, 1)")
        # Legendre polynomials, unlike monomials, keep the check well conditioned at any degree:
        # all but the first integrate to zero.
        moments = weights @ np.polynomial.legendre.legvander(2 * nodes - 1, self.degree)
        moments[0] -= 1
        if np.abs(moments).max() > 1e-12:
            raise ValueError(
                f"rule {self.name!r} does not integrate polynomials up to degree {self.degree}: "
                f"moment error {np.abs(moments).max():.2g}"
            )
        for array in (nodes, weights):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.nodes)


@cache
def gauss_legendre(n: int) -> Rule:
    """Gauss-Legendre rule with `n` nodes, exact to degree 2n - 1.

    Parameters
    ----------
    n : int
        Number of nodes, at least 1.

    Returns
    -------
    Rule
        The rule on [0, 1].

    Raises
    ------
    ValueError
        If `n` is below 1.

    Examples
    --------
    >>> rule = gauss_legendre(3)
    >>> bool(abs(rule.weights @ rule.nodes**5 - 1 / 6) < 1e-15)
    True
    """
    if n < 1:
        raise ValueError(f"n_steps must be at least 1, got {n}")
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return Rule("gauss-legendre", (nodes + 1) / 2, weights / 2, degree=2 * n - 1)

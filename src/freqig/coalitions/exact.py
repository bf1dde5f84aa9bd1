"""Shapley values and interactions of all coalitions, in closed form."""

from __future__ import annotations

from math import comb

import numpy as np

MOST_PLAYERS = 12
"""Players whose coalitions are all looked at, whatever the budget."""


def all_coalitions(n_players: int, begin: int = 0, end: int | None = None) -> np.ndarray:
    """Coalitions by number, whose bit i says whether player i is present, bool, shape (C, players).

    Examples
    --------
    >>> all_coalitions(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    numbers = np.arange(begin, 2**n_players if end is None else end)
    return (numbers[:, None] >> np.arange(n_players)) & 1 > 0


def shapley_values(values: np.ndarray) -> np.ndarray:
    """Shapley values φ_i = Σ_S |S|! (p - |S| - 1)! / p! · (v(S ∪ i) - v(S)), shape (players, T).

    Parameters
    ----------
    values : numpy.ndarray
        Values of all coalitions by number, shape (2^p, T).

    Examples
    --------
    >>> shapley_values(np.array([[0.0], [1.0], [2.0], [7.0]])).ravel().tolist()
    [3.0, 4.0]
    """
    n = _players(values)
    found = np.empty((n, values.shape[1]))
    without = _sizes(n - 1)
    weights = 1 / (n * np.array([comb(n - 1, s) for s in range(n)], dtype=float))[without]
    for i in range(n):
        pairs = values.reshape(2 ** (n - 1 - i), 2, 2**i, -1)
        found[i] = weights @ (pairs[:, 1] - pairs[:, 0]).reshape(2 ** (n - 1), -1)
    return found


def interactions(values: np.ndarray) -> np.ndarray:
    """Shapley interactions of pairs, of order 2, symmetric with zeros on the diagonal.

    I_ij = Σ_S |S|! (p - |S| - 2)! / (p - 1)! · (v(S ∪ ij) - v(S ∪ i) - v(S ∪ j) + v(S)) over the S
    without i and j (Grabisch and Roubens 1999), which is k-SII of order 2 for a pair.

    Parameters
    ----------
    values : numpy.ndarray
        Values of all coalitions by number, shape (2^p, T).

    Returns
    -------
    numpy.ndarray
        Shape (players, players, T).

    Examples
    --------
    >>> interactions(np.array([[0.0], [1.0], [2.0], [7.0]]))[..., 0].tolist()
    [[0.0, 4.0], [4.0, 0.0]]
    """
    n = _players(values)
    found = np.zeros((n, n, values.shape[1]))
    if n < 2:
        return found
    weights = 1 / ((n - 1) * np.array([comb(n - 2, s) for s in range(n - 1)], dtype=float))[_sizes(n - 2)]
    for j in range(n):
        for i in range(j):
            cube = values.reshape(2 ** (n - 1 - j), 2, 2 ** (j - 1 - i), 2, 2**i, -1)
            both = cube[:, 1, :, 1] - cube[:, 1, :, 0] - cube[:, 0, :, 1] + cube[:, 0, :, 0]
            found[i, j] = found[j, i] = weights @ both.reshape(2 ** (n - 2), -1)
    return found


def alone(values: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """What players do alone, k-SII of order 1: φ_i - ½ Σ_j I_ij, shape (players, T).

    With all pairs it adds up to the whole: Σ alone + Σ_{i<j} I_ij = v(all) - v(none).

    Examples
    --------
    >>> alone(np.array([[3.0], [4.0]]), np.array([[[0.0], [4.0]], [[4.0], [0.0]]])).ravel().tolist()
    [1.0, 2.0]
    """
    found: np.ndarray = values - pairs.sum(1) / 2
    return found


def _players(values: np.ndarray) -> int:
    return len(values).bit_length() - 1


def _sizes(n: int) -> np.ndarray:
    """How many are in each coalition of n players, by number."""
    return np.bitwise_count(np.arange(2**n)) if hasattr(np, "bitwise_count") else all_coalitions(n).sum(1)

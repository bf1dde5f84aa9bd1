"""Deletion and insertion: outputs as the top share of the coefficients is replaced, or kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .ordering import MOST_EXHAUSTIVE, at_random, best_orders, by_count, by_energy, ranked
from .replacing import Replacing

ORDERS = ("attribution", "random", "amplitude", "best")
KINDS = ("deletion", "insertion")
BY = ("count", "energy")

Array = np.ndarray


def curves(
    replacing: Replacing, attribution: Array, energy: Array, shares: Array, random_orders: int, seed: int
) -> Array:
    """Explained outputs along the curves.

    Parameters
    ----------
    replacing : Replacing
        The model, with parts of its inputs replaced.
    attribution, energy : numpy.ndarray
        Shape (N, p), NaN where there is no coefficient.
    shares : numpy.ndarray
        Which shares, from 0 to 1, shape (Q,).
    random_orders, seed : int
        How many random orders are averaged over.

    Returns
    -------
    numpy.ndarray
        float64, shape (2 kinds, 2 by, 4 orders, Q, N), in the order of `KINDS`, `BY` and `ORDERS`; NaN where
        the best order is out of reach.
    """
    valid = np.isfinite(attribution)
    orders = {
        "attribution": [ranked(attribution)],
        "random": [at_random(valid, seed, draw) for draw in range(random_orders)],
        "amplitude": [ranked(energy)],
    }
    found = np.full((2, 2, len(ORDERS), len(shares), len(attribution)), np.nan)
    for i, kind in enumerate(KINDS):
        for j, by in enumerate(BY):
            for k, name in enumerate(ORDERS[:3]):
                each = [
                    replacing.prefixes(order, _counts(by, valid, energy, order, shares), kind == "deletion")
                    for order in orders[name]
                ]
                found[i, j, k] = np.mean(each, axis=0).T
    if attribution.shape[1] <= MOST_EXHAUSTIVE and valid.all():
        found[:, 0, 3] = _best(replacing, valid, shares)
    return found


def _counts(by: str, valid: Array, energy: Array, order: Array, shares: Array) -> Array:
    return by_count(valid, shares) if by == "count" else by_energy(energy, order, shares)


def _best(replacing: Replacing, valid: Array, shares: Array) -> Array:
    """Curves by count in the best order of each sample, shape (2, Q, N)."""
    n, p = valid.shape
    sets = (np.arange(2**p)[:, None] >> np.arange(p)) & 1 == 1
    rows = np.repeat(np.arange(n), len(sets))
    keep, each = np.tile(sets, (n, 1)), replacing.at_once
    values = np.concatenate(
        [replacing.answers(rows[i : i + each], keep[i : i + each]).output for i in range(0, len(rows), each)]
    ).reshape(n, -1)
    counts = by_count(valid[:1], shares)[0]
    weights = np.bincount(counts, weights=trapezoid_weights(shares), minlength=p + 1)
    bits = 1 << np.arange(p)
    found = np.zeros((2, len(shares), n))
    for i, kind in enumerate(KINDS):
        order = best_orders(values, weights, kind == "deletion")
        taken = np.concatenate([np.zeros((n, 1), dtype=np.int64), np.cumsum(bits[order], axis=1)], axis=1)
        kept = taken ^ (2**p - 1) if kind == "deletion" else taken
        found[i] = np.take_along_axis(values, kept, axis=1)[:, counts].T
    return found


def trapezoid_weights(shares: Array) -> Array:
    """Weights of the trapezoidal rule, shape (Q,).

    Examples
    --------
    >>> trapezoid_weights(np.array([0.0, 0.5, 1.0])).tolist()
    [0.25, 0.5, 0.25]
    """
    steps = np.diff(shares) / 2
    weights: Array = np.concatenate([steps, [0.0]]) + np.concatenate([[0.0], steps])
    return weights


def areas(found: Array, shares: Array) -> Mapping[str, Array]:
    """Areas of the curves, by the name of the metric, shape (N,) each."""
    area = np.einsum("abcqn,q->abcn", found, trapezoid_weights(shares))
    return {
        f"{kind}_by_{by}" + (f"_{order}" if k else ""): area[i, j, k]
        for i, kind in enumerate(KINDS)
        for j, by in enumerate(BY)
        for k, order in enumerate(ORDERS)
    }

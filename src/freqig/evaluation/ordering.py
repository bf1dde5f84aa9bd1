"""Orders in which coefficients are taken, and how many of them make a share."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from ..domains import Domain
from ..domains.nonlinear import NonlinearDomain

MOST_EXHAUSTIVE = 10
"""Coefficients of a sample up to which the best of all orders is searched, with 2^p evaluations."""

Array = np.ndarray


def ranked(scores: Array) -> Array:
    """Coefficients from the largest score to the smallest, ties in their own order, missing ones last.

    Parameters
    ----------
    scores : numpy.ndarray
        Shape (N, p); NaN where there is no coefficient.

    Returns
    -------
    numpy.ndarray
        int64, shape (N, p).

    Examples
    --------
    >>> ranked(np.array([[0.1, np.nan, 3.0]]))
    array([[2, 0, 1]])
    """
    return np.argsort(np.where(np.isfinite(scores), -scores, np.inf), axis=-1, kind="stable")


def at_random(valid: Array, seed: int, draw: int) -> Array:
    """A random order, the same for all samples, so that it does not depend on which others there are."""
    scores = np.random.default_rng((seed, draw)).random(valid.shape[1])
    return ranked(np.where(valid, scores, np.nan))


def places(order: Array) -> Array:
    """Place of each coefficient in an order: the inverse permutation."""
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.broadcast_to(np.arange(order.shape[-1]), order.shape).copy(), axis=-1)
    return found


def energies(domain: Domain, x: Tensor, start: Tensor) -> Array:
    """Energy of x - x' in each coefficient, float64, shape (N, p), NaN where there is none.

    The share of Σ δ² that each coefficient makes is what the attributions of F = ½ |x - x'|² are up to a
    factor: Re(conj(c) · S* δ). So one-sided spectra and overlapping windows are counted right. Of domains
    that are not linear it is the square of the difference of coordinates.
    """
    if isinstance(domain, NonlinearDomain):
        c1, c0 = domain.coordinates(x, start)
        energy = domain.assemble(((c1 - c0).square(),))
    else:
        energy = domain.assemble(domain.products(domain.analyze_pair(x, start), x - start))
    values = energy.detach().double().numpy().reshape(len(x), -1)
    found: Array = np.where(np.isfinite(values), np.maximum(values, 0.0), np.nan)
    return found


def by_count(valid: Array, shares: Array) -> Array:
    """How many coefficients make a share of their number, int64, shape (N, len(shares))."""
    counts: Array = np.rint(valid.sum(1)[:, None] * shares).astype(np.int64)
    return counts


def by_energy(energy: Array, order: Array, shares: Array) -> Array:
    """How many of the first coefficients of an order hold a share of the energy, int64, shape (N, Q).

    Examples
    --------
    >>> energy = np.array([[4.0, 1.0, 5.0]])
    >>> by_energy(energy, ranked(energy), np.array([0.0, 0.5, 0.6, 1.0])).tolist()
    [[0, 1, 2, 3]]
    """
    running = np.cumsum(np.nan_to_num(np.take_along_axis(energy, order, 1)), axis=1)
    total = running[:, -1:]
    needed = shares[None] * total * (1 - 1e-12)
    found = (running[:, None, :] < needed[:, :, None]).sum(-1) + 1
    count = np.isfinite(energy).sum(1)[:, None]
    found = np.minimum(found, count)
    return np.asarray(np.where(shares[None] <= 0, 0, np.where(shares[None] >= 1, count, found)))


def top(count: Array, share: float) -> Array:
    """How many coefficients are the top share: at least one, int64, the shape of `count`.

    Examples
    --------
    >>> top(np.array([51, 3]), 0.1)
    array([6, 1])
    """
    return np.maximum(1, np.ceil(count * share - 1e-9)).astype(np.int64)


def best_orders(values: Array, weights: Array, removing: bool) -> Array:
    """The order with the least, or largest, weighted sum of outputs at its prefixes: over all p! of them.

    Parameters
    ----------
    values : numpy.ndarray
        Output by the set of coefficients that are kept, as bits, shape (N, 2^p).
    weights : numpy.ndarray
        Weight of a prefix of each length, shape (p + 1,).
    removing : bool
        Whether prefixes are removed, and the least sum is wanted; else they are kept, and the largest.

    Returns
    -------
    numpy.ndarray
        int64, shape (N, p).

    Notes
    -----
    By dynamic programming over sets, since what is best behind a set does not depend on its order.
    """
    n, size = values.shape
    p = int(math.log2(size))
    sign, full = (1.0, size - 1) if removing else (-1.0, 0)
    # Of a set that was taken, what is kept is its complement where it was removed.
    kept = np.arange(size) ^ full if removing else np.arange(size)
    cost = np.full((n, size), np.inf)
    cost[:, 0], last = 0.0, np.zeros((n, size), dtype=np.int64)
    sizes = np.array([i.bit_count() for i in range(size)])
    for taken in range(1, size):
        members = [j for j in range(p) if taken >> j & 1]
        before = np.stack([cost[:, taken ^ (1 << j)] for j in members])
        chosen = before.argmin(0)
        cost[:, taken] = before.min(0) + sign * weights[sizes[taken]] * values[:, kept[taken]]
        last[:, taken] = np.array(members)[chosen]
    order = np.zeros((n, p), dtype=np.int64)
    state = np.full(n, size - 1)
    for place in reversed(range(p)):
        order[:, place] = last[np.arange(n), state]
        state = state ^ (1 << order[:, place])
    return order

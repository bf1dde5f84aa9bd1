"""Error of the estimate of a nested rule, from how it came about: of many samples at once.

Arrays have the axes sample A, projection P (time first) and target T.
"""

from __future__ import annotations

import numpy as np

from .nested import between_nodes
from .node_trace import TINY
from .path import Array

SAFETY = 1.6
"""Of the error estimate. For kinks at random places the error after doubling is 1/√3 of the last
difference, and the first-order rate says 1/2: 1.15 is the truth on average, the rest its scatter."""

ALIGNED = 0.6
"""How much more careful where the last two differences point the same way: then few kinks or one
step make the error, which is their luck and no average."""

FEW = 0.5
"""Alignment beyond which the completeness gap is taken for a share of such an error."""

MEMORY = 0.2
"""Share of the difference before last below which the last one is not believed: two lucky levels in
a row are rarer than one."""

CAUTION, HIGHEST = 1.25, 2.5
"""How far the order of convergence of attributions is trusted beyond the first: as far as that of
the single intervals of F less this much, and not beyond this. A path with kinks looks like a better
one by luck, but not in all intervals at once."""

LARGEST = 128
"""Size of a rule beyond which the intervals of F are not looked at: smooth paths do not come here."""


def trusted_order(old: Array, new: Array, n_old: int, n_new: int) -> Array:
    """Order of convergence that the intervals between nodes allow to believe in, shape (A, T).

    Parameters
    ----------
    old, new : numpy.ndarray
        F, and its slope, at the nodes of two sizes of rule and at both ends of the path, shape
        (2, A, n + 1, T).
    n_old, n_new : int
        Sizes n of the rules.

    Returns
    -------
    numpy.ndarray
        Between 1 and `HIGHEST`.
    """
    if n_new > LARGEST:
        return np.ones_like(new[0, :, 0])
    residuals = []
    for (values, slopes), size in ((old, n_old), (new, n_new)):
        missed = np.diff(values, axis=1) - np.einsum("jk,akt->ajt", between_nodes(size), slopes[:, 1:-1])
        residuals.append(np.linalg.norm(missed, axis=1) + TINY)
    order = np.log(residuals[0] / residuals[1]) / np.log(n_new / n_old)
    trusted: Array = np.clip(order - CAUTION, 1.0, HIGHEST)
    return trusted


def expected_error(
    last: Array, before: Array, sizes: tuple[int, int, int], trusted: Array, alignment: Array
) -> Array:
    """L1 error of an estimate from the last two differences between estimates, shape (A, P, T).

    The last difference is the error of the estimate before. That of the last is less by the rate
    which two differences show, if it is believed. What happens to be small in one domain need not
    be so in time: the size of the last difference is the geometric mean of what its own domain says
    and what time says, in the proportion of the difference before.

    Parameters
    ----------
    last, before : numpy.ndarray
        L1 norms of the differences, shape (A, P, T), P = 0 in time.
    sizes : tuple of int
        Sizes of the three rules, in the order in which they came.
    trusted : numpy.ndarray
        Highest order that is believed, shape (A, T).
    alignment : numpy.ndarray
        Cosine of the angle between the differences, shape (A, T).

    Returns
    -------
    numpy.ndarray
        The estimate, with its margin.
    """
    old, mid, new = sizes
    trusted = trusted[:, None]
    # Rules that agreed to the bit, as all of their nodes saw a flat path, say nothing of proportion.
    told = before[:, :1] > TINY
    by_time = np.where(told, last[:, :1] * before / np.where(told, before[:, :1], 1.0), last)
    size = np.maximum(np.sqrt(last * by_time), MEMORY * 2 ** (1 - trusted) * before)
    order = np.log((before + TINY) / (size + TINY)) / np.log(mid / old)
    factor = (mid / new) ** np.clip(order, 0.0, trusted)
    error: Array = SAFETY * (1 + ALIGNED * alignment[:, None]) * size * factor
    return error


def error_from_gap(gap: Array, norms: Array, totals: Array) -> Array:
    """L1 error of the attributions that a completeness gap stands for.

    The gap is the error of the sum of the attributions, and known exactly. Where one kink or one
    step makes the error, every difference between estimates points its way, and the ratio of norm
    to sum carries over from them: the estimate is right however lucky the differences are. Never
    more than the differences themselves: where their sums cancel, the ratio says nothing.

    Parameters
    ----------
    gap : numpy.ndarray
        Completeness gap, shape (T,) or any that broadcasts.
    norms, totals : numpy.ndarray
        L1 norms, shape (2, ..., T), and sums, shape (2, ..., T), of the last two differences.
    """
    total = np.abs(totals).sum(0)
    # The share first: a product of two small numbers may be none.
    gap = np.minimum(np.abs(gap), total)
    limited: Array = norms.sum(0) * (gap / np.where(total > 0, total, 1.0))
    return limited


def completion(gap: Array, norms: Array, totals: Array) -> tuple[Array, Array]:
    """Extrapolation that closes the gap, and the L1 norm by which it moves the estimate.

    Where F(x) - F(x') is small beside the attributions, their sum must be far more accurate than
    they need be themselves. The gap is known; so are the ways by which the estimates came. A step
    along one of them, chosen to cost least, is accepted by the caller where the attributions can
    bear all of it as an error.

    Parameters
    ----------
    gap : numpy.ndarray
        Completeness gap, shape (A, T).
    norms, totals : numpy.ndarray
        L1 norms, shape (M, A, P, T), and sums, shape (M, A, T), of all M differences.

    Returns
    -------
    steps : numpy.ndarray
        In units of the differences, shape (M, A, T).
    cost : numpy.ndarray
        Shape (A, P, T); infinite where no step of at most 1 closes the gap.
    """
    if not len(totals):
        return np.zeros((0, *gap.shape)), np.full(norms.shape[1:], np.inf)
    possible = (np.abs(gap) <= np.abs(totals)) & (totals != 0)
    steps = np.where(possible, -gap / np.where(possible, totals, 1.0), 0.0)
    costs = np.where(possible[:, :, None], np.abs(steps)[:, :, None] * norms, np.inf)
    best = costs.max(2).argmin(0)
    cost: Array = np.take_along_axis(costs, best[None, :, None], 0)[0]
    return steps * (np.arange(len(totals))[:, None, None] == best), cost

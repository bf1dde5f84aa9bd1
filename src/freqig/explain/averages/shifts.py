"""Where on its path each sample of a group is looked at: spread evenly over the group, at random as a whole.

A node at a place u that is uniform in (0, 1) makes every sample's estimate unbiased: δ · g(u) has the mean
∫ δ · g. Over the samples of a group the places come from Kronecker's sequence with the golden ratio, whose
first N numbers are spread evenly for every N, turned by a random angle (Cranley and Patterson, Randomization
of number theoretic methods for multiple integration, 1976): what all samples have in common errs like 1/N,
what each has for itself like 1/√N.

A sample's own n nodes are those of a lattice of n points on a circle, laid onto the path there and back (the
baker's transformation: Hickernell, Obtaining O(N^(-2+ε)) convergence for lattice quadrature rules, 2002). So
each of n equal parts of the path has one, mirrored in every other part: what changes evenly along the path
cancels. The lattice of 2n points holds that of n, so that no node is lost when there are to be more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GOLDEN = (5**0.5 - 1) / 2


def new_places(number: NDArray[np.int64], n: int, turn: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in (0, 1) that n nodes per sample have and n/2 have not; n is a power of two.

    Parameters
    ----------
    number : numpy.ndarray
        Numbers of samples in their sequences, int64, shape (S,).
    n : int
        Nodes per sample.
    turn : float or numpy.ndarray
        Angles that the sequences are turned by, shape (S,) or one for all.

    Returns
    -------
    numpy.ndarray
        Shape (S, n / 2), of one node (S, 1).

    Examples
    --------
    >>> new_places(np.arange(3), 1, 0.25).round(3).ravel().tolist()
    [0.5, 0.264, 0.972]
    >>> new_places(np.arange(3), 2, 0.25).round(3).ravel().tolist()
    [0.5, 0.736, 0.028]
    """
    points = np.arange(1, n, 2) if n > 1 else np.zeros(1, dtype=np.int64)
    circle = (turn + number * GOLDEN)[:, None] + points / n
    found: NDArray[np.float64] = 1 - np.abs(2 * (circle % 1) - 1)
    # The ends belong to no path: at the baseline a gradient need not exist.
    return found.clip(1e-12, 1 - 1e-12)


def turns(seed: int, replicate: int, baseline: int, count: int) -> NDArray[np.float64]:
    """Angles of one replicate for one baseline, in (0, 1), shape (count,): others for each."""
    return np.random.default_rng([seed, replicate, baseline]).random(count)

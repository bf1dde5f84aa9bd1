"""Where on its path each sample of a group is looked at: spread evenly over the group, at random as a whole.

A node at a place u that is uniform in (0, 1) makes every sample's estimate unbiased: δ · g(u) has the mean
∫ δ · g. Over the samples of a group the places are those of Kronecker's sequence with the golden ratio, whose
first N places are spread evenly for every N, turned by a random angle (Cranley and Patterson, Randomization
of number theoretic methods for multiple integration, 1976): what all samples have in common errs like 1/N,
what each has for itself like 1/√N. With n nodes per sample the places are those in the n parts of the path,
mirrored in every other part: what changes evenly along the path cancels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GOLDEN = (5**0.5 - 1) / 2


def places(number: NDArray[np.int64], n: int, turn: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in (0, 1) for samples with these numbers in their sequences, shape (S,), n each: (S, n).

    Examples
    --------
    >>> places(np.arange(3), 2, 0.25).round(3).tolist()
    [[0.125, 0.875], [0.434, 0.566], [0.243, 0.757]]
    """
    shift, part = ((turn + number * GOLDEN) % 1)[:, None], np.arange(n)
    found: NDArray[np.float64] = (part + np.where(part % 2, 1 - shift, shift)) / n
    # The ends belong to no path: at the baseline a gradient need not exist.
    return found.clip(1e-12, 1 - 1e-12)


def turns(seed: int, number: int, baseline: int, count: int) -> NDArray[np.float64]:
    """Angles of a round for one baseline, in (0, 1), shape (count,): others for each."""
    return np.random.default_rng([seed, number, baseline]).random(count)

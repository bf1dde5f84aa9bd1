"""Bootstrap intervals of means, and of differences of two means."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..quantiles import normal_quantile, normal_share, t_quantile

BLOCK = 1 << 25
"""Numbers of one block of resampled means or counts: 128 MiB of float32."""

FEWEST = 6
"""Units below which there is no interval and no test. Of five pairs no sign flip has a two-sided p below
1/16, and a bootstrap of five has 126 outcomes."""

Array = NDArray[np.float64]


def bca_interval(
    samples: Sequence[np.ndarray], interval: float, n_resamples: int, seed: int
) -> tuple[Array, Array]:
    """Bootstrap interval of a mean, or of the first mean minus the second, at every place by itself.

    BCa, bias-corrected and accelerated, which is second-order correct where values are skewed (Efron, JASA
    82:171, 1987). A bootstrap of few units is too narrow: it takes √((n - 1) / n) of the standard deviation,
    and normal quantiles in place of Student's. Hesterberg (Am. Stat. 69:371, 2015) widens it by both, which
    is done here: residuals times √(n / (n - 1)), and levels Φ(±t). Coverage of 95 % intervals of the mean,
    2,000 trials each:

    | | normal, n = 6 | 9 | 20 | exponential, 6 | 9 | 20 |
    |---|---|---|---|---|---|---|
    | percentile | 86.0 % | 89.4 % | 93.4 % | 80.8 % | 85.2 % | 91.1 % |
    | BCa | 85.4 % | 89.4 % | 93.2 % | 83.3 % | 86.4 % | 91.5 % |
    | BCa, widened | 94.4 % | 94.2 % | 94.5 % | 90.3 % | 92.9 % | 94.0 % |

    `scipy.stats.bootstrap` gives the same limits. It gathers every resample of every place, n_resamples × n
    numbers each; here a resample is a row of counts, and all of them one product of matrices.

    Parameters
    ----------
    samples : sequence of numpy.ndarray
        One or two, values of units, shape (n, ...) each, n at least 2.
    interval : float
        Share of the intervals that is to hold the true mean.
    n_resamples : int
        Number of resamples, the same for all places.
    seed : int
        Of the resamples.

    Returns
    -------
    low, high : numpy.ndarray
        Limits, in the shape of a unit; both are the mean where nothing varies, and NaN where a unit is.

    Examples
    --------
    >>> low, high = bca_interval([np.arange(12.0)[:, None]], 0.95, 5000, seed=0)
    >>> bool(2.5 < low[0] < 3.5), bool(7.5 < high[0] < 8.5)
    (True, True)
    """
    shape = samples[0].shape[1:]
    flat = [own.reshape(len(own), -1) for own in samples]
    there = ~np.isnan(sum(own.sum(0, dtype=np.float64) for own in flat))
    if not there.all():
        ends = np.full((2, len(there)), np.nan)
        if there.any():
            ends[:, there] = bca_interval([own[:, there] for own in flat], interval, n_resamples, seed)
        return ends[0].reshape(shape), ends[1].reshape(shape)
    # Which unit is drawn how often must not depend on how the units happen to be ordered.
    orders = [np.argsort(own.sum(1, dtype=np.float64), kind="stable") for own in flat]
    low, high = (np.empty(flat[0].shape[1]) for _ in range(2))
    width = max(1, BLOCK // max(n_resamples, sum(map(len, flat))))
    for start in range(0, flat[0].shape[1], width):
        places = slice(start, start + width)
        parts = [own[order, places] for own, order in zip(flat, orders, strict=True)]
        low[places], high[places] = _limits(parts, interval, n_resamples, seed)
    return low.reshape(shape), high.reshape(shape)


def spread_of(values: np.ndarray) -> Array:
    """Standard deviation over units, NaN of one, in float64.

    Examples
    --------
    >>> spread_of(np.array([[1.0], [2.0], [3.0]])).tolist()
    [1.0]
    """
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    flat = values.reshape(len(values), -1)
    width = max(1, BLOCK // len(values))
    starts = range(0, flat.shape[1], width)
    parts = [flat[:, start : start + width].std(0, ddof=1, dtype=np.float64) for start in starts]
    return np.concatenate(parts).reshape(values.shape[1:])


def _limits(
    samples: Sequence[np.ndarray], interval: float, n_resamples: int, seed: int
) -> tuple[Array, Array]:
    """Limits at F places, of values of shape (n, F)."""
    sizes = [len(own) for own in samples]
    signs = (1.0, -1.0)[: len(samples)]
    centre = sum(sign * own.mean(0, dtype=np.float64) for sign, own in zip(signs, samples, strict=True))
    # What each unit adds to the difference of the resampled mean from the mean, where it is drawn once.
    shares = [
        sign * (own - own.mean(0, dtype=np.float64)) * (math.sqrt(n / (n - 1)) / n)
        for sign, own, n in zip(signs, samples, sizes, strict=True)
    ]
    squares = sum(np.square(own).sum(0) for own in shares)
    scale = np.sqrt(squares)
    flat = scale <= 1e-12 * np.max([np.abs(own).max(0) for own in samples], axis=0)
    scale = np.where(flat, 1.0, scale)
    shares = [own / scale for own in shares]
    moved = np.empty((n_resamples, len(scale)), dtype=np.float32)
    rows = 0
    for counts in _counts(sizes, n_resamples, seed):
        # Matrices of float32 on values of size one: errors are far below those of so many resamples.
        parts = (c.astype(np.float32) @ own.astype(np.float32) for c, own in zip(counts, shares, strict=True))
        moved[rows : rows + len(counts[0])] = sum(parts)
        rows += len(counts[0])
    moved.sort(axis=0)
    acceleration = sum((own**3).sum(0) for own in shares) / 6
    # Units that are all alike but for few make resamples with just the mean, of which half count as below.
    near = 1e-5
    below = ((moved < -near).sum(0) + (moved <= near).sum(0)) / (2 * n_resamples)
    bias = normal_quantile(np.clip(below, 0.5 / n_resamples, 1 - 0.5 / n_resamples))
    wide = t_quantile((1 + interval) / 2, sum(sizes) - len(sizes))
    found = []
    for z in (bias - wide, bias + wide):
        level = normal_share(bias + z / np.maximum(1 - acceleration * z, 1e-6))
        found.append(np.where(flat, centre, centre + scale * _at(moved, level)))
    return found[0], found[1]


def _counts(sizes: Sequence[int], n_resamples: int, seed: int) -> Iterator[list[np.ndarray]]:
    """How often each unit is drawn, a block of resamples at a time: a matrix for each sample."""
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // (2 * max(sizes)))
    for start in range(0, n_resamples, step):
        rows = min(step, n_resamples - start)
        yield [rng.multinomial(n, np.full(n, 1 / n), size=rows) for n in sizes]


def _at(ordered: np.ndarray, level: Array) -> Array:
    """Quantiles of columns that are sorted, one level per column."""
    place = np.clip(level * len(ordered) - 0.5, 0, len(ordered) - 1)
    before = np.floor(place).astype(np.int64)
    after = np.minimum(before + 1, len(ordered) - 1)
    columns = np.arange(ordered.shape[1])
    first, second = (ordered[rows, columns].astype(np.float64) for rows in (before, after))
    return np.asarray(first + (place - before) * (second - first))

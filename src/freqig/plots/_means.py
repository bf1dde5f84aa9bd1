"""Means over samples, and how sure they are."""

from __future__ import annotations

import numpy as np

from ..quantiles import t_quantile


def mean_interval(values: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Means over the first axis, and half the width of their confidence intervals; NaN of one sample.

    The interval is Student's: t · s / √n, at each place by itself.

    Examples
    --------
    >>> mean, half = mean_interval(np.array([[1.0], [2.0], [3.0]]), 0.95)
    >>> mean.tolist(), half.round(3).tolist()
    ([2.0], [2.484])
    """
    n = len(values)
    mean = values.mean(axis=0)
    if n < 2:
        return mean, np.full_like(mean, np.nan)
    return mean, t_quantile((1 + confidence) / 2, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)

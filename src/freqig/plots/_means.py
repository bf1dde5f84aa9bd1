"""Means over samples, and how sure they are."""

from __future__ import annotations

import numpy as np


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


def t_quantile(p: float, df: int) -> float:
    """Quantile of Student's distribution, for p from 0.5 on.

    With t = √df · tan θ, its density becomes cos^(df - 1) θ, which is summed up.

    Examples
    --------
    >>> round(t_quantile(0.975, 1), 3), round(t_quantile(0.975, 30), 3)
    (12.706, 2.042)
    """
    angle = np.linspace(0, np.pi / 2, 200_001)
    density = np.cos(angle) ** (df - 1)
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return float(np.sqrt(df) * np.tan(np.interp(2 * p - 1, below / below[-1], angle)))

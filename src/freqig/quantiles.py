"""Quantiles of the normal and of Student's distribution, without SciPy."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]


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


def normal_quantile(share: float | Array) -> Array:
    """Quantiles of the standard normal distribution.

    Examples
    --------
    >>> round(float(normal_quantile(0.975)), 3)
    1.96
    """
    return np.asarray(torch.special.ndtri(torch.as_tensor(share, dtype=torch.float64)).numpy())


def normal_share(at: float | Array) -> Array:
    """Share of the standard normal distribution below.

    Examples
    --------
    >>> float(normal_share(0.0))
    0.5
    """
    return np.asarray(torch.special.ndtr(torch.as_tensor(at, dtype=torch.float64)).numpy())

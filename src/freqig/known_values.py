"""Statistics of those values that are known: NaN, without a warning of NumPy, where none is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np


def known(statistic: Callable[..., Any], values: np.ndarray, axis: int | None = None) -> Any:
    """What `numpy.nanmean` and its like say, which warn of slices that are all NaN, and say NaN.

    Examples
    --------
    >>> known(np.nanmean, np.array([[1.0, np.nan], [3.0, np.nan]]), 0).tolist()
    [2.0, nan]
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice|All-NaN", RuntimeWarning)
        return statistic(values, axis=axis)


def largest(values: np.ndarray) -> float:
    """The largest finite magnitude; 0 where none is.

    Examples
    --------
    >>> largest(np.array([-2.0, np.nan])), largest(np.array([np.nan]))
    (2.0, 0.0)
    """
    return float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))

"""Where windows lie in long signals, and how much each counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr

from ._check import check_positive, check_whole
from .signals import Signal


@dataclass(frozen=True)
class Windows:
    """Where windows lie in a long signal.

    Parameters
    ----------
    starts : numpy.ndarray
        First value of each, int64.
    size, n : int
        Values in each, and in the signal.
    fs : float
        Sampling rate in Hz.
    """

    starts: np.ndarray
    size: int
    n: int
    fs: float

    @classmethod
    def of(cls, signal: Signal, window: float, hop: float | None) -> Windows:
        """Cut a signal.

        Raises
        ------
        ValueError
            If `window` and `hop` do not fit it.
        """
        if signal.fs is None or math.isinf(signal.fs_error):
            raise ValueError("fs must be known to cut windows of so many s: pass Explainer(model, fs=...)")
        n, fs = signal.values.shape[-1], signal.fs
        size = check_whole(check_positive(window, "window"), fs, "window")
        step = max(size // 2, 1) if hop is None else check_whole(check_positive(hop, "hop"), fs, "hop")
        if step > size:
            raise ValueError(
                f"hop must be at most the window, {window:g} s, or times are left out, got {hop:g} s"
            )
        if n < size:
            longest = max(signal.values.shape[1:])
            last = ": time must be its last axis, or that of time_axis=" if longest >= size else ""
            raise ValueError(f"signal must be as long as a window, {window:g} s, got {n / fs:.4g} s{last}")
        starts = list(range(0, n - size + 1, step))
        if starts[-1] + size < n:
            starts.append(n - size)
        return cls(np.array(starts, dtype=np.int64), size, n, fs)

    @property
    def weights(self) -> np.ndarray:
        """Weight of each window: the mean of 1 / (windows at this time) over its times; n / size in all.

        Examples
        --------
        >>> Windows(np.array([0, 2, 4]), 4, 8, 1.0).weights.tolist()
        [0.75, 0.5, 0.75]
        """
        share = self.spread(np.ones(len(self.starts)))
        return np.array([(1 / share[start : start + self.size]).mean() for start in self.starts])

    def cut(self, signal: Signal, time_axis: int) -> Any:
        """Windows of all signals, those of one signal behind each other, as an Explainer takes them."""
        values = signal.values.unfold(-1, self.size, 1)[..., torch.from_numpy(self.starts), :].movedim(-2, 1)
        values = values.reshape(-1, *values.shape[2:])
        if signal.dims is None:
            return values.movedim(-1, time_axis)
        coords = {} if signal.channels is None else {"channel": list(signal.channels)}
        attrs = {"fs": self.fs} | ({} if signal.unit is None else {"units": signal.unit})
        dims = ("sample", *signal.dims[1:-1], "time")
        return xr.DataArray(values.numpy(), coords, dims, attrs=attrs)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Sums over windows at each time, of values over (window, ...) or (window, ..., time in it)."""
        by_time = values.ndim > 1
        total = np.zeros((*values.shape[1:-1], self.n))
        for start, one in zip(self.starts, values, strict=True):
            total[..., start : start + self.size] += one if by_time else float(one)
        return total

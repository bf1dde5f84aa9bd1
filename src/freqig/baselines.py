"""Baselines: where the path starts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._check import check_real
from .signals import as_tensor


def read_baseline(baseline: Any, x: Tensor, time_axis: int) -> Tensor:
    """Baseline of every sample, shape of `x`; zero where none is given.

    Parameters
    ----------
    baseline : array-like or None
        Of the shape of the input or of one of its series, in the input's own layout.
    x : torch.Tensor
        Signals, shape (N, *axes, n), time last.
    time_axis : int
        Axis of time in the input's own layout.

    Raises
    ------
    ValueError
        If the shape fits neither, or a value is not finite.
    """
    if baseline is None:
        return torch.zeros((), dtype=torch.float32).expand(x.shape)
    values = as_tensor(baseline, "baseline")
    axis = time_axis if time_axis < 0 else time_axis - (x.ndim - values.ndim)
    if values.ndim in (x.ndim, x.ndim - 1) and values.ndim > 0:
        values = values.movedim(axis, -1)
    if tuple(values.shape) not in (tuple(x.shape), tuple(x.shape[1:])):
        own = list(x.shape)
        own.insert(time_axis % x.ndim, own.pop())
        raise ValueError(
            f"baseline must have the shape of x, {tuple(own)}, or of one of its series, "
            f"{tuple(own[1:])}, got {tuple(values.shape)}"
        )
    check_real(values, "baseline")
    return values.expand(x.shape)

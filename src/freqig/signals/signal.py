"""What was read: values, and what the caller's object said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Signal:
    """Signals, and labels where the caller's object had some.

    Parameters
    ----------
    values : torch.Tensor
        Real signals, any floating or integer dtype; shape (N, *axes, n) once their axes are
        placed, else that of the caller's object.
    fs : float or None
        Sampling rate in Hz.
    channels : tuple of str or None
        Names of the channels.
    dims : tuple of str or None
        Names of the axes of `values`; None where they are known by position alone.
    labels : mapping of str to tuple
        Labels along an axis, by its name.
    coords : mapping of str to numpy.ndarray
        What else is known of every sample, such as its subject: one value per sample each.
    unit : str or None
        Unit of the values.
    fs_error : float
        By how much of itself `fs` may be off, since times are rounded; infinite where `fs` is
        that of plain sample numbers, which every other rate outweighs.
    given_unit : str or None
        Unit of the caller's object, where values were converted from it.
    classes : tuple of str or None
        Names of classes in the order of their codes, where labels of samples have such.
    start : float
        Time of the first value of every sample, in s: before its event, in epochs.
    """

    values: Tensor
    fs: float | None = None
    channels: tuple[str, ...] | None = None
    dims: tuple[str, ...] | None = None
    labels: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    coords: Mapping[str, np.ndarray] = field(default_factory=dict)
    unit: str | None = None
    fs_error: float = 0.0
    given_unit: str | None = None
    classes: tuple[str, ...] | None = None
    start: float = 0.0

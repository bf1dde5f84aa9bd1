"""Axes of signals: which of them appear in the result, what they are called, and their coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .signal import Signal

TIMES = ("time", "segment")
"""Coordinates of domains that are times in a signal, where they are in s."""


@dataclass(frozen=True)
class Axes:
    """Which axes of a signal (sample, *axes, time) appear in the result, and their names.

    With several axes between sample and time, those of size one are dropped; the last of the
    others is `channel`, those before it `axis_1`, `axis_2`, ….

    Parameters
    ----------
    shape : tuple of int
        Shape of the signals, (N, *axes, n).
    fs : float or None
        Sampling rate in Hz.
    channels : tuple of str or None
        Names of the channels.
    unit, given_unit : str or None
        Unit of the signals, and that of the caller's object where they were converted from it.
    along : mapping of str to numpy.ndarray
        Coordinates along the samples, one value per sample each.
    start : float
        Time of the first value, in s.
    """

    shape: tuple[int, ...]
    fs: float | None
    channels: tuple[str, ...] | None = None
    unit: str | None = None
    along: Mapping[str, np.ndarray] = field(default_factory=dict)
    given_unit: str | None = None
    start: float = 0.0
    sizes: tuple[int, ...] = field(init=False)
    dims: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        between = self.shape[1:-1]
        if len(between) < 2:
            kept = between
        else:
            kept = tuple(size for size in between if size > 1) or between[-1:]
        names = tuple(f"axis_{i + 1}" for i in range(len(kept) - 1)) + ("channel",) * bool(kept)
        object.__setattr__(self, "sizes", kept)
        object.__setattr__(self, "dims", names)

    @classmethod
    def of(cls, signal: Signal) -> Axes:
        """The axes of signals whose axes are placed."""
        known = signal.fs, signal.channels, signal.unit, signal.coords, signal.given_unit, signal.start
        return cls(tuple(signal.values.shape), *known)

    @property
    def n(self) -> int:
        return self.shape[-1]

    def coords(self) -> dict[str, Any]:
        values, unit = times(self.n, self.fs)
        coords: dict[str, Any] = {"time": ("time", since(self.start, "time", values, unit), {"units": unit})}
        if self.channels is not None and self.sizes and len(self.channels) == self.sizes[-1]:
            coords["channel"] = ("channel", list(self.channels))
        coords.update({name: ("sample", values) for name, values in self.along.items()})
        return coords

    def about_signal(self) -> dict[str, str]:
        """Attributes of the signals in the result."""
        known = {"kind": "signal", "units": self.unit, "input_units": self.given_unit}
        return {key: text for key, text in known.items() if text is not None}


def since(start: float, key: str, values: np.ndarray, unit: str) -> np.ndarray:
    """Values of a coordinate of a domain; those that are times in a signal begin with it, at `start` in s.

    Examples
    --------
    >>> since(-0.5, "time", np.array([0.0, 1.0]), "s"), since(-0.5, "quefrency", np.array([0.0, 1.0]), "s")
    (array([-0.5,  0.5]), array([0., 1.]))
    """
    return values + start if key in TIMES and unit == "s" and start else values


def frequencies(n: int, fs: float | None) -> tuple[np.ndarray, str]:
    """Frequencies of a real FFT over n samples and their unit."""
    if fs is None:
        return np.fft.rfftfreq(n), "cycles/sample"
    return np.fft.rfftfreq(n, 1 / fs), "Hz"


def real_bins(n: int, device: torch.device) -> Tensor:
    """Which bins of a real FFT over n samples are real: 0 Hz and, for even n, Nyquist; shape (n // 2 + 1,).

    They have no phase, and stand for themselves; all others stand for their negative frequencies too.

    Examples
    --------
    >>> real_bins(4, torch.device("cpu")), real_bins(3, torch.device("cpu"))
    (tensor([ True, False,  True]), tensor([ True, False]))
    """
    k = torch.arange(n // 2 + 1, device=device)
    return (k == 0) | (2 * k == n)


def times(n: int, fs: float | None) -> tuple[np.ndarray, str]:
    """Times of n samples from the first on, and their unit."""
    if fs is None:
        return np.arange(n, dtype=float), "samples"
    return np.arange(n) / fs, "s"

"""Which axes of a signal appear in the result, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..domains.rfft import times
from . import Signal


@dataclass(frozen=True)
class Frame:
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
    unit : str or None
        Unit of the signals.
    along : mapping of str to numpy.ndarray
        Coordinates along the samples, one value per sample each.
    """

    shape: tuple[int, ...]
    fs: float | None
    channels: tuple[str, ...] | None = None
    unit: str | None = None
    along: Mapping[str, np.ndarray] = field(default_factory=dict)
    axes: tuple[int, ...] = field(init=False)
    dims: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        between = self.shape[1:-1]
        if len(between) < 2:
            kept = between
        else:
            kept = tuple(size for size in between if size > 1) or between[-1:]
        names = tuple(f"axis_{i + 1}" for i in range(len(kept) - 1)) + ("channel",) * bool(kept)
        object.__setattr__(self, "axes", kept)
        object.__setattr__(self, "dims", names)

    @classmethod
    def of(cls, signal: Signal) -> Frame:
        """The frame of signals whose axes are placed."""
        return cls(tuple(signal.values.shape), signal.fs, signal.channels, signal.unit, signal.coords)

    @property
    def n(self) -> int:
        return self.shape[-1]

    def coords(self) -> dict[str, Any]:
        values, unit = times(self.n, self.fs)
        coords: dict[str, Any] = {"time": ("time", values, {"units": unit})}
        if self.channels is not None and self.axes and len(self.channels) == self.axes[-1]:
            coords["channel"] = ("channel", list(self.channels))
        coords.update({name: ("sample", values) for name, values in self.along.items()})
        return coords

    def about_signal(self) -> dict[str, str]:
        """Attributes of the signals in the result."""
        return {"kind": "signal"} if self.unit is None else {"kind": "signal", "units": self.unit}

"""Which axes of a signal appear in the result, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .domains.rfft import times


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
    """

    shape: tuple[int, ...]
    fs: float | None
    channels: tuple[str, ...] | None = None
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

    @property
    def n(self) -> int:
        return self.shape[-1]

    def coords(self) -> dict[str, Any]:
        values, unit = times(self.n, self.fs)
        coords: dict[str, Any] = {"time": ("time", values, {"units": unit})}
        if self.channels is not None and self.axes and len(self.channels) == self.axes[-1]:
            coords["channel"] = ("channel", list(self.channels))
        return coords

"""How recordings are to be read: what was asked for, checked before any of them is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._check import check_fs, check_names, check_positive, shown


@dataclass(frozen=True, init=False)
class Reading:
    """What is the same for all recordings that are read, see `freqig.read`.

    Parameters
    ----------
    fs, resample : float, optional
        Sampling rates in Hz.
    channels : sequence of str, optional
        Names that differ.
    window, step : float, optional
        In s.

    Raises
    ------
    TypeError, ValueError
        If a rate or a length is not finite and above zero, channels are no names that differ, or a step is
        given without a window.

    Examples
    --------
    >>> Reading(window=0)
    Traceback (most recent call last):
    ValueError: window must be finite and above 0, got 0
    """

    fs: float | None
    channels: tuple[str, ...] | None
    window: float | None
    step: float | None
    resample: float | None

    def __init__(
        self, fs: Any = None, channels: Any = None, window: Any = None, step: Any = None, resample: Any = None
    ) -> None:
        checked = {
            "fs": None if fs is None else check_fs(fs),
            "channels": None if channels is None else names_of_channels(channels),
            "window": None if window is None else check_positive(window, "window"),
            "step": None if step is None else check_positive(step, "step"),
            "resample": None if resample is None else check_fs(resample, "resample"),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.step is not None and self.window is None:
            raise ValueError(
                f"step must come with window=, the length in s of the windows, got step={shown(step)} alone"
            )


def names_of_channels(channels: Any) -> tuple[str, ...]:
    """Names of channels as the caller gave them.

    Raises
    ------
    TypeError, ValueError
        If they are no sequence of names, or one is there twice.
    """
    if (isinstance(channels, np.ndarray) or hasattr(channels, "to_numpy")) and channels.ndim == 1:
        channels = np.asarray(channels).tolist()
    wanted = check_names(channels, "channels") if isinstance(channels, Sequence) else None
    if not wanted:
        raise TypeError(f"channels must be a sequence of names, at least one, got {shown(channels)}")
    twice = next((one for one in wanted if wanted.count(one) > 1), None)
    if twice is not None:
        raise ValueError(f"channels must each be named once, got {twice!r} {wanted.count(twice)} times")
    return wanted

"""Sampling rates: of times that were rounded, and whether two rates are the same."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from .._check import check_fs
from ..errors import SignalWarning, warn
from .signal import Signal

CLOSE = 1e-3
"""Relative difference up to which two sampling rates are one, as 250 Hz and 249.9 Hz."""
SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
}
SLOW = 1.0
"""Step of times from which on nobody can tell s from ms, or from numbers of samples."""
ROUNDED_TO = (1.0, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Places to which people round times, in the unit that these have."""


def in_seconds(unit: Any) -> float | None:
    """Seconds of a unit of time, None being seconds; None for what is none."""
    return 1.0 if unit is None else SECONDS.get(str(unit).strip().lower())


def rate_of_times(times: np.ndarray, unit: Any, name: str) -> tuple[float | None, float]:
    """Sampling rate that times say, and by how much of itself it may be off.

    Parameters
    ----------
    times : numpy.ndarray
        Times of samples: numbers, or dates and durations of NumPy.
    unit : object
        Unit of numbers, None for seconds; others than those of time give no rate.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    fs : float or None
        In Hz.
    error : float
        Relative; infinite for numbers without a unit in steps of 1 or more: they may be ms, or count samples.

    Raises
    ------
    ValueError
        If the times are not evenly spaced and rising.

    Examples
    --------
    >>> rate_of_times(np.array([0, 4, 8, 12]), "ms", "x")
    (250.0, 0.0)
    """
    if len(times) < 2 or times.dtype.kind not in "iufmM":
        return None, 0.0
    unclear = unit is None and times.dtype.kind in "iuf"
    scale = in_seconds(unit)
    if times.dtype.kind in "mM":
        times, scale = (times - times[0]) / np.timedelta64(1, "s"), 1.0
    if scale is None:
        return None, 0.0
    resolution = _resolution(times)
    seconds = times.astype(float)
    duration = seconds[-1] - seconds[0]
    step = duration / (len(seconds) - 1)
    line = seconds[0] + step * np.arange(len(seconds))
    off = float(np.abs(seconds - line).max())
    # Rounded times leave the line by as much as they were rounded by, but a missing sample leaves
    # it by half a step.
    allowed = max(CLOSE * abs(step), min(resolution, abs(step) / 4))
    if step < 0 and off <= allowed:
        raise ValueError(f"{name} must have times that rise, but its time coordinate falls: sort it by time")
    if not (step > 0 and off <= allowed):
        raise ValueError(
            f"{name} must be sampled evenly, but its time coordinate rises by steps that differ (mean "
            f"{step * scale:g} s, off by up to {off * scale:g} s): resample it"
        )
    if unclear and step >= SLOW * (1 - CLOSE):
        return float(f"{1 / step:.10g}"), math.inf
    # Rounded, since times are: 25 Hz shall not become 24.999999999999996.
    return float(f"{1 / (step * scale):.10g}"), resolution / duration if off > CLOSE * step else 0.0


def _resolution(times: np.ndarray) -> float:
    """By how much times may be off, from their dtype and from the places they are rounded to."""
    largest = float(np.abs(times).max())
    kept = float(np.spacing(np.abs(times).max())) if times.dtype.kind == "f" else 0.0
    seconds = times.astype(float)
    for place in ROUNDED_TO:
        if np.abs(seconds - np.round(seconds / place) * place).max() <= 4 * max(kept, np.spacing(largest)):
            return max(place, kept)
    return kept


def settled(signal: Signal, fs: float | None, name: str) -> Signal:
    """The signal with the sampling rate that the caller gave, where it does not contradict its own.

    Parameters
    ----------
    signal : Signal
        What was read.
    fs : float or None
        What the caller gave, in Hz.
    name : str
        Name of the signal in errors.

    Returns
    -------
    Signal
        The same values.

    Raises
    ------
    ValueError
        If the two differ by more than the rounding of times.

    Examples
    --------
    >>> import torch
    >>> settled(Signal(torch.zeros(1, 8), fs=160.0), 128.0, "x")
    Traceback (most recent call last):
    ValueError: fs must be the sampling rate of x, which says that it is 160 Hz, got fs=128: ...
    """
    if fs is None:
        if signal.fs is not None and math.isinf(signal.fs_error):
            warn(
                f"{name} has times without a unit, whose steps of {1 / signal.fs:g} are taken for seconds, "
                f"{signal.fs:g} Hz: pass fs=, or say it, {name}.time.attrs['units'] = 'ms'",
                SignalWarning,
            )
        return signal
    if not same_rate(fs, signal):
        raise ValueError(
            f"fs must be the sampling rate of {name}, which says that it is {signal.fs:g} Hz, got "
            f"fs={fs:g}: omit fs, or correct the rate that {name} carries"
        )
    return replace(signal, fs=fs, fs_error=0.0)


def same_rate(fs: float | None, signal: Signal) -> bool:
    """Whether a rate agrees with that of a signal; so does one that is unknown."""
    if fs is None or signal.fs is None:
        return True
    return math.isclose(fs, signal.fs, rel_tol=CLOSE + signal.fs_error)


def read_rate(value: Any, key: str, name: str) -> float:
    """A sampling rate among the attributes of an object."""
    try:
        return check_fs(value)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{name} must carry a sampling rate in Hz in its attribute {key!r}: {error}"
        ) from None

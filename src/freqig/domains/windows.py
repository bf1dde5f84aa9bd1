"""Tapers by name, and lengths given in seconds as numbers of samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._check import LARGEST_COUNT
from ..errors import add_context
from ..signals import as_tensor

# "boxcar" as in scipy.signal.windows: no taper at all.
TAPERS = ("bartlett", "blackman", "boxcar", "cosine", "hamming", "hann", "nuttall")
Taper = Any


def read_taper(taper: Taper) -> Taper:
    """A taper as given, or what is wrong with it.

    Parameters
    ----------
    taper : str, callable or array-like
        Name, function from a number of samples to that many values, or the values.

    Raises
    ------
    ValueError, TypeError
        If the name is unknown, or values are not a series of finite real numbers.
    """
    if isinstance(taper, str):
        if taper not in TAPERS:
            raise ValueError(
                f"taper must be one of {', '.join(map(repr, TAPERS))}, an array or a function of the "
                f"number of samples, got {taper!r}"
            )
        return taper
    return taper if callable(taper) else _values(taper)


def taper_values(taper: Taper, length: int, domain: str) -> Tensor:
    """Values of a taper, float64, shape (length,).

    Named tapers are periodic (the DFT-even form), not symmetric.

    Raises
    ------
    ValueError
        If an array has another length.

    Examples
    --------
    >>> taper_values("hann", 4, "stft")
    tensor([0.0000, 0.5000, 1.0000, 0.5000], dtype=torch.float64)
    """
    if isinstance(taper, str):
        if taper == "boxcar":
            return torch.ones(length, dtype=torch.float64)
        function: Callable[..., Tensor] = getattr(torch.signal.windows, taper)
        return function(length, sym=False, dtype=torch.float64)
    values: Tensor = taper
    if callable(taper):
        try:
            values = _values(taper(length))
        except Exception as error:
            add_context(error, f"raised by the function given as taper of domain {domain!r}")
            raise
    if len(values) != length:
        raise ValueError(
            f"taper of domain {domain!r} must have as many values as the window has samples, {length}, "
            f"got {len(values)}"
        )
    return values


def samples_in(seconds: float, fs: float | None, parameter: str, domain: str) -> int:
    """Number of samples nearest to a duration.

    Raises
    ------
    ValueError
        If the sampling rate is unknown, or the duration is less than half a sample.

    Examples
    --------
    >>> samples_in(2.0, 128.0, "window", "stft")
    256
    """
    if fs is None:
        raise ValueError(
            f"{parameter} of domain {domain!r} is in seconds, so the sampling rate must be known: "
            "pass fs= in Hz"
        )
    count = round(seconds * fs)
    if count > LARGEST_COUNT:
        raise ValueError(
            f"{parameter} of domain {domain!r} must be at most {LARGEST_COUNT} samples, got {seconds:g} s at "
            f"fs={fs:g} Hz"
        )
    if count < 1:
        raise ValueError(
            f"{parameter} of domain {domain!r} must be at least one sample, {1 / fs:g} s at fs={fs:g} Hz, "
            f"got {seconds:g} s"
        )
    return count


def _values(taper: Any) -> Tensor:
    values = as_tensor(taper, "taper").cpu().to(torch.float64)
    if values.ndim != 1 or len(values) == 0 or not bool(torch.isfinite(values).all()):
        raise ValueError(
            f"taper must be a series of finite real numbers, got shape {tuple(values.shape)}"
            + (" with NaN or infinity" if not bool(torch.isfinite(values).all()) else "")
        )
    return values

"""Spectra of successive stretches of a series: a night's epochs from one path."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from .._check import check_positive, exact
from .._keywords import says_what_is_meant
from .base import Coordinate, Coords, Domain
from .windows import samples_in


class Segments(Domain):
    """Non-overlapping stretches × frequency, a real Fourier transform of each.

    A remainder at the end is kept as a shorter last segment with frequencies of its own. They
    are wider apart, so each stands at the nearest frequency of the full segments, at most half
    a bin away, and the places between are NaN.

    Parameters
    ----------
    length : float, default 30.0
        Length of a segment in s, rounded to whole samples. Shorter series are one segment.
    name : str, optional
        Name of the variable in the result, "segments" by default.

    Raises
    ------
    ValueError
        If the length is not above zero; when bound to a signal: if the sampling rate is unknown.

    Examples
    --------
    >>> night = Segments(30.0).bind((7500,), fs=100.0)
    >>> night.coords(7500, fs=100.0)["segment"]
    (array([ 0., 30., 60.]), 's')
    >>> x = torch.ones(7500)
    >>> values = night.attribution(x, x)
    >>> values.shape, int(values[-1].isfinite().sum()), round(float(values.nansum()))
    (torch.Size([3, 1501]), 751, 7500)
    """

    inverts = "always"
    affine = False

    @says_what_is_meant
    def __init__(self, length: float = 30.0, name: str | None = None) -> None:
        super().__init__(name)
        self.length = check_positive(length, "length")
        self._size = self._rest = 0

    def __repr__(self) -> str:
        return f"Segments(length={exact(self.length)}, name={self.name!r})"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Segments:
        bound = copy.copy(self)
        bound._size = min(samples_in(self.length, fs, "length", self.name), shape[-1])
        bound._rest = shape[-1] % bound._size
        return bound

    def analyze(self, x: Tensor) -> tuple[Tensor, ...]:
        """Spectra of the full segments, shape (..., segment, frequency), and of the remainder."""
        if not self._size:
            raise ValueError(f"domain {self.name!r} must be bound to a sampling rate first: bind(shape, fs)")
        whole = x.shape[-1] - self._rest
        full = torch.fft.rfft(x[..., :whole].reshape(*x.shape[:-1], -1, self._size))
        return (full, torch.fft.rfft(x[..., whole:])) if self._rest else (full,)

    def synthesize(self, c: tuple[Tensor, ...], n: int) -> Tensor:
        full = torch.fft.irfft(c[0], self._size).flatten(-2)
        return torch.cat([full, torch.fft.irfft(c[1], self._rest)], -1) if self._rest else full

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        if len(parts) == 1:
            return parts[0]
        full, last = parts
        row = full.new_full((*last.shape[:-1], 1, full.shape[-1]), torch.nan)
        # Its bins are more than one bin of the full segments apart: no two get the same place.
        k = torch.arange(last.shape[-1], device=full.device)
        places = -((self._rest - 2 * self._size * k) // (2 * self._rest))
        row[..., 0, places] = last
        return torch.cat([full, row], -2)

    def coords(self, n: int, fs: float | None) -> Coords:
        if fs is None or not self._size:
            return self.bind((n,), fs).coords(n, fs)
        starts = np.arange(0, n, self._size) / fs
        return {"segment": (starts, "s"), "frequency": (np.fft.rfftfreq(self._size, 1 / fs), "Hz")}

    def auxiliary(self, n: int, fs: float | None) -> Mapping[str, tuple[tuple[str, ...], Coordinate, str]]:
        if fs is None or not self._size:
            return self.bind((n,), fs).auxiliary(n, fs)
        starts = np.arange(0, n, self._size)
        return {"length": (("segment",), np.minimum(self._size, n - starts) / fs, "s")}

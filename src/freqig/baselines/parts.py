"""Baselines that change one part of a signal and hold all others: a flat envelope, a flat spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._keywords import says_what_is_meant
from ..carriers import CarrierBand
from ..log_spectra import LogSpectrum
from ..rows import such_rows
from .base import Baseline, wide


@says_what_is_meant
def flat_envelope(low: float, high: float) -> Baseline:
    """The signal with the envelope of a band flattened: what did the modulation of the band do.

    The band keeps its carrier and its mean amplitude, so what is explained is how the amplitude
    moves. What lies outside the band stays as it is, and so does the signal where the envelope is
    at most 1e-6 of its largest value, as there is no carrier to be told.

    Parameters
    ----------
    low, high : float
        Edges of the band in Hz, half-open as in `freqig.bands`: low ≤ f < high; high at most half
        of the sampling rate.

    Returns
    -------
    Baseline
        That of `freqig.Envelope` with the same edges. Needs the sampling rate; signals too short
        for a frequency inside the band are refused.

    Raises
    ------
    TypeError, ValueError
        If the edges are not finite numbers with 0 ≤ low < high.

    Examples
    --------
    >>> t = torch.arange(200, dtype=torch.float64) / 200
    >>> carrier = torch.cos(2 * torch.pi * 50 * t)
    >>> knocks = (2 + torch.cos(2 * torch.pi * 4 * t)) * carrier
    >>> flat = flat_envelope(30, 70).draw(knocks[None], fs=200.0)
    >>> torch.allclose(flat[0, 0], 2 * carrier)
    True
    """
    return _FlatEnvelope(CarrierBand.read(low, high, "flat_envelope"))


def flat_log_spectrum() -> Baseline:
    """The signal with a flat spectrum and its own phases: what did the shape of the spectrum do.

    Every bin gets the mean of log|X| as its logarithm, over the two-sided spectrum, 0 Hz included. Bins
    of at most eps · max|X|, eps = 1.2e-7 of float32, are rounding, and stay as they are.

    Returns
    -------
    Baseline
        That of `freqig.Cepstrum`. Signals that are zero throughout are refused.

    Examples
    --------
    >>> x = torch.tensor([[4.0, 1.0, 0.0, 0.0]])
    >>> flat = flat_log_spectrum().draw(x, fs=None)
    >>> torch.fft.rfft(flat[0, 0]).abs().round(decimals=4)
    tensor([3.9961, 3.9961, 3.9961], dtype=torch.float64)
    """
    return _FlatLogSpectrum()


@dataclass(frozen=True)
class _FlatLogSpectrum(Baseline):
    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        series = wide(x)
        silent = (series == 0).flatten(1).all(1).nonzero().flatten().tolist()
        if silent:
            raise ValueError(
                "x must not be zero throughout for flat_log_spectrum, as there is no logarithm of its "
                f"spectrum, got {such_rows(silent)}: leave them out"
            )
        flattened: Tensor = torch.fft.irfft(LogSpectrum.of(series).flattened(), x.shape[-1])
        return torch.as_tensor(flattened, dtype=series.dtype)[None]

    def describe(self) -> dict[str, Any]:
        return {"name": "flat_log_spectrum"}


@dataclass(frozen=True)
class _FlatEnvelope(Baseline):
    band: CarrierBand

    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        rate, n, series = self.band.check(fs), x.shape[-1], wide(x)
        # A band without a frequency is refused.
        self.band.members(n, rate)
        found = self.band.split(series, rate)
        # Taken from the signal: what stays is as it was to the last digit.
        flattened: Tensor = series - found.above(found.level) * found.carrier
        return torch.as_tensor(flattened, dtype=series.dtype)[None]

    def describe(self) -> dict[str, Any]:
        return {"name": "flat_envelope", "low": self.band.low, "high": self.band.high}

"""A frequency band as an envelope on a carrier: how strong, and how it swings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._check import check_positive
from ._tensor_check import widest
from .band_scales import inside
from .signals.axes import real_bins

NEGLIGIBLE = 1e-6
"""Share of the largest envelope up to which there is no telling how a band swings."""


@dataclass(frozen=True)
class Carried:
    """What a band holds, envelope · carrier, of signals of shape (..., n).

    Parameters
    ----------
    envelope : torch.Tensor
        Amplitude over time, float64, shape (..., n); 0 where the carrier is not known.
    carrier : torch.Tensor
        Cosine of the phase, float64, shape (..., n); 0 where it is not known.
    known : torch.Tensor
        Where the envelope is more than 1e-6 of its largest value, bool, shape (..., n).
    """

    envelope: Tensor
    carrier: Tensor
    known: Tensor

    @property
    def level(self) -> Tensor:
        """Mean envelope over the times at which the carrier is known, shape (..., 1)."""
        return self.envelope.sum(-1, keepdim=True) / self.known.sum(-1, keepdim=True).clamp_min(1)

    def above(self, level: Tensor) -> Tensor:
        """By how much the envelope exceeds a level, 0 where the carrier is not known, shape (..., n)."""
        return torch.where(self.known, self.envelope - level, 0.0)


@dataclass(frozen=True)
class CarrierBand:
    """A band low ≤ f < high in Hz, and whose it is.

    Parameters
    ----------
    low, high : float
        Edges in Hz.
    owner : str
        What errors call it.

    Examples
    --------
    >>> t = torch.arange(100) / 100
    >>> tone = (2 + torch.cos(2 * torch.pi * t)) * torch.cos(2 * torch.pi * 20 * t)
    >>> band = CarrierBand.read(10, 30, "Envelope").split(tone, fs=100.0)
    >>> torch.allclose(band.envelope.float(), 2 + torch.cos(2 * torch.pi * t), atol=1e-5)
    True
    """

    low: float
    high: float
    owner: str

    @classmethod
    def read(cls, low: Any, high: Any, owner: str) -> CarrierBand:
        """Check edges.

        Raises
        ------
        TypeError, ValueError
            If the edges are not finite numbers with 0 ≤ low < high.
        """
        low, high = check_positive(low, "low", zero_allowed=True), check_positive(high, "high")
        if low >= high:
            raise ValueError(f"low must be below high, got {low:g} and {high:g} Hz")
        return cls(low, high, owner)

    def rate(self, fs: float | None) -> float:
        """The sampling rate in Hz; ValueError where it is unknown."""
        if fs is None:
            raise ValueError(
                f"{self.owner} has its edges in Hz, so the sampling rate must be known: pass fs= in Hz"
            )
        return fs

    def check(self, fs: float | None) -> float:
        """The sampling rate in Hz; ValueError where it is unknown, or too low for the band."""
        fs = self.rate(fs)
        if self.high > fs / 2 * (1 + 1e-9):
            raise ValueError(
                f"high of {self.owner} must be at most {fs / 2:g} Hz, half of the sampling rate, got "
                f"{self.high:g} Hz"
            )
        return fs

    def members(self, n: int, fs: float) -> np.ndarray:
        """Which frequencies of a real FFT over n samples the band holds, bool; ValueError if none."""
        frequency = np.fft.rfftfreq(n, 1 / fs)
        members = inside(self.low, self.high, frequency)
        if not members.any():
            raise ValueError(
                f"low and high of {self.owner} must have a frequency between them, got {self.low:g} to "
                f"{self.high:g} Hz, where {n} samples at fs={fs:g} Hz know multiples of {fs / n:g} Hz up to "
                f"{frequency[-1]:g} Hz: take a wider band"
            )
        return members

    def split(self, x: Tensor, fs: float) -> Carried:
        """Envelope and carrier, by the analytic signal of the band (Gabor 1946), shape (..., n)."""
        n = x.shape[-1]
        spectrum = torch.fft.rfft(x.to(widest(x.device)))
        members = torch.from_numpy(inside(self.low, self.high, np.fft.rfftfreq(n, 1 / fs))).to(x.device)
        # What is not real stands for its negative frequency too.
        factor = torch.where(real_bins(n, x.device), 1.0, 2.0) * members
        analytic = torch.fft.ifft(torch.nn.functional.pad(spectrum * factor, (0, n - len(members))))
        envelope = analytic.abs()
        known = envelope > NEGLIGIBLE * envelope.amax(-1, keepdim=True)
        carrier = torch.where(known, analytic.real / envelope, 0.0)
        return Carried(torch.where(known, envelope, 0.0), carrier, known)

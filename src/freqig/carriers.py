"""A frequency band as an envelope on a carrier: how strong, and how it swings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._check import check_positive

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

    def check(self, fs: float | None) -> float:
        """The sampling rate in Hz; ValueError where it is unknown, or too low for the band."""
        if fs is None:
            raise ValueError(
                f"{self.owner} has its edges in Hz, so the sampling rate must be known: pass fs= in Hz"
            )
        if self.high > fs / 2 * (1 + 1e-9):
            raise ValueError(
                f"high of {self.owner} must be at most {fs / 2:g} Hz, half of the sampling rate, got "
                f"{self.high:g} Hz"
            )
        return fs

    def inside(self, n: int, fs: float) -> np.ndarray:
        """Which frequencies of a real FFT over n samples the band holds, bool."""
        return inside(self.low, self.high, np.fft.rfftfreq(n, 1 / fs))

    def split(self, x: Tensor, fs: float) -> Carried:
        """Envelope and carrier, by the analytic signal of the band (Gabor 1946), shape (..., n)."""
        n = x.shape[-1]
        spectrum = torch.fft.rfft(x if x.device.type == "mps" else x.double())
        members = torch.from_numpy(self.inside(n, fs)).to(x.device)
        # 0 Hz and, for even n, Nyquist stand for themselves, all others for their negatives too.
        k = torch.arange(len(members), device=x.device)
        factor = torch.where((k == 0) | (2 * k == n), 1.0, 2.0) * members
        analytic = torch.fft.ifft(torch.nn.functional.pad(spectrum * factor, (0, n - len(members))))
        envelope = analytic.abs()
        known = envelope > NEGLIGIBLE * envelope.amax(-1, keepdim=True)
        carrier = torch.where(known, analytic.real / envelope, 0.0)
        return Carried(torch.where(known, envelope, 0.0), carrier, known)


def inside(low: float, high: float, frequency: np.ndarray) -> np.ndarray:
    """Which frequencies a half-open band holds, bool.

    Examples
    --------
    >>> inside(0.3, 0.6, np.array([0.1 * 3, 0.6])).tolist()
    [True, False]
    """
    # k · fs / n is rounded: a bin on an edge may come out just below it.
    members: np.ndarray = (frequency >= low * (1 - 1e-9)) & (frequency < high * (1 - 1e-9))
    return members

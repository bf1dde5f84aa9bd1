"""Amplitude and phase of every frequency, each with an attribution of its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import Coords
from .nonlinear import NonlinearDomain
from .rfft import frequencies

# Below this share of the largest bin a phase is that of rounding errors.
NEGLIGIBLE = 1e-6


class Polar(NonlinearDomain):
    """Amplitude and phase of every frequency, along a straight path in polar coordinates.

    X_k = r_k exp(iφ_k) runs from the baseline's to the input's in r and φ at once, φ the shorter
    way round: φ_k - φ'_k is in (-π, π]. The first part of an attribution is what the change of
    amplitudes did, the second what the change of phases did (attributions as in
    `freqig.domains.nonlinear.NonlinearDomain`, on the coordinates r and φ).

    A bin of rounding level has a random angle. So where |X'_k| ≤ 1e-6 max|X'| the baseline takes
    the input's phase, and where only |X_k| ≤ 1e-6 max|X| the input the baseline's. Both belong to
    one series. Hence with a zero baseline no phase changes, the path is that of `RFFT`, and so
    are the attributions. DC and, for even n, Nyquist are real: they are signed amplitudes, and
    their phase part is 0.

    Parameters
    ----------
    name : str, optional
        Name of the variable in the result, "polar" by default.

    Examples
    --------
    >>> t = torch.arange(8, dtype=torch.float64)
    >>> cosine, sine = torch.cos(torch.pi / 2 * t), torch.sin(torch.pi / 2 * t)
    >>> c1, c0 = Polar().coordinates(sine, cosine)
    >>> (c1 - c0)[:, 2].round(decimals=4)  # the same amplitude, a quarter of a turn later
    tensor([ 0.0000, -1.5708], dtype=torch.float64)
    >>> list(Polar().coords(8, fs=4.0))
    ['part', 'frequency']
    """

    def analyze(self, x: Tensor) -> Tensor:
        """Amplitudes and phases in radians, shape (..., 2, frequency)."""
        return torch.stack(_amplitude_and_phase(x)[:2], -2)

    def coordinates(self, x: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        amplitude, phase, small = _amplitude_and_phase(x)
        amplitude0, phase0, small0 = _amplitude_and_phase(baseline)
        phase0 = torch.where(small0, phase, phase0)
        turn = torch.where(small, 0.0, phase - phase0)
        # To (-π, π]: π itself stays, -π becomes π.
        turn = turn - 2 * math.pi * torch.ceil((turn - math.pi) / (2 * math.pi))
        return torch.stack([amplitude, phase0 + turn], -2), torch.stack([amplitude0, phase0], -2)

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        amplitude, phase = c.unbind(-2)
        # What stands at DC and Nyquist is no phase, and the gradient there is zero.
        phase = torch.where(_real_bins(n, c), 0.0, phase)
        spectrum = torch.complex(amplitude * phase.cos(), amplitude * phase.sin())
        signal: Tensor = torch.fft.irfft(spectrum, n)
        return signal

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"part": ["amplitude", "phase"], "frequency": frequencies(n, fs)}


def _amplitude_and_phase(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Signed amplitude and phase of every bin, and whether it is of rounding level."""
    spectrum = torch.fft.rfft(x)
    real_bins = _real_bins(x.shape[-1], x)
    size = spectrum.abs()
    amplitude = torch.where(real_bins, spectrum.real, size)
    phase = torch.where(real_bins, 0.0, spectrum.angle())
    return amplitude, phase, size <= NEGLIGIBLE * size.amax(-1, keepdim=True)


def _real_bins(n: int, like: Tensor) -> Tensor:
    """Which bins of a real FFT over n samples have no phase, bool, shape (n // 2 + 1,)."""
    k = torch.arange(n // 2 + 1, device=like.device)
    return (k == 0) | (2 * k == n)

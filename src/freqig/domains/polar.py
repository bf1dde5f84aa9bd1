"""Amplitude and phase of every frequency, each with an attribution of its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .._tensor_check import widest
from ..signals.axes import frequencies, real_bins
from .base import Coords
from .nonlinear import NonlinearDomain

NEGLIGIBLE = 1e-6
"""Share of the largest bin besides DC below which a phase counts as that of rounding errors."""

ROUNDING = 8
"""The same in eps · ‖signal‖₂: values rounded to eps make bins of that size, the largest of them a few
times larger. It matters where an offset is far larger than everything else."""


class Polar(NonlinearDomain):
    """Amplitude and phase of every frequency, along a straight path in polar coordinates.

    X_k = r_k exp(iφ_k) runs from the baseline's to the input's in r and φ at once, φ the shorter
    way round: φ_k - φ'_k is in (-π, π]. The first part of an attribution is what the change of
    amplitudes did, the second what the change of phases did (attributions as in
    `freqig.domains.nonlinear.NonlinearDomain`, on the coordinates r and φ).

    A bin of rounding level has a random angle. So where |X'_k| is negligible the baseline takes
    the input's phase, and where only |X_k| is, the input the baseline's. Negligible is what is at
    most 1e-6 of the largest bin of both series, DC aside, or within their rounding; it is judged
    for every sample and channel by itself, whatever the unit. Hence with a baseline that is zero,
    or zero up to rounding, no phase changes, the path is that of `RFFT`, and so are the
    attributions. DC and, for even n, Nyquist are real: they are signed amplitudes, and their
    phase part is 0.

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
        return torch.stack(_amplitude_and_phase(_spectrum(x), x.shape[-1]), -2).to(x.dtype)

    def coordinates(self, x: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        n, spectra = x.shape[-1], (_spectrum(x), _spectrum(baseline))
        (amplitude, phase), (amplitude0, phase0) = (_amplitude_and_phase(s, n) for s in spectra)
        # What is nothing beside the other end of the path is nothing on the path.
        limit = torch.maximum(_rounding_level(x, spectra[0]), _rounding_level(baseline, spectra[1]))
        small, small0 = (s.abs() <= limit for s in spectra)
        phase0 = torch.where(small0, phase, phase0)
        turn = torch.where(small, 0.0, phase - phase0)
        # To (-π, π]: π itself stays, -π becomes π.
        turn = turn - 2 * math.pi * torch.ceil((turn - math.pi) / (2 * math.pi))
        ends = torch.stack([amplitude, phase0 + turn], -2), torch.stack([amplitude0, phase0], -2)
        return ends[0].to(x.dtype), ends[1].to(x.dtype)

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        amplitude, phase = c.unbind(-2)
        # What stands at DC and Nyquist is no phase, and the gradient there is zero.
        phase = torch.where(real_bins(n, c.device), 0.0, phase)
        spectrum = torch.complex(amplitude * phase.cos(), amplitude * phase.sin())
        signal: Tensor = torch.fft.irfft(spectrum, n)
        return signal

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"part": ["amplitude", "phase"], "frequency": frequencies(n, fs)}


def _spectrum(x: Tensor) -> Tensor:
    """Spectrum in float64 where the device has it: FFTs of awkward lengths round too much in float32."""
    spectrum: Tensor = torch.fft.rfft(x.to(widest(x.device)))
    return spectrum


def _amplitude_and_phase(spectrum: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Signed amplitude and phase of every bin of a spectrum of n samples."""
    real = real_bins(n, spectrum.device)
    amplitude = torch.where(real, spectrum.real, spectrum.abs())
    return amplitude, torch.where(real, 0.0, spectrum.angle())


def _rounding_level(x: Tensor, spectrum: Tensor) -> Tensor:
    """Size of a bin beside this series up to which a bin is negligible, shape (..., 1)."""
    size = spectrum.abs()
    largest = size.amax(-1, keepdim=True)
    # Squares of a spectrum of largest bin 1: neither overflow nor vanish.
    relative = size / largest.clamp_min(torch.finfo(size.dtype).tiny)
    # ‖x‖₂ by Parseval's theorem, or up to √2 more, as every bin is counted twice.
    norm = largest * torch.linalg.vector_norm(relative, dim=-1, keepdim=True) * math.sqrt(2 / x.shape[-1])
    # Without a bin besides DC there is nothing but its rounding.
    others = size[..., 1:].amax(-1, keepdim=True) if size.shape[-1] > 1 else torch.zeros_like(largest)
    return torch.maximum(ROUNDING * torch.finfo(x.dtype).eps * norm, NEGLIGIBLE * others)

"""A series as the logarithm of its spectrum and its phases, and what it is with a flat one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ._tensor_check import widest
from .signals.axes import real_bins

FLOOR = float(torch.finfo(torch.float32).eps)
"""Share of the largest bin up to which a bin is rounding: that of float32, in which most models run, whatever
the dtype, so that a baseline drawn in float64 and a domain in float32 agree on it."""


@dataclass(frozen=True)
class LogSpectrum:
    """Logarithms of amplitudes, and phases, of series of n samples; K = n // 2 + 1 bins.

    Parameters
    ----------
    spectrum : torch.Tensor
        The spectrum itself, complex128, shape (..., K).
    floor : torch.Tensor
        Eps times its largest amplitude, shape (..., 1).
    n : int
        Number of samples.

    Examples
    --------
    >>> tone = torch.cos(2 * torch.pi * torch.arange(8.0, dtype=torch.float64) / 4)
    >>> LogSpectrum.of(tone).held.tolist()
    [True, True, False, True, True]
    """

    spectrum: Tensor
    floor: Tensor
    n: int

    @classmethod
    def of(cls, x: Tensor) -> LogSpectrum:
        """That of series of shape (..., n)."""
        spectrum = torch.fft.rfft(x.to(widest(x.device)))
        return cls(spectrum, FLOOR * spectrum.abs().amax(-1, keepdim=True), x.shape[-1])

    @property
    def held(self) -> Tensor:
        """Bins that are nothing beside the largest, bool: they stay as they are."""
        return self.spectrum.abs() <= self.floor

    def log(self, spectrum: Tensor | None = None) -> Tensor:
        """log|X|, floored, of this or another spectrum, shape (..., K)."""
        amplitude = (self.spectrum if spectrum is None else spectrum).abs()
        # A channel of zeros has no floor.
        return torch.maximum(amplitude, self.floor).clamp_min(torch.finfo(amplitude.dtype).tiny).log()

    @property
    def counts(self) -> Tensor:
        """How many bins of the two-sided spectrum each stands for, shape (K,)."""
        return torch.where(real_bins(self.n, self.floor.device), 1.0, 2.0).to(self.floor.dtype)

    def mean(self, values: Tensor, among: Tensor) -> Tensor:
        """Mean over some bins of the two-sided spectrum, shape (..., 1)."""
        weights = self.counts * among
        return (values * weights).sum(-1, keepdim=True) / weights.sum(-1, keepdim=True).clamp_min(1)

    def at_level(self, level: Tensor) -> Tensor:
        """The phases of this spectrum with one amplitude everywhere, shape (..., K)."""
        return torch.polar(level.expand(self.spectrum.shape).contiguous(), self.spectrum.angle())

    def flattened(self) -> Tensor:
        """The spectrum with the mean of log|X| in every bin that is not held."""
        free = ~self.held
        level = self.mean(self.log(), free).exp()
        return torch.where(free, self.at_level(level), self.spectrum)

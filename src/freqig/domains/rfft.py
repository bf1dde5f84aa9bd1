"""One-sided spectrum of the whole series: FLEX."""

from __future__ import annotations

import torch
from torch import Tensor

from ..signals.axes import frequencies
from .base import Coords, Domain


class RFFT(Domain):
    """Frequencies of the real Fourier transform over the whole series.

    With n samples the attributions are w_k / n · Re(conj(RFFT(δ)_k) · RFFT(ḡ)_k), w_k = 1 at
    DC and, for even n, at Nyquist, 2 elsewhere: FLEX (Gräve et al. 2025), that is Integrated
    Gradients of the model behind an inverse real FFT.

    Parameters
    ----------
    name : str, optional
        Name of the variable in the result, "rfft" by default.

    Examples
    --------
    >>> RFFT().coords(5, fs=10.0)["frequency"]
    (array([0., 2., 4.]), 'Hz')
    """

    shared = ("channel", "frequency")
    inverts = "always"
    affine = False

    def analyze(self, x: Tensor) -> Tensor:
        spectrum: Tensor = torch.fft.rfft(x)
        return spectrum

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        series: Tensor = torch.fft.irfft(c, n)
        return series

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"frequency": frequencies(n, fs)}

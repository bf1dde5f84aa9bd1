"""One-sided spectrum of the whole series: FLEX."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from .._keywords import says_what_is_meant
from ..signals.axes import frequencies
from .base import Coefficients, Coords, as_tuple
from .shaft import OfShaft


class RFFT(OfShaft):
    """Frequencies of the real Fourier transform over the whole series.

    With n samples the attributions are w_k / n · Re(conj(RFFT(δ)_k) · RFFT(ḡ)_k), w_k = 1 at
    DC and, for even n, at Nyquist, 2 elsewhere: FLEX (Gräve et al. 2025), that is Integrated
    Gradients of the model behind an inverse real FFT.

    Parameters
    ----------
    name : str, optional
        Name of the variable in the result, "rfft" by default.
    orders : float or array-like, optional
        Speed of a shaft in Hz: frequencies are then orders, multiples of it. One number divides the
        frequencies by it. A track, one speed per time sample, shape (n,), the same for all samples and
        channels, resamples series over the angle of the shaft by linear interpolation, at two angles or
        more per sample, and takes the Fourier transform of that: what is locked to the shaft stays sharp
        while the speed varies. Where samples differ, a track for each, shape (samples, n), or one speed
        for each, shape (samples, 1): then all share the orders of the sample with the most turns, and
        series of fewer turns have zeros behind. The way back is the least-squares fit, so that nothing is
        lost, and attributions are complete. Up to a quarter of the sampling rate amplitudes are right to
        2 %; orders are known up to the sampling rate over the lowest speed.

    Raises
    ------
    TypeError, ValueError
        If the speed is not finite and above 0; when bound to a signal: if the sampling rate is unknown, a
        track has another number of values, there are not as many tracks as samples, or the lowest speed is
        less than a 32nd of the mean.

    Notes
    -----
    The dimension is ``frequency``, its unit Hz or orders. An `RFFT` with orders that is called otherwise than
    "rfft" has a dimension of its own, ``<name>_frequency``, and may so stand beside one in Hz.

    Examples
    --------
    >>> RFFT().coords(5, fs=10.0)["frequency"]
    (array([0., 2., 4.]), 'Hz')
    >>> RFFT(orders=4.0).coords(5, fs=10.0)["frequency"]
    (array([0. , 0.5, 1. ]), 'orders')
    """

    shared: tuple[str, ...] = ("channel", "frequency")
    inverts: Literal["checked", "always", "partly"] = "always"
    affine = False

    @says_what_is_meant
    def __init__(self, name: str | None = None, *, orders: Any = None) -> None:
        super().__init__(name)
        if orders is not None:
            self._take(orders)
            if self.name != type(self).name:
                self.shared = ("channel",)
            if self.resampled:
                self.inverts = "checked"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}{self._orders_shown()})"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> RFFT:
        return self._bound(shape[-1], fs)

    def analyze(self, x: Tensor) -> Coefficients:
        series, held = self._over_angle(x)
        spectrum: Tensor = torch.fft.rfft(series)
        return (spectrum, *held) if held else spectrum

    def synthesize(self, c: Any, n: int) -> Tensor:
        spectrum, *held = as_tuple(c)
        return self._in_time(torch.fft.irfft(spectrum, self._size(n)), held, n)

    def adjoint(self, c: Coefficients, gradient: Tensor) -> tuple[Tensor, ...]:
        if self.resampled:
            return super().adjoint(c, gradient)
        return (adjoint_of_irfft(gradient.to(as_tuple(c)[0].real)),)

    def coords(self, n: int, fs: float | None) -> Coords:
        if self.speed is None:
            return {"frequency": frequencies(n, fs)}
        if isinstance(self.speed, float):
            return {"frequency": (frequencies(n, fs)[0] / self.speed, "orders")}
        grid = self._grid
        if grid is None:
            return self.bind((n,), fs).coords(n, fs)
        return {"frequency": (np.arange(grid.count // 2 + 1) / grid.turns, "orders")}


def adjoint_of_irfft(gradient: Tensor) -> Tensor:
    """Adjoint of the inverse real FFT to n samples, applied to a gradient of shape (..., n).

    Each bin but DC, and Nyquist of even n, stands for two of the complex transform.

    Examples
    --------
    >>> adjoint_of_irfft(torch.tensor([1.0, 0.0, 0.0, 0.0])).real
    tensor([0.2500, 0.5000, 0.2500])
    """
    spectrum: Tensor = torch.fft.rfft(gradient, norm="forward")
    spectrum[..., 1 : (gradient.shape[-1] + 1) // 2] *= 2
    return spectrum

"""One-sided spectrum of the whole series: FLEX."""

from __future__ import annotations

import copy
from dataclasses import fields
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ..signals.axes import frequencies
from .base import Coefficients, Coords, Domain, as_tuple
from .turns import Grid, Turns, read_speed


class RFFT(Domain):
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
    # A subclass need not call our `__init__`.
    speed: float | np.ndarray | None = None
    _turns: Turns | None = None
    _grid: Grid | None = None
    _fs: float = 0.0
    _rows: Tensor | None = None

    def __init__(self, name: str | None = None, *, orders: Any = None) -> None:
        super().__init__(name)
        if orders is not None:
            self.speed = read_speed(orders)
            if self.name != type(self).name:
                self.shared = ("channel",)
            if self.resampled:
                self.inverts = "checked"
            if self.by_sample:
                # How each series is resampled goes along with its coefficients.
                self.held = len(fields(Turns)) - 1

    def __repr__(self) -> str:
        if self.speed is None:
            return f"{type(self).__name__}(name={self.name!r})"
        speed = (
            repr(self.speed)
            if isinstance(self.speed, float)
            else f"<{' × '.join(map(str, self.speed.shape))} speeds>"
        )
        return f"{type(self).__name__}(name={self.name!r}, orders={speed})"

    @property
    def resampled(self) -> bool:
        """Whether series are resampled over the angle of a shaft."""
        return isinstance(self.speed, np.ndarray)

    @property
    def by_sample(self) -> bool:
        """Whether every sample has a speed of its own."""
        return isinstance(self.speed, np.ndarray) and self.speed.ndim == 2

    @property
    def n_samples(self) -> int | None:
        if not self.by_sample:
            return None
        return len(self.speed if self._rows is None else self._rows)  # type: ignore[arg-type]

    def of_samples(self, rows: Tensor) -> RFFT:
        if not self.by_sample:
            return self
        chosen = copy.copy(self)
        chosen._rows = rows.cpu() if self._rows is None else self._rows[rows.cpu()]
        return chosen

    def bind(self, shape: tuple[int, ...], fs: float | None) -> RFFT:
        if self.speed is None:
            return self
        if fs is None:
            raise ValueError(
                f"orders of domain {self.name!r} are speeds in Hz, so the sampling rate must be known: pass "
                "fs= in Hz"
            )
        if isinstance(self.speed, float):
            return self
        n, given = shape[-1], self.speed.shape[-1]
        if given != n and not (self.by_sample and given == 1):
            raise ValueError(
                f"orders of domain {self.name!r} must be one speed per time sample, {n}, got {given}: "
                "resample the track to their rate, cut it as they are cut, and pass one row per window, "
                "shape (samples, n); or one speed per sample, shape (samples, 1), as speeds[:, None]"
            )
        bound = copy.copy(self)
        bound._fs, bound._grid = fs, Grid.of(self.speed, n, fs, self.name)
        if not self.by_sample:
            bound._turns = Turns.of(self.speed, bound._grid, n, fs)
        return bound

    def analyze(self, x: Tensor) -> Coefficients:
        turns = self._turns_of(x) if self.by_sample else self._turns
        spectrum: Tensor = torch.fft.rfft(x if turns is None else turns.over_angle(x))
        return (spectrum, *turns.tensors) if turns is not None and self.by_sample else spectrum

    def synthesize(self, c: Any, n: int) -> Tensor:
        spectrum, turns = (c[0], Turns(c[1], c[2], c[3], c[4], n)) if self.by_sample else (c, self._turns)
        if turns is not None:
            return turns.in_time(torch.fft.irfft(spectrum, turns.index.shape[-1]))
        series: Tensor = torch.fft.irfft(spectrum, n)
        return series

    def adjoint(self, c: Coefficients, gradient: Tensor) -> tuple[Tensor, ...]:
        if self.resampled:
            return super().adjoint(c, gradient)
        return (adjoint_of_irfft(gradient.to(as_tuple(c)[0].real)),)

    def _turns_of(self, x: Tensor) -> Turns:
        """How each of some signals is resampled, shape (S, *channels, n)."""
        speed, grid = self.speed, self._grid
        if not isinstance(speed, np.ndarray) or grid is None or len(x) != self.n_samples:
            raise ValueError(
                f"orders of domain {self.name!r} are of {self.n_samples} samples, got {len(x)}: bind it, and "
                "choose the samples with of_samples(rows)"
            )
        rows = speed if self._rows is None else speed[self._rows.numpy()]
        return Turns.of(rows, grid, x.shape[-1], self._fs, x.ndim - 1).beside(x)

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

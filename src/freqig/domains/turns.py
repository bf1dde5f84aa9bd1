"""Series over the angle of a shaft whose speed varies, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_number, check_positive
from ..signals import as_tensor

MOST = 64
"""Samples over the angle for one over time, beyond which the shaft nearly stands still for a while."""


def read_speed(orders: Any) -> float | np.ndarray:
    """Speed of a shaft in Hz: one number, or one number per time sample, float64, shape (n,).

    Raises
    ------
    TypeError, ValueError
        If it is neither, or not finite and above 0 throughout.

    Examples
    --------
    >>> read_speed(25), read_speed([25.0, 25.0]), read_speed([20.0, 30.0])
    (25.0, array([25., 25.]), array([20., 30.]))
    """
    if isinstance(orders, (Number, np.generic, str, bytes)):
        return check_positive(check_number(orders, "orders", "the speed of the shaft in Hz"), "orders")
    track = as_tensor(orders, "orders").cpu()
    if track.ndim != 1 or not len(track) or track.is_complex():
        raise ValueError(
            "orders must be the speed of the shaft in Hz, one number or one per time sample, got shape "
            f"{tuple(track.shape)}"
        )
    values: np.ndarray = track.double().numpy().copy()
    if not (np.isfinite(values).all() and values.min() > 0):
        raise ValueError(
            f"orders must be finite and above 0 Hz throughout, got {values.min():g} to {values.max():g} Hz: "
            "cut off where the shaft stands still"
        )
    return values


@dataclass(frozen=True)
class Turns:
    """A series resampled over the angle of a shaft by linear interpolation, and its inverse.

    With R the interpolation at m ≥ 2n angles next to one another, and W the time that each of them stands
    for, the inverse is (Rᵀ W R)⁻¹ Rᵀ W: the least-squares fit, in time, of a piecewise linear series to what
    is given over the angle. It undoes R on all series. Series are periodic, as for a Fourier transform.

    Parameters
    ----------
    index : torch.Tensor
        Time sample before each angle, int64, shape (m,).
    fraction : torch.Tensor
        How far behind it, in samples, float64, shape (m,).
    weight : torch.Tensor
        Diagonal of W in samples, float64, shape (m,).
    turns : float
        Turns of the shaft altogether.
    n : int
        Number of time samples.

    Examples
    --------
    >>> speeding_up = Turns.of(np.linspace(10.0, 20.0, 64), fs=64.0, owner="rfft")
    >>> x = torch.randn(64, dtype=torch.float64)
    >>> torch.allclose(speeding_up.in_time(speeding_up.over_angle(x)), x)
    True
    """

    index: Tensor
    fraction: Tensor
    weight: Tensor
    turns: float
    n: int

    @classmethod
    def of(cls, speed: np.ndarray, fs: float, owner: str) -> Turns:
        """Those of a shaft with a speed in Hz at every time sample, shape (n,)."""
        n = len(speed)
        # Between two samples the shaft turns at their mean speed; after the last it goes on as at first.
        steps = (speed + np.roll(speed, -1)) / (2 * fs)
        steps[-1] = speed[-1] / fs
        angle = np.concatenate([[0.0], np.cumsum(steps)])
        # Two angles or more in every step: with less than that a sample might be seen by none.
        m = math.ceil(2 * angle[-1] / steps.min())
        if m > MOST * n:
            raise ValueError(
                f"orders of domain {owner!r} must have a lowest speed of at least 1/{MOST // 2} of the mean, "
                f"got {speed.min():g} to {speed.max():g} Hz: cut off where the shaft nearly stands still"
            )
        at = np.arange(m) * (angle[-1] / m)
        index = (np.searchsorted(angle, at, side="right") - 1).clip(0, n - 1)
        fraction = ((at - angle[index]) / steps[index]).clip(0, 1)
        weight = angle[-1] / m / steps[index]
        return cls(
            torch.from_numpy(index),
            torch.from_numpy(fraction),
            torch.from_numpy(weight),
            float(angle[-1]),
            n,
        )

    def over_angle(self, x: Tensor) -> Tensor:
        """R x, shape (..., n) to (..., m)."""
        index, fraction = self.index.to(x.device), self.fraction.to(x)
        return x[..., index] * (1 - fraction) + x[..., (index + 1) % self.n] * fraction

    def in_time(self, y: Tensor) -> Tensor:
        """(Rᵀ W R)⁻¹ Rᵀ W y, shape (..., m) to (..., n)."""
        return self._solved(self._gathered(y * self.weight.to(y), self.fraction.to(y)))

    def _gathered(self, y: Tensor, fraction: Tensor) -> Tensor:
        """Rᵀ y for a fraction, shape (..., m) to (..., n)."""
        index, zero = self.index.to(y.device), y.new_zeros((*y.shape[:-1], self.n))
        before = zero.index_add(-1, index, y * (1 - fraction))
        return before.index_add(-1, (index + 1) % self.n, y * fraction)

    def _solved(self, b: Tensor) -> Tensor:
        """(Rᵀ W R)⁻¹ b: the matrix is cyclic and tridiagonal, and far from singular.

        By Chebyshev's iteration (Golub and Van Loan, Matrix Computations, section 11.2.8) on the matrix over
        its diagonal, whose eigenvalues lie within `radius` of 1 (Gershgorin). A fixed number of steps, linear
        in b, so that autograd gives the adjoint.
        """
        w, a = self.weight, self.fraction
        diagonal = torch.zeros(self.n, dtype=w.dtype).index_add(0, self.index, w * (1 - a) ** 2)
        diagonal = diagonal.index_add(0, (self.index + 1) % self.n, w * a**2)
        # Of each sample and the next.
        beside = torch.zeros_like(diagonal).index_add(0, self.index, w * a * (1 - a))
        radius = float(((beside + beside.roll(1)) / diagonal).max())
        right, left = ((v / diagonal).to(b) for v in (beside, beside.roll(1)))
        b = b / diagonal.to(b)
        if radius == 0:
            return b
        rate = radius / (1 + math.sqrt(1 - radius**2))
        found = step = b
        last = radius
        for _ in range(math.ceil(math.log(torch.finfo(b.dtype).eps / 4) / math.log(rate))):
            residual = b - found - right * found.roll(-1, -1) - left * found.roll(1, -1)
            now = 1 / (2 / radius - last)
            step = now * last * step + 2 * now / radius * residual
            found, last = found + step, now
        return found

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
    """Speed of a shaft in Hz: one number, one per time sample, or a row of these for each sample of a batch.

    Returns
    -------
    float or numpy.ndarray
        Of arrays float64, shape (n,), (S, n) or, where each sample has one speed, (S, 1).

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or not finite and above 0 throughout.

    Examples
    --------
    >>> read_speed(25), read_speed([25.0, 25.0]), read_speed([[20.0], [30.0]]).shape
    (25.0, array([25., 25.]), (2, 1))
    """
    if isinstance(orders, (Number, np.generic, str, bytes)):
        return check_positive(check_number(orders, "orders", "the speed of the shaft in Hz"), "orders")
    track = as_tensor(orders, "orders").cpu()
    if track.ndim not in (1, 2) or not track.numel() or track.is_complex():
        raise ValueError(
            "orders must be the speed of the shaft in Hz: one number, one per time sample, shape (n,), or a "
            f"row per sample, shape (samples, n) or (samples, 1), got shape {tuple(track.shape)}"
        )
    values: np.ndarray = track.double().numpy().copy()
    if not (np.isfinite(values).all() and values.min() > 0):
        bad = np.argwhere(~(np.isfinite(values) & (values > 0)))[0]
        where = f"at time sample {bad[-1]}" + (f" of sample {bad[0]}" if values.ndim == 2 else "")
        raise ValueError(
            f"orders must be finite and above 0 Hz throughout, got {values[tuple(bad)]:g} Hz {where}: "
            "cut off where the shaft stands still"
        )
    return values


@dataclass(frozen=True)
class Grid:
    """Angles next to one another, the same for all samples, at two or more per step of each of them.

    Parameters
    ----------
    count : int
        How many angles, m, which the sample with the most turns needs.
    turns : float
        Turns of the shaft that they span.
    """

    count: int
    turns: float

    @classmethod
    def of(cls, speed: np.ndarray, n: int, fs: float, owner: str) -> Grid:
        """That of shafts with speeds in Hz, shape (n,), (S, n) or (S, 1), in series of n samples."""
        turns, shortest = 0.0, math.inf
        for row in np.atleast_2d(speed):
            steps = _steps(row, n, fs)
            turns, shortest = max(turns, float(steps.sum())), min(shortest, float(steps.min()))
        # Two angles or more in every step: with less than that a sample might be seen by none.
        count = math.ceil(2 * turns / shortest)
        if count > MOST * n:
            raise ValueError(
                f"orders of domain {owner!r} must have a lowest speed of at least 1/{MOST // 2} of the "
                f"{'mean' if speed.ndim == 1 else 'largest mean of a sample'}, got {speed.min():g} to "
                f"{speed.max():g} Hz: cut off where the shaft nearly stands still"
            )
        return cls(count, turns)


def _steps(row: np.ndarray, n: int, fs: float) -> np.ndarray:
    """Turns from each time sample to the next, shape (n,), for a row of n speeds, or a single one."""
    speed = np.broadcast_to(row, (n,))
    # Between two samples the shaft turns at their mean speed; after the last it goes on as at first.
    steps: np.ndarray = (speed + np.roll(speed, -1)) / (2 * fs)
    steps[-1] = speed[-1] / fs
    return steps


def angle_times(speed: np.ndarray, turns: np.ndarray, n: int, fs: float) -> np.ndarray:
    """Times in s at which a shaft with a track of n speeds has made so many turns.

    Examples
    --------
    >>> angle_times(np.full(8, 2.0), np.array([0.0, 1.0, 3.0]), 8, fs=4.0)
    array([0. , 0.5, 1.5])
    """
    angle = np.append(0.0, np.cumsum(_steps(speed, n, fs)))
    times = np.interp(turns, angle, np.arange(n + 1) / fs)
    # Behind the series it goes on as fast as at last.
    return np.asarray(times + np.maximum(turns - angle[-1], 0) / speed[-1])


@dataclass(frozen=True)
class Turns:
    """Series resampled over the angle of a shaft by linear interpolation, and the inverse of that.

    With R the interpolation at angles next to one another, two or more in every step, and W the time that
    each of them stands for, the inverse is (Rᵀ W R)⁻¹ Rᵀ W: the least-squares fit, in time, of a piecewise
    linear series to what is given over the angle. It undoes R on all series. Series are periodic, as for a
    Fourier transform; of several with unequal numbers of turns, those with fewer have zeros behind.

    Parameters
    ----------
    index : torch.Tensor
        Time sample before each angle, int64, shape (m,), or (S, 1, ..., m) for S samples.
    before, after : torch.Tensor
        Weights of this time sample and of the next, float64, the shape of `index`; zero beyond the last turn.
    weight : torch.Tensor
        Diagonal of W in samples, float64, the shape of `index`.
    n : int
        Number of time samples.

    Examples
    --------
    >>> speed = np.linspace(10.0, 20.0, 64)
    >>> speeding_up = Turns.of(speed, Grid.of(speed, 64, 64.0, "rfft"), 64, fs=64.0)
    >>> x = torch.randn(64, dtype=torch.float64)
    >>> torch.allclose(speeding_up.in_time(speeding_up.over_angle(x)), x)
    True
    """

    index: Tensor
    before: Tensor
    after: Tensor
    weight: Tensor
    n: int

    @classmethod
    def of(cls, speed: np.ndarray, grid: Grid, n: int, fs: float, n_axes: int = 1) -> Turns:
        """Those of shafts with speeds in Hz, shape (n,), (S, n) or (S, 1), for signals of `n_axes` axes."""
        spacing = grid.turns / grid.count
        at = np.arange(grid.count) * spacing
        rows = [_interpolated(_steps(row, n, fs), at, spacing) for row in np.atleast_2d(speed)]
        shape = (len(rows), *[1] * (n_axes - 1), grid.count) if speed.ndim == 2 else (grid.count,)
        index, before, after, weight = (
            torch.from_numpy(np.stack(column)).reshape(shape) for column in zip(*rows, strict=True)
        )
        return cls(index, before, after, weight, n)

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What it consists of beside the number of time samples, in the order of the parameters."""
        return self.index, self.before, self.after, self.weight

    def beside(self, x: Tensor) -> Turns:
        """The same on the device of signals, and in their dtype."""
        return Turns(
            self.index.to(x.device), self.before.to(x), self.after.to(x), self.weight.to(x), n=self.n
        )

    def over_angle(self, x: Tensor) -> Tensor:
        """R x, shape (..., n) to (..., m)."""
        shape = (*x.shape[:-1], self.index.shape[-1])
        index = self.index.to(x.device)
        here, there = (x.gather(-1, i.expand(shape)) for i in (index, (index + 1) % self.n))
        return here * self.before.to(x) + there * self.after.to(x)

    def in_time(self, y: Tensor) -> Tensor:
        """(Rᵀ W R)⁻¹ Rᵀ W y, shape (..., m) to (..., n)."""
        weight = self.weight.to(y)
        return self._solved(self._gathered(y * weight * self.before.to(y), y * weight * self.after.to(y)))

    def _gathered(self, here: Tensor, there: Tensor) -> Tensor:
        """Sums over the angles behind each time sample, and over those before it; (..., m) to (..., n)."""
        index, zero = self.index.to(here.device), here.new_zeros((*here.shape[:-1], self.n))
        first = zero.scatter_add(-1, index.expand(here.shape), here)
        return first.scatter_add(-1, ((index + 1) % self.n).expand(there.shape), there)

    def _solved(self, b: Tensor) -> Tensor:
        """(Rᵀ W R)⁻¹ b: the matrix is cyclic and tridiagonal, and far from singular.

        By Chebyshev's iteration (Golub and Van Loan, Matrix Computations, section 11.2.8) on the matrix over
        its diagonal, whose eigenvalues lie within `radius` of 1 (Gershgorin). A fixed number of steps, linear
        in b, so that autograd gives the adjoint.
        """
        w, here, there = self.weight, self.before, self.after
        diagonal = self._gathered(w * here**2, w * there**2)
        # Of each sample and the next.
        beside = torch.zeros_like(diagonal).scatter_add(-1, self.index, w * here * there)
        radius = float(((beside + beside.roll(1, -1)) / diagonal).max())
        right, left = ((v / diagonal).to(b) for v in (beside, beside.roll(1, -1)))
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


def _interpolated(steps: np.ndarray, at: np.ndarray, spacing: float) -> tuple[np.ndarray, ...]:
    """Index, weights of both neighbours and time of each angle, for one series with these steps."""
    angle = np.concatenate([[0.0], np.cumsum(steps)])
    index = (np.searchsorted(angle, at, side="right") - 1).clip(0, len(steps) - 1)
    after = ((at - angle[index]) / steps[index]).clip(0, 1)
    # The last angle of the longest is one spacing before its end.
    inside = at < angle[-1] - spacing * 1e-6
    return index, np.where(inside, 1 - after, 0), np.where(inside, after, 0), inside * spacing / steps[index]

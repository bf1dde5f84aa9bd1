"""Domains whose frequencies may be orders: multiples of the speed of a shaft, which may vary."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Self

import numpy as np
from torch import Tensor

from .base import Domain
from .turns import Grid, Turns, read_speed


class OfShaft(Domain):
    """What such domains share: a shaft with its speed, and series resampled over its angle.

    Where the shaft has one speed, or there is none, series stay as they are. Where every sample has a speed
    of its own, how each is resampled goes along with its coefficients, as what is held.
    """

    # A subclass need not call an `__init__` of ours.
    speed: float | np.ndarray | None = None
    _turns: Turns | None = None
    _grid: Grid | None = None
    _fs: float = 0.0
    _rows: Tensor | None = None

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

    def of_samples(self, rows: Tensor) -> Self:
        if not self.by_sample:
            return self
        chosen = copy.copy(self)
        chosen._rows = rows.cpu() if self._rows is None else self._rows[rows.cpu()]
        return chosen

    def _take(self, orders: Any) -> None:
        """Take the speed of the shaft as the caller gave it."""
        self.speed = read_speed(orders)
        if self.by_sample:
            self.held = len(fields(Turns)) - 1

    def _orders_shown(self) -> str:
        """What stands of it in the `repr`."""
        if self.speed is None:
            return ""
        if isinstance(self.speed, float):
            return f", orders={self.speed!r}"
        return f", orders=<{' × '.join(map(str, self.speed.shape))} speeds>"

    def _bound(self, n: int, fs: float | None) -> Self:
        """Itself, or a copy that knows how series of n samples are resampled."""
        if self.speed is None:
            return self
        if fs is None:
            raise ValueError(
                f"orders of domain {self.name!r} are speeds in Hz, so the sampling rate must be known: pass "
                "fs= in Hz"
            )
        if isinstance(self.speed, float):
            return self
        given = self.speed.shape[-1]
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

    def _size(self, n: int) -> int:
        """Number of angles, or of samples where series stay as they are."""
        return n if self._grid is None else self._grid.count

    def _over_angle(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Series over the angle, shape (..., n) to (..., m), and what is held of each."""
        if not self.resampled:
            return x, ()
        turns = self._turns_of(x) if self.by_sample else self._turns
        if turns is None:
            raise ValueError(f"domain {self.name!r} must be bound to a sampling rate first: bind(shape, fs)")
        return turns.over_angle(x), turns.tensors if self.by_sample else ()

    def _in_time(self, series: Tensor, held: Sequence[Tensor], n: int) -> Tensor:
        """The inverse of that."""
        if held:
            index, before, after, weight = held
            return Turns(index, before, after, weight, n).in_time(series)
        return series if self._turns is None else self._turns.in_time(series)

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

"""What `tol` allows, and what rounding makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..completeness import ROUNDING
from ..diagnosis import Array, Diagnosis, too_much_rounding
from .nodes import SIZES, TINY, VALUES, Flags

NOISE = 16.0
"""Rounding of a mean gradient, in eps times the mean L1 norm of the gradients it averages."""


@dataclass(frozen=True)
class Tolerance:
    """What is asked of every sample, beside the rounding of its model.

    `dtype` tells whose rounding counts, as far as it is known: autocast inside the model shows only once a
    gradient has been taken. `watched` are those of the projections, time being the first, that must keep
    `tol`.
    """

    tol: float
    dtype: Callable[[], torch.dtype]
    watched: slice

    @property
    def eps(self) -> float:
        """Rounding, relative to a number."""
        return float(torch.finfo(self.dtype()).eps)

    @property
    def narrowest(self) -> float:
        """Below this width the ends of an interval are the same numbers to the model."""
        return max(min(64 * self.eps, 2.0**-6), 1e-10)

    def rounding(self, values: Array, hidden: Array | float = 0.0) -> Array:
        """What rounding may make of a difference of values of F, shape (A, m, T) to (A, T).

        `hidden`, (A, T), is what it has made of the outputs that F is computed from, where that is known.
        """
        # The smallest number that there is, for values that have underflowed.
        least = float(torch.finfo(self.dtype()).smallest_normal) * self.eps
        rounding: Array = ROUNDING * (self.eps * np.abs(values).max(1) + least) + hidden
        return rounding

    def noise(self, trace: Array, hidden: Array | float = 0.0) -> Array:
        """L1 error of the attributions by rounding, (A, T): of each gradient by its own size, and of F."""
        size, ends = trace[SIZES, :, 1:-1].mean(1), trace[VALUES][:, [0, -1]]
        rounding = self.rounding(ends, hidden)
        # Where neither gradient nor F says that anything moves, attributions of zero are exact.
        moves = (size > 0) | (np.abs(ends[:, 1] - ends[:, 0]) > rounding)
        return np.where(moves, NOISE * self.eps * size + rounding, 0.0)

    def allowed(self, norms: Array, noise: Array) -> Array:
        """L1 error beside rounding at which no more nodes are added, for norms of shape (A, P, T).

        Where `tol` leaves less than rounding itself more nodes are of no use, and it is not `tol` that is
        reached.
        """
        allowed: Array = np.maximum(self.tol * norms - noise[:, None], noise[:, None]) + TINY
        return allowed

    def complete(self, gap: Array, allowed_gap: Array, norm: Array, noise: Array) -> Flags:
        """Whether more nodes would not close the gap: it is small, or `tol` leaves only rounding, (A, T)."""
        limited = noise >= self.tol * norm - noise
        complete: Flags = (np.abs(gap) <= allowed_gap + TINY) | (limited & (np.abs(gap) <= noise))
        return complete

    def largest(self, errors: Array, of: Array) -> Array:
        """Errors in units `of` something, the largest of what is watched, (A, P, T) to (A, T)."""
        with np.errstate(over="ignore"):
            largest: Array = (errors / of)[:, self.watched].max(1)
        return largest

    def told_of_rounding(self, error: Array, values: Array, hidden: Array) -> Diagnosis:
        """What rounding allows one sample, for the target that it allows least: (T,), and F, (m, T)."""
        t = int(error.argmax())
        rounding = float(self.rounding(values[None], hidden)[0, t])
        size = float(max(np.abs(values[:, t]).max(), hidden[t] / (ROUNDING * self.eps)))
        moves = float(np.ptp(values[:, t]))
        return too_much_rounding(float(error[t]), self.tol, self.eps, moves, size, rounding)

"""What is known of paths at their nodes: where they are, F and its slope, and the gradients themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .path import Array

VALUES, SLOPES, SIZES = range(3)
"""Rows of a trace: F, its slope along the path Σ δ·g, and Σ |δ·g|."""

TINY = float(np.finfo(float).tiny)

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Nodes:
    """A samples with n nodes each, every sample its own; new ones make new `Nodes`.

    `sample` says which, `unused` the place of each that no rule uses, `looked` whether the gradient near
    both ends was looked at; `doubt` is 1 where every interval is yet to be looked into before the path is
    believed, 2 while that is being done, else 0; all of shape (A,). `wanted`, (A, m), are places at which
    gradients are to be taken next. `place`, (A, n), ascends inside (0, 1), `gradient`, (A, n, T, D), has the
    dtype of the model, and `trace`, (3, A, n + 2, T), holds F, slope and size there and at both ends of the
    path, where slope and size are NaN: the gradient at the baseline need not exist.
    """

    sample: NDArray[np.int64]
    unused: Array
    looked: Flags
    doubt: NDArray[np.int8]
    wanted: Array
    place: Array
    trace: Array
    gradient: Tensor

    @classmethod
    def none(
        cls, sample: NDArray[np.int64], unused: Array, wanted: Array, ends: Array, like: Tensor
    ) -> Nodes:
        """Paths of which only F at both ends is known, shape (A, 2, T), and δ is `like`, (S, D)."""
        n, unknown = len(sample), np.full_like(ends, np.nan)
        flags = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int8)
        empty = like.new_empty(n, 0, ends.shape[2], like.shape[1])
        return cls(sample, unused, *flags, wanted, wanted[:, :0], np.stack([ends, unknown, unknown]), empty)

    @property
    def n(self) -> int:
        """Nodes of each sample."""
        return int(self.place.shape[1])

    @property
    def edges(self) -> Array:
        """Places with both ends of the path, shape (A, n + 2)."""
        return np.pad(self.place, ((0, 0), (1, 1)), constant_values=(0, 1))

    def merged(self, trace: Array, gradient: Tensor) -> Nodes:
        """With what was found at the places wanted, in order: shapes (3, A, m, T) and (A, m, T, D)."""
        joined = np.concatenate([self.place, self.wanted], 1)
        order = np.argsort(joined, 1)
        inner = np.concatenate([self.trace[:, :, 1:-1], trace], 2)
        inner = np.take_along_axis(inner, order[None, :, :, None], 2)
        # Written to their places rather than joined and sorted: that would be a third copy.
        rank = torch.as_tensor(np.argsort(order, 1), device=gradient.device)
        rows = torch.arange(len(order), device=gradient.device).unsqueeze(1)
        whole = gradient.new_empty(*order.shape, *gradient.shape[2:])
        whole[rows, rank[:, : self.n]], whole[rows, rank[:, self.n :]] = self.gradient, gradient
        trace = np.concatenate([self.trace[:, :, :1], inner, self.trace[:, :, -1:]], 2)
        place = np.take_along_axis(joined, order, 1)
        return replace(self, wanted=self.wanted[:, :0], place=place, trace=trace, gradient=whole)

    def take(self, chosen: Flags) -> Nodes:
        """Those of some of the samples, bool, shape (A,)."""
        if chosen.all():
            return self
        rows = torch.as_tensor(np.flatnonzero(chosen), device=self.gradient.device)
        return self._each(lambda name, v: v[:, chosen] if name == "trace" else v[chosen], self.gradient[rows])

    @staticmethod
    def join(parts: Sequence[Nodes]) -> Nodes:
        """Samples with as many nodes, and as many wanted, together."""

        def joined(name: str, _: Any) -> Any:
            return np.concatenate([getattr(part, name) for part in parts], int(name == "trace"))

        return parts[0] if len(parts) == 1 else parts[0]._each(joined, torch.cat([p.gradient for p in parts]))

    def _each(self, call: Any, gradient: Tensor) -> Nodes:
        """All arrays by name through a function."""
        names = ("sample", "unused", "looked", "doubt", "wanted", "place", "trace")
        return Nodes(**{name: call(name, getattr(self, name)) for name in names}, gradient=gradient)


def unit(trace: Array) -> Array:
    """Power of two near the largest size at the nodes, or the range of F, shape (A, T); 1 where all is zero.

    In this unit numbers may be squared and multiplied whatever the scale of F, and dividing by it is exact.
    """
    largest = np.maximum(trace[SIZES, :, 1:-1].max(1), np.ptp(trace[VALUES], axis=1))
    powers: Array = np.exp2(np.frexp(np.where(largest > 0, largest, 1.0))[1].clip(-1000, 1000).astype(float))
    return powers


def halves(unit: Array) -> tuple[Array, Array]:
    """Two factors that together divide by a unit: one over the unit need not be a number of the dtype."""
    half = np.exp2(np.floor(np.log2(unit) / 2))
    return 1 / half, half / unit


def mean_size(trace: Array) -> Array:
    """Mean of Σ |δ·g| over the nodes, shape (A, T)."""
    mean: Array = trace[SIZES, :, 1:-1].mean(1)
    return mean


def interval_gaps(places: Array, values: Array, slopes: Array) -> tuple[Array, Array]:
    """Rise of F beyond the mean slope in each interval, and width times difference of slopes, (A, m - 1, T).

    One kink makes a gap of half of the second at most. NaN at the ends is replaced by the neighbour's slope.
    """
    slopes = slopes.copy()
    for end, neighbour in ((0, 1), (-1, -2)):
        slopes[:, end] = np.where(np.isnan(slopes[:, end]), slopes[:, neighbour], slopes[:, end])
    width = np.diff(places)[..., None]
    gaps = np.diff(values, axis=1) - width * (slopes[:, 1:] + slopes[:, :-1]) / 2
    return gaps, width * np.abs(np.diff(slopes, axis=1))

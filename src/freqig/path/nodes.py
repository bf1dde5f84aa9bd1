"""What is known of paths at their nodes: where they are, F and its slope, and the gradients themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..chunks import Chunks
from ..diagnosis import Array

VALUES, SLOPES, SIZES = range(3)
"""Rows of a trace: F, its slope along the path Σ δ·g, and Σ |δ·g|."""

LARGEST = 2**20
"""Values that are worked on at once: what is made of gradients needs several times the room of these."""

TINY = float(np.finfo(float).tiny)

Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nodes:
    """A samples with n nodes each, every sample its own; new ones make new `Nodes`.

    `sample`, (A,), says which, and `unused`, (A,), the place of each that no rule uses. `wanted`, (A, m), are
    places at which gradients are to be taken next. `place`, (A, n), ascends inside (0, 1), `gradient`,
    (A, n, T, D), has the dtype of the model, and `trace`, (3, A, n + 2, T), holds F, slope and size there and
    at both ends of the path, where slope and size are NaN: the gradient at the baseline need not exist.
    """

    sample: Indices
    unused: Array
    wanted: Array
    place: Array
    trace: Array
    gradient: Tensor

    @classmethod
    def none(cls, sample: Indices, unused: Array, wanted: Array, ends: Array, like: Tensor) -> Nodes:
        """Paths of which only F at both ends is known, shape (A, 2, T), and δ is `like`, (S, D)."""
        unknown = np.full_like(ends, np.nan)
        empty = like.new_empty(len(ends), 0, ends.shape[2], like.shape[1])
        return cls(sample, unused, wanted, wanted[:, :0], np.stack([ends, unknown, unknown]), empty)

    @property
    def n(self) -> int:
        """Nodes of each sample."""
        return int(self.place.shape[1])

    @cached_property
    def edges(self) -> Array:
        """Places with both ends of the path, shape (A, n + 2)."""
        edges: Array = np.pad(self.place, ((0, 0), (1, 1)), constant_values=(0, 1))
        return edges

    def merged(self, trace: Array, gradient: Tensor) -> Nodes:
        """With what was found at the places wanted, in order: shapes (3, A, m, T) and (A, m, T, D)."""
        places, n = np.concatenate([self.edges, self.wanted], 1), self.n
        order = np.argsort(places, 1)
        inside = np.take_along_axis(places, order, 1)[:, 1:-1]
        trace = np.take_along_axis(np.concatenate([self.trace, trace], 2), order[None, :, :, None], 2)
        # Written to their places rather than joined and sorted: that would be a third copy.
        rank = torch.as_tensor(np.argsort(order, 1) - 1, device=gradient.device)
        rows = torch.arange(len(order), device=gradient.device).unsqueeze(1)
        whole = gradient.new_empty(*inside.shape, *gradient.shape[2:])
        whole[rows, rank[:, 1 : n + 1]], whole[rows, rank[:, n + 2 :]] = self.gradient, gradient
        return replace(self, wanted=self.wanted[:, :0], place=inside, trace=trace, gradient=whole)

    def take(self, rows: Indices) -> Nodes:
        """Those of some of the samples, ascending, counted from zero."""
        if len(rows) == len(self.sample):
            return self
        own = self.sample[rows], self.unused[rows], self.wanted[rows], self.place[rows], self.trace[:, rows]
        return Nodes(*own, self.gradient[torch.as_tensor(rows, device=self.gradient.device)])

    @staticmethod
    def join(parts: Sequence[Nodes]) -> Nodes:
        """Samples with as many nodes, and as many wanted, together."""
        if len(parts) == 1:
            return parts[0]
        names = ("sample", "unused", "wanted", "place")
        own: dict[str, Any] = {n: np.concatenate([getattr(part, n) for part in parts]) for n in names}
        own["trace"] = np.concatenate([part.trace for part in parts], 1)
        return Nodes(**own, gradient=torch.cat([part.gradient for part in parts]))


def blocks(n_samples: int, shape: Sequence[int]) -> Iterator[tuple[slice, slice]]:
    """Parts of so many samples and of the features of gradients of a shape (…, n, T, D) for one step."""
    n, n_targets, n_features = shape[1:]
    for rows in Chunks(LARGEST // (n * n_targets * n_features)).split(n_samples):
        for columns in Chunks(LARGEST // (n * n_targets)).split(n_features):
            yield rows, columns


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

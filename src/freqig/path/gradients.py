"""Evaluates F and its gradient at places of many paths, in full chunks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._tensor_check import widest
from ..chunks import Chunks
from ..diagnosis import Array
from ..objective.objective import Objective
from .nodes import Indices


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight paths of S samples from `baseline` by `delta`, (S, *shape), and what is followed there."""

    objective: Objective
    baseline: Tensor
    delta: Tensor
    chunks: Chunks

    def gradients(self, sample: Indices, place: Array) -> tuple[Array, Tensor]:
        """Gradients at P places, shape (P,), of the paths `sample`, likewise.

        The trace, (3, P, T), is what `nodes` lists: its size is NaN where F or the gradient is not finite,
        and the gradient, (P, T, D), zero. Places are rounded to the dtype of the model here and nowhere else.
        """
        rows, places = self._tensors(sample, place)
        n_targets, delta = self.objective.n_targets, self.delta.flatten(1)
        wide = widest(delta.device)
        found = delta.new_empty(len(rows), n_targets, delta.shape[1])
        trace = np.empty((3, len(rows), n_targets))

        def evaluate(part: slice) -> None:
            """Nothing has changed when this raises; the same again where a chunk is repeated."""
            points = points_on_path(self.baseline, self.delta, rows[part], places[part])
            values, gradients = self.objective.value_and_gradient(points, rows[part])
            flat = gradients.flatten(2)
            products = flat.to(wide, copy=True).mul_(delta.index_select(0, rows[part]).unsqueeze(1))
            slopes, sizes = products.sum(-1), products.abs_().sum(-1)
            # δ may be zero where the gradient is not finite: 0 · inf is NaN, so products tell.
            bad = ~(sizes.isfinite() & values.isfinite())
            found[part] = flat
            if bad.any():
                found[part][bad.any(1)] = 0.0
                sizes[bad] = torch.nan
            trace[:, part] = torch.stack([values.to(wide), slopes, sizes]).double().cpu().numpy()

        self.chunks.run(len(rows), evaluate)
        return trace, found

    def trace(self, sample: Indices, place: Array) -> Array:
        """The trace at P places, (3, P, T), of a few gradients at a time, of which none is kept."""
        parts = [slice(i, i + 8) for i in range(0, len(place), 8)]
        return np.concatenate([self.gradients(sample[part], place[part])[0] for part in parts], 1)

    def values(self, sample: Indices, place: Array) -> Array:
        """F alone, by forward passes, at P places: shape (P, T)."""
        rows, places = self._tensors(sample, place)
        values = np.empty((len(rows), self.objective.n_targets))

        def evaluate(part: slice) -> None:
            points = points_on_path(self.baseline, self.delta, rows[part], places[part])
            values[part] = self.objective.value(points, rows[part]).double().cpu().numpy()

        self.chunks.run(len(rows), evaluate)
        return values

    def _tensors(self, sample: Indices, place: Array) -> tuple[Tensor, Tensor]:
        device = self.delta.device
        return torch.as_tensor(sample, device=device), torch.tensor(place).to(self.delta)


def points_on_path(baseline: Tensor, delta: Tensor, rows: Tensor, nodes: Tensor) -> Tensor:
    """Points baseline + node · delta of the samples `rows`, shape (P, *shape)."""
    steps = nodes.reshape(-1, *(1,) * (delta.ndim - 1))
    return delta.index_select(0, rows).mul_(steps).add_(baseline.index_select(0, rows))

"""Norms of combinations of gradients, in every domain that is watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..chunks import Chunks
from ..completeness import correctable_gap, gap_limit
from ..diagnosis import Array
from ..objective.objective import widest
from .nodes import SLOPES, Nodes, halves

Projection = Callable[[Tensor, Tensor], Sequence[Tensor]]
"""From a mean gradient, shape (S', T, *shape), and the samples that it belongs to, shape (S',), to all parts
of the attributions that add up to F(x) - F(x'), each of shape (S', T, ...): linear in the gradient."""


@dataclass(frozen=True)
class Measured:
    """What was measured of K combinations of the gradients of A samples, in a given unit.

    L1 norms as attributions in every projection, time first, (A, K, P, T), and sums, (A, K, T); the largest
    completeness gap that counts as complete, and the largest that a correction may close, (A, T).
    """

    norms: Array
    totals: Array
    allowed_gap: Array
    correctable: Array


@dataclass(frozen=True, eq=False)
class Gauge:
    """Measures combinations of gradients of some samples, a few samples at a time.

    δ has the shape (S, *shape), F at both ends (S, T); `projections` are the domains, and `tol` is the
    tolerance of the completeness gap.
    """

    delta: Tensor
    output: Tensor
    baseline_output: Tensor
    projections: Sequence[Projection]
    tol: float
    chunks: Chunks

    def measure(self, nodes: Nodes, weights: Array, unit: Array) -> Measured:
        """Measure combinations of the gradients at nodes, by weights (A, T, K, n), in a unit (A, T)."""
        index = torch.as_tensor(nodes.sample, device=nodes.gradient.device)
        first, second = (torch.as_tensor(half).to(nodes.gradient) for half in halves(unit))
        own = torch.as_tensor(weights).to(nodes.gradient) * first[:, :, None, None]
        n_combined, found = weights.shape[2], list[Tensor]()

        def collect(part: slice) -> None:
            # Projections run over a few at a time: spectrograms can be larger than any chunk.
            for few in Chunks(max(1, self.chunks.size // n_combined)).split(part.stop - part.start):
                k = slice(part.start + few.start, part.start + few.stop)
                parts = []
                for some in Chunks(self.chunks.size).split(n_combined):
                    block = torch.einsum("atkn,antd->katd", own[k][:, :, some], nodes.gradient[k])
                    parts.append(self._norms(index[k], block.mul_(second[k, :, None])))
                found.append(torch.cat(parts, 1))

        self.chunks.run(len(index), collect, n_combined)
        norms = torch.cat(found)
        # The slope of each node is such a sum: no pass over gradients is needed.
        slopes = nodes.trace[SLOPES, :, 1:-1] / unit[:, None]
        totals = np.einsum("atkn,ant->akt", weights, slopes)
        scale = torch.as_tensor(unit).to(norms)
        known = norms[:, 0, 0] * scale, self.output[index], self.baseline_output[index], self.tol
        limits = [limit(*known, self.delta.dtype) / scale for limit in (gap_limit, correctable_gap)]
        return Measured(as_array(norms), totals, *map(as_array, limits))

    def _norms(self, rows: Tensor, block: Tensor) -> Tensor:
        """Norms, (A, K, P, T), of combinations of shape (K, A, T, D)."""
        wide = widest(block.device)
        n_combined, _, n_targets, _ = block.shape
        in_time = block * self.delta[rows].flatten(1).unsqueeze(1)
        norms = [in_time.abs_().sum(-1).to(wide)]
        # All combinations at once: a call costs more than its numbers where series are short.
        shaped = block.reshape(-1, n_targets, *self.delta.shape[1:])
        for project in self.projections:
            # A level of wavelets, or an input, that hardly matters is known as well as the whole is.
            parts = project(shaped, rows.repeat(n_combined))
            sums = [attributions.flatten(2).abs().sum(-1).to(wide) for attributions in parts]
            norms.append(torch.stack(sums).sum(0).reshape(norms[0].shape))
        return torch.stack(norms, 2).movedim(0, 1)


def as_array(values: Tensor) -> Array:
    """The numbers of a tensor, float64, in the memory of the host."""
    array: Array = values.double().cpu().numpy()
    return array

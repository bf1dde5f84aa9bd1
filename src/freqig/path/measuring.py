"""Norms of combinations of gradients, in every domain that is watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .._tensor_check import widest
from ..chunks import Chunks
from ..completeness import correctable_gap, gap_limit
from ..diagnosis import Array
from .nodes import Indices, Nodes, halves

Projection = Callable[[Tensor, Tensor], Tensor]
"""From mean gradients, shape (S', T, *shape), and the samples that they belong to, shape (S',), to L1 norms
of all attributions that add up to F(x) - F(x') together, shape (S', T)."""


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

    def norms(self, nodes: Nodes, weights: Array, unit: Array) -> Array:
        """L1 norms in time and in projections, (K, A, P, T), by weights (A, T, K, n) and in a unit (A, T)."""
        index = torch.as_tensor(nodes.sample, device=nodes.gradient.device)
        first, second = (torch.as_tensor(half).to(nodes.gradient) for half in halves(unit))
        own = torch.as_tensor(weights).to(nodes.gradient) * first[:, :, None, None]
        n_combined, found, wide = weights.shape[2], list[Tensor](), widest(index.device)

        def collect(part: slice) -> None:
            for few in Chunks(max(1, self.chunks.size // n_combined)).split(part.stop - part.start):
                k, parts = slice(part.start + few.start, part.start + few.stop), []
                delta = self.delta[index[k]].flatten(1)[:, None, None]
                for some in Chunks(self.chunks.size).split(n_combined):
                    block = torch.einsum("atkn,antd->aktd", own[k][:, :, some], nodes.gradient[k])
                    norms = [(block.mul_(second[k, None, :, None]) * delta).abs_().sum(-1).to(wide)]
                    # All combinations at once: a call costs more than its numbers where series are short.
                    shaped = block.reshape(-1, block.shape[2], *self.delta.shape[1:])
                    rows = index[k].repeat_interleave(block.shape[1])
                    norms += [p(shaped, rows).to(wide).reshape(norms[0].shape) for p in self.projections]
                    parts.append(torch.stack(norms, 2))
                found.append(torch.cat(parts, 1))

        self.chunks.run(len(index), collect, n_combined)
        return as_array(torch.cat(found)).swapaxes(0, 1)

    def limits(self, sample: Indices, norms: Array, unit: Array) -> tuple[Array, Array]:
        """Gaps that count as complete, and that may be closed, by L1 norms in time, in a unit: all (A, T)."""
        scale = torch.as_tensor(unit).to(self.output)
        ends = self.output[sample], self.baseline_output[sample]
        known = torch.as_tensor(norms).to(scale) * scale, *ends, self.tol, self.delta.dtype
        return as_array(gap_limit(*known) / scale), as_array(correctable_gap(*known) / scale)


def as_array(values: Tensor) -> Array:
    """The numbers of a tensor, float64, in the memory of the host."""
    array: Array = values.double().cpu().numpy()
    return array

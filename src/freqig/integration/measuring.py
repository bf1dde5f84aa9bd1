"""Norms of combinations of gradients, in every domain that is watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..chunks import Chunks
from ..completeness import correctable_gap, gap_limit
from ..objective.objective import widest
from .node_trace import TINY
from .path import Array

Projection = Callable[[Tensor, Tensor], Sequence[Tensor]]
"""From a mean gradient, shape (S', T, *shape), and the samples that it belongs to, shape (S',), to
attributions, each of shape (S', T, ...): linear in the gradient."""


@dataclass(frozen=True)
class Measured:
    """What was measured of K combinations of the running sums of A samples.

    Parameters
    ----------
    norms : numpy.ndarray
        L1 norms of the first of them as attributions in every projection, time first, shape (A, K', P, T).
    totals : numpy.ndarray
        Their sums over features, shape (A, K, T).
    alignment : numpy.ndarray
        Cosine of the angle between the second and the third in time, without its sign, shape (A, T);
        1 where there is no third.
    allowed_gap : numpy.ndarray
        Largest completeness gap that counts as complete, shape (A, T).
    correctable : numpy.ndarray
        Largest completeness gap that a correction may close, shape (A, T).
    """

    norms: Array
    totals: Array
    alignment: Array
    allowed_gap: Array
    correctable: Array

    def in_units(self, unit: Array) -> Measured:
        """The same divided by a unit, shape (A, T)."""
        return Measured(
            self.norms / unit[:, None, None],
            self.totals / unit[:, None],
            self.alignment,
            self.allowed_gap / unit,
            self.correctable / unit,
        )


class Gauge:
    """Measures combinations of gradients of some samples, a few samples at a time.

    Parameters
    ----------
    delta : torch.Tensor
        Input minus baseline, shape (S, *shape).
    output, baseline_output : torch.Tensor
        F at both ends, shape (S, T).
    projections : sequence of callables
        Domains, see `Projection`.
    tol : float
        Tolerance of the completeness gap.
    chunks : Chunks
        Points at a time.
    """

    def __init__(
        self,
        delta: Tensor,
        output: Tensor,
        baseline_output: Tensor,
        projections: Sequence[Projection],
        tol: float,
        chunks: Chunks,
    ) -> None:
        self.delta, self.output, self.baseline_output = delta, output, baseline_output
        self.projections, self.tol, self.chunks = projections, tol, chunks
        self.wide = widest(delta.device)

    def of_sums(self, samples: Sequence[int], sums: Tensor, combined: Array, n_projected: int) -> Measured:
        """Measure the same combinations of running sums of some samples.

        Parameters
        ----------
        samples : sequence of int
            Which, A of them.
        sums : torch.Tensor
            Running sums of all samples, shape (S, R, T, D).
        combined : numpy.ndarray
            Coefficients, shape (K, R).
        n_projected : int
            How many of the combinations are projected.
        """
        index = torch.tensor(samples, device=sums.device)
        weights = torch.as_tensor(combined).to(sums)

        def combine(rows: slice) -> Tensor:
            return torch.einsum("kr,artd->katd", weights, sums[index[rows]])

        return self._measure(index, combine, n_projected, aligned=len(combined) > 2)

    def of_gradients(self, samples: Sequence[int], gradients: Tensor, weights: Array) -> Measured:
        """Measure combinations of the gradients at nodes, each sample's own.

        Parameters
        ----------
        samples : sequence of int
            Which, A of them.
        gradients : torch.Tensor
            Theirs, shape (A, n, T, D).
        weights : numpy.ndarray
            Shape (A, T, K, n).
        """
        index = torch.tensor(samples, device=gradients.device)
        own = torch.as_tensor(weights).to(gradients)

        def combine(rows: slice) -> Tensor:
            return torch.einsum("atkn,antd->katd", own[rows], gradients[rows]).to(self.wide)

        return self._measure(index, combine, weights.shape[2], aligned=False)

    def _measure(
        self, index: Tensor, combine: Callable[[slice], Tensor], n_projected: int, aligned: bool
    ) -> Measured:
        found = list[tuple[Tensor, Tensor, Tensor]]()

        def collect(part: slice) -> None:
            # Projections run over a few samples at a time: spectrograms can be larger than any chunk.
            few = Chunks(self.chunks.size // n_projected).split(part.stop - part.start)
            parts = [slice(part.start + k.start, part.start + k.stop) for k in few]
            found.extend([self._norms(index[k], combine(k), n_projected, aligned) for k in parts])

        self.chunks.run(len(index), collect, n_projected)
        norms, totals, cosines = (torch.cat(parts) for parts in zip(*found, strict=True))
        ends = self.output[index], self.baseline_output[index]
        limits = [
            limit(norms[:, 0, 0], *ends, self.tol, self.delta.dtype) for limit in (gap_limit, correctable_gap)
        ]
        return Measured(*map(as_array, (norms, totals, cosines, *limits)))

    def _norms(
        self, rows: Tensor, block: Tensor, n_projected: int, aligned: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Norms, totals and alignment of combinations `block`, shape (K, A, T, D)."""
        n_targets = block.shape[2]
        products = block * self.delta[rows].flatten(1).to(self.wide).unsqueeze(1)
        norms = [products[:n_projected].abs().sum(-1)]
        # All combinations at once: a call costs more than its numbers where series are short.
        shaped = block[:n_projected].reshape(-1, n_targets, *self.delta.shape[1:])
        for project in self.projections:
            for attributions in project(shaped, rows.repeat(n_projected)):
                norm = attributions.flatten(2).abs().sum(-1).to(self.wide)
                norms.append(norm.reshape(n_projected, len(rows), n_targets))
        cosine = torch.ones_like(products[0, :, :, 0])
        if aligned:
            # Of numbers near 1: their squares must not be too small to be numbers.
            one, two = (p / p.abs().amax(-1, keepdim=True).clamp_min(TINY) for p in products[1:3])
            cosine = torch.cosine_similarity(one, two, dim=-1, eps=TINY).abs()
        return torch.stack(norms, 2).movedim(0, 1), products.sum(-1).movedim(0, 1), cosine


def as_array(values: Tensor) -> Array:
    """The numbers of a tensor, float64, in the memory of the host."""
    array: Array = values.double().cpu().numpy()
    return array

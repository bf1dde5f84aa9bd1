"""Methods that are a gradient, averaged in some way and projected: Re(conj(c) · S*ḡ) in every domain."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .._tensor_check import widest
from ..chunks import Chunks
from ..domains import Domain
from ..explain.projection import Analysis
from ..objective.paths import Paths
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .how import How


@dataclass(frozen=True)
class Projected(How):
    """The mean gradient of a method, in all domains at once."""

    @property
    @abstractmethod
    def n_least(self) -> int:
        """Gradients per sample."""

    @abstractmethod
    def mean_gradient(self, paths: Paths, chunks: Chunks) -> Tensor:
        """ḡ of the block, in the widest dtype, shape (S, T, *shape)."""

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        chunks = chunks.at_most(chunks.memory.n_points(paths.n_targets * paths.n_features))
        gradient = self.mean_gradient(paths, chunks)
        values = Analysis.of(paths, axes, domains).attributions(gradient)
        sums = None
        if self.adds_up:
            products = (paths.delta.to(gradient.dtype).unsqueeze(1) * gradient).flatten(2)
            sums = torch.stack([products.sum(-1), products.abs().sum(-1)])
        count = torch.full((len(paths),), self.n_least, dtype=torch.int64)
        return self.told(paths, domains, values, count, sums)


At = Callable[[Tensor, Tensor], Tensor]
"""Points of the model, shape (P, *shape), for numbers of samples and of nodes, int64, shape (P,)."""


def averaged(paths: Paths, at: At, weights: Sequence[float], chunks: Chunks) -> Tensor:
    """Weighted mean of gradients at points of the samples.

    Parameters
    ----------
    paths : Paths
        S samples.
    at : callable
        Where gradients are taken.
    weights : sequence of float
        One per node.
    chunks : Chunks
        Points per call.

    Returns
    -------
    torch.Tensor
        Shape (S, T, *shape), in the widest dtype.

    Raises
    ------
    ValueError
        If a gradient is not finite.
    """
    x = paths.x
    shape = (len(x), paths.n_targets, *x.shape[1:])
    total = torch.zeros(shape, dtype=widest(x.device), device=x.device)

    def add(part: slice) -> None:
        # Samples within nodes: neighbours in a call are different samples at the same node.
        number = torch.arange(part.start, part.stop, device=x.device)
        rows, nodes = number % len(x), number // len(x)
        _, gradients = paths.objective.value_and_gradient(at(rows, nodes), rows)
        refuse_not_finite(gradients, rows, paths)
        scale = torch.tensor(weights, dtype=total.dtype, device=x.device)[nodes]
        total.index_add_(0, rows, gradients.to(total.dtype) * scale.reshape(-1, *(1,) * (len(shape) - 1)))

    chunks.run(len(x) * len(weights), add)
    return total


def refuse_not_finite(found: Tensor, rows: Tensor, paths: Paths) -> None:
    """ValueError where outputs or gradients at points are not finite."""
    spoilt = (~found.isfinite()).flatten(1).any(1).nonzero().flatten()
    if len(spoilt):
        sample = paths.objective.offset + int(rows[spoilt[0]])
        raise ValueError(
            f"outputs and gradients of the model must be finite wherever the method asks for them, got "
            f"others for sample {sample}: take another baseline=, or another output="
        )

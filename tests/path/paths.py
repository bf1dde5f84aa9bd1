"""Explains functions of a flat series along the path, by the integrators alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from freqig.chunks import Chunks
from freqig.models import TorchModel
from freqig.objective.arguments import Extra
from freqig.objective.ends import values_at
from freqig.objective.objective import Objective
from freqig.objective.paths import Paths
from freqig.path import Path, integrate, integrate_adaptive
from freqig.path.inspection import Inspect
from freqig.path.measuring import Projection
from freqig.path.nodes import SLOPES, Nodes
from freqig.path.rules import Rule

Function = Callable[[Tensor], Tensor]


class Counter:
    """A model that notes how many points it was called with, and the most of one call."""

    def __init__(self, function: Function) -> None:
        self.function, self.points, self.most = function, 0, 0

    def __call__(self, x: Tensor) -> Tensor:
        self.points += len(x)
        self.most = max(self.most, len(x))
        values = self.function(x)
        return values.unsqueeze(1) if values.ndim == 1 else values


def objective_of(function: Function, x: Tensor, n_targets: int = 1) -> Objective:
    """The first outputs of a function, one or more a sample."""
    targets = torch.arange(n_targets).reshape(1, -1, 1).expand(len(x), -1, -1)
    return Objective(TorchModel(Counter(function), x.dtype), "logit", targets, Extra())


def nobody(*_: object) -> Inspect:
    """Takes every gradient for that of F."""
    return lambda *_: ()


def norm_of(attributions: Callable[[Tensor, Tensor], Sequence[Tensor]]) -> Projection:
    """L1 norm of what makes attributions of mean gradients and of the samples that they belong to."""
    return lambda gradient, rows: torch.stack(
        [part.abs().flatten(2).sum(-1) for part in attributions(gradient, rows)]
    ).sum(0)


def adaptive(
    function: Function, x: Tensor, baseline: Tensor | None = None, n_targets: int = 1, **how: Any
) -> Path:
    """`integrate_adaptive` from zero, with the defaults of the package."""
    objective = objective_of(function, x, n_targets)
    chunks = how.pop("chunks", Chunks(50))
    start = torch.zeros_like(x) if baseline is None else baseline
    return integrate_adaptive(
        Paths(objective, x, start, values_at(objective, x, chunks)),
        projections=[norm_of(attributions) for attributions in how.pop("domains", [])],
        tol=how.pop("tol", 0.01),
        max_evaluations=how.pop("max_evaluations", 2000),
        n_initial=how.pop("n_initial", 7),
        chunks=chunks,
        inspector=how.pop("inspector", nobody),
        **how,
    )


def fixed(function: Function, x: Tensor, rule: Rule, chunk: int = 50) -> Path:
    """`integrate` from zero."""
    objective = objective_of(function, x)
    output = objective.value(x, torch.arange(len(x)))
    return integrate(Paths(objective, x, torch.zeros_like(x), output), rule, Chunks(chunk))


def nodes_at(
    place: np.ndarray,
    gradient: Tensor,
    trace: np.ndarray | None = None,
    unused: float = -1.0,
    sample: np.ndarray | None = None,
) -> Nodes:
    """Nodes with these gradients, shape (A, n, T, D), of paths of which nothing else is known."""
    count, n = place.shape
    if trace is None:
        trace = np.zeros((3, count, n + 2, gradient.shape[2]))
        trace[SLOPES:, :, [0, -1]] = np.nan
    own = np.arange(count) if sample is None else sample
    return Nodes(own, np.full(count, unused), place[:, :0], place, trace, gradient)

"""Streams points of the straight path through the model and averages the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .chunks import Chunks
from .objective import Objective, widest
from .quadrature import Rule


@dataclass(frozen=True)
class Path:
    """Everything that is known of S straight paths from baseline to input.

    Parameters
    ----------
    mean_gradient : torch.Tensor
        Path-averaged gradient, shape (S, T, *shape), float64 where the device has it.
    output, baseline_output : torch.Tensor
        Explained scalars at the input and at the baseline, shape (S, T).
    n_evaluations : torch.Tensor
        Points at which a gradient was taken, int64, shape (S,).
    """

    mean_gradient: Tensor
    output: Tensor
    baseline_output: Tensor
    n_evaluations: Tensor


def integrate(
    objective: Objective, x: Tensor, baseline: Tensor, output: Tensor, rule: Rule, chunks: Chunks
) -> Path:
    """Average the gradient over the straight path by a fixed quadrature rule.

    Computes Σ_j w_j ∇F(x' + α_j (x - x')), the integral in eq. 1 of Sundararajan, Taly, Yan:
    Axiomatic Attribution for Deep Networks (2017), before the factor x - x'.

    Parameters
    ----------
    objective : Objective
        Explained scalars of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape), dtype and device of the model.
    output : torch.Tensor
        Explained scalars at the input, shape (S, T).
    rule : Rule
        Nodes and weights.
    chunks : Chunks
        Points a call; memory is that of one chunk whatever the number of nodes.

    Returns
    -------
    Path
        Averaged gradients and outputs at both ends.
    """
    n_samples, n_nodes = len(x), len(rule)
    wide = widest(x.device)
    delta = x - baseline
    nodes = torch.tensor(rule.nodes, device=x.device).to(x.dtype)
    weights = torch.tensor(rule.weights, device=x.device).to(wide)
    n_features = x[0].numel()
    total = torch.zeros((n_samples, objective.n_targets * n_features), dtype=wide, device=x.device)

    def accumulate(part: slice) -> None:
        # Points run through the nodes of one sample before those of the next.
        index = torch.arange(part.start, part.stop, device=x.device)
        rows, node = index // n_nodes, index % n_nodes
        points = points_on_path(baseline, delta, rows, nodes[node])
        _, gradients = objective.value_and_gradient(points, rows)
        weighted = gradients.reshape(len(rows), -1).to(wide).mul_(weights[node].unsqueeze(1))
        total.index_add_(0, rows, weighted)

    chunks.run(n_samples * n_nodes, accumulate)
    return Path(
        total.reshape(n_samples, objective.n_targets, *x.shape[1:]),
        output,
        values_at(objective, baseline, chunks),
        torch.full((n_samples,), n_nodes, dtype=torch.int64),
    )


def points_on_path(baseline: Tensor, delta: Tensor, rows: Tensor, nodes: Tensor) -> Tensor:
    """Points baseline + node · delta of the samples `rows`, shape (P, *shape)."""
    steps = nodes.reshape(-1, *(1,) * (delta.ndim - 1))
    return delta.index_select(0, rows).mul_(steps).add_(baseline.index_select(0, rows))


def values_at(objective: Objective, points: Tensor, chunks: Chunks) -> Tensor:
    """Explained scalars of one point a sample, shape (S, T)."""
    values = torch.empty(
        (len(points), objective.n_targets), dtype=widest(points.device), device=points.device
    )

    def evaluate(part: slice) -> None:
        rows = torch.arange(part.start, part.stop, device=points.device)
        values[part] = objective.value(points[part], rows)

    chunks.run(len(points), evaluate)
    return values

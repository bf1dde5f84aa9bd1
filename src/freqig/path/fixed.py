"""Streams the nodes of one fixed rule through the model and averages the gradient."""

from __future__ import annotations

import numpy as np
import torch

from .._tensor_check import widest
from ..chunks import Chunks
from ..diagnosis import Array
from ..objective.ends import NonFiniteError, finite_baseline_values
from ..objective.paths import Paths
from .gradients import Lines, points_on_path
from .nodes import SIZES, Indices
from .path import Path
from .rules import Rule


def integrate(paths: Paths, rule: Rule, chunks: Chunks) -> Path:
    """Average the gradient over straight paths by a fixed quadrature rule.

    Computes Σ_j w_j ∇F(x' + α_j (x - x')), the integral in eq. 1 of Sundararajan, Taly, Yan: Axiomatic
    Attribution for Deep Networks (2017), before the factor x - x'. Memory is that of one chunk whatever the
    number of nodes.

    Raises
    ------
    NonFiniteError
        If F at the baseline or a gradient is not finite; names sample and place on the path.
    """
    places = np.broadcast_to(rule.nodes, (len(paths), len(rule.nodes)))
    return integrate_at(paths, places, rule.weights, chunks)


def integrate_at(
    paths: Paths, places: Array, weights: Array, chunks: Chunks, chosen: Indices | None = None
) -> Path:
    """The same at places of each path's own, shape (S, n), with common weights, shape (n,).

    Of some `chosen` paths alone, int64, shape (C,), places are (C, n); the gradients of others stay zero.
    """
    objective, x, wide = paths.objective, paths.x, widest(paths.x.device)
    n_samples, (n_chosen, n_nodes) = len(paths), places.shape
    baseline_output = finite_baseline_values(paths, chunks)
    # What is common to all paths stays one row.
    nodes = torch.tensor(places[: 1 if places.strides[0] == 0 else None], device=x.device).to(x.dtype)
    nodes = nodes.expand(n_chosen, -1)
    samples = torch.as_tensor(np.arange(n_samples) if chosen is None else chosen, device=x.device)
    factors = torch.tensor(weights, device=x.device).to(wide)
    total = torch.zeros((n_samples, paths.n_targets * paths.n_features), dtype=wide, device=x.device)

    def accumulate(part: slice) -> None:
        # Points run through the nodes of one sample before those of the next.
        index = torch.arange(part.start, part.stop, device=x.device)
        which, node = index // n_nodes, index % n_nodes
        rows = samples[which]
        points = points_on_path(paths.baseline, paths.delta, rows, nodes[which, node])
        _, gradients = objective.value_and_gradient(points, rows)
        # Not in place: the gradient of a sum is one number, expanded.
        weighted = gradients.reshape(len(rows), -1).to(wide) * factors[node].unsqueeze(1)
        total.index_add_(0, rows, weighted)

    chunks.run(n_chosen * n_nodes, accumulate)
    # Sums keep what is not finite; looking for it in every chunk would make a GPU wait for us.
    spoilt = (~total.sum(1).isfinite()).nonzero().flatten()
    if len(spoilt):
        sample = int(spoilt[0])
        raise _located(paths, places[int((samples == sample).nonzero()[0])], sample, chunks)
    return Path(
        total.reshape(n_samples, paths.n_targets, *x.shape[1:]),
        paths.output,
        baseline_output,
        torch.full((n_samples,), n_nodes, dtype=torch.int64),
        torch.zeros_like(baseline_output),
    )


def _located(paths: Paths, places: Array, sample: int, chunks: Chunks) -> NonFiniteError:
    """The error that names the first of its places where `sample` has a gradient that is not finite."""
    lines = Lines(paths.objective, paths.baseline, paths.delta, chunks)
    spoilt = np.isnan(lines.trace(np.full(len(places), sample), places)[SIZES]).any(1)
    return NonFiniteError(sample, float(places[spoilt.argmax()]))

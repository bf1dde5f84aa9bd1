"""Streams the nodes of one fixed rule through the model and averages the gradient."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .._check import all_finite
from ..chunks import Chunks
from ..objective.ends import baseline_values
from ..objective.objective import widest
from ..objective.paths import Paths
from .gradients import Lines, points_on_path
from .nodes import SIZES, Indices
from .path import Array, Path
from .rules import Rule


class NonFiniteError(ValueError):
    """The gradient is not finite somewhere on a path, so that it has no average.

    `sample` is the one of the block that was integrated, whose first has the number `first`, and `place`
    where on its path, 0 at the baseline and 1 at the input.
    """

    def __init__(self, sample: int, place: float, first: int = 0) -> None:
        what = "output at the baseline" if place == 0 else "gradient of the model"
        super().__init__(
            f"the {what} is not finite at {place:.6g} of the path from baseline to input of sample "
            f"{first + sample} (try another baseline)"
        )
        self.sample, self.place = sample, place


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
    places = np.broadcast_to(rule.nodes, (len(paths), len(rule)))
    return integrate_at(paths, places, rule.weights, chunks)


def integrate_at(
    paths: Paths, places: Array, weights: Array, chunks: Chunks, chosen: Indices | None = None
) -> Path:
    """The same at places of each path's own, shape (S, n), with common weights, shape (n,).

    Of some `chosen` paths alone, int64, shape (C,), places are (C, n); the gradients of others stay zero.
    """
    objective, x = paths.objective, paths.x
    n_chosen, n_nodes = places.shape
    n_samples = len(paths)
    wide = widest(x.device)
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
    for part in chunks.split(len(places)):
        trace, _ = lines.gradients(np.full(len(places[part]), sample), places[part])
        if len(bad := np.flatnonzero(np.isnan(trace[SIZES]).any(1))):
            return NonFiniteError(sample, float(places[part][bad[0]]))
    return NonFiniteError(sample, float(places[0]))


def finite_baseline_values(paths: Paths, chunks: Chunks) -> Tensor:
    """Explained scalars at the baseline, shape (S, T); NonFiniteError where one is not finite."""
    values = baseline_values(paths, chunks)
    if all_finite(values):
        return values
    spoilt = (~values.isfinite().all(1)).nonzero().flatten()
    raise NonFiniteError(int(spoilt[0]), 0.0)

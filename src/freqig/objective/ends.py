"""F at both ends of paths."""

from __future__ import annotations

import torch
from torch import Tensor

from ..chunks import Chunks
from .failures import at_the_baseline
from .objective import Objective, widest
from .paths import Paths


def values_at(objective: Objective, points: Tensor, chunks: Chunks) -> Tensor:
    """Explained scalars of one point per sample, shape (S, T)."""
    if len(points) > 1 and points.stride(0) == 0 and not any(objective.extra.follows):
        # One point for all samples, such as a baseline of zero, with nothing else beside it.
        raw = objective.raw(points[:1], torch.zeros(1, dtype=torch.int64, device=points.device))
        return objective.value_of(raw.expand(len(points), *raw.shape[1:]))
    values = torch.empty(
        (len(points), objective.n_targets), dtype=widest(points.device), device=points.device
    )

    def evaluate(part: slice) -> None:
        rows = torch.arange(part.start, part.stop, device=points.device)
        values[part] = objective.value(points[part], rows)

    chunks.run(len(points), evaluate)
    return values


def baseline_values(paths: Paths, chunks: Chunks) -> Tensor:
    """Explained scalars at the baseline, shape (S, T), found where they are not known."""
    if paths.baseline_output is not None:
        return paths.baseline_output
    with at_the_baseline():
        return values_at(paths.objective, paths.baseline, chunks)

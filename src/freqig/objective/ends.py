"""F at both ends of paths, and what is said where it, or a gradient between them, is not finite."""

from __future__ import annotations

import torch
from torch import Tensor

from .._tensor_check import all_finite, widest
from ..chunks import Chunks
from .failures import at_the_baseline
from .objective import Objective
from .paths import Paths


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


def finite_baseline_values(paths: Paths, chunks: Chunks) -> Tensor:
    """Explained scalars at the baseline, shape (S, T); NonFiniteError where one is not finite."""
    values = baseline_values(paths, chunks)
    if all_finite(values):
        return values
    spoilt = (~values.isfinite().all(1)).nonzero().flatten()
    raise NonFiniteError(int(spoilt[0]), 0.0)

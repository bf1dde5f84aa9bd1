"""What an Explainer finds out once and keeps: how outputs are read, and points per call."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..chunks import Chunks
from ..objective.classes import ClassReader
from ..objective.objective import Objective

MOST_SHAPES = 256
"""Shapes of signals whose chunk size is remembered; more of them are measured anew."""


@dataclass
class Kept:
    """What is known of a model from earlier calls.

    Parameters
    ----------
    reader : ClassReader
        Finds out how the outputs are read.
    """

    reader: ClassReader
    chunks: dict[tuple[int, ...], Chunks] = field(default_factory=dict)

    def chunks_for(self, objective: Objective, x: Tensor, memory: int | None) -> Chunks:
        """Points per call of the model with signals of shape (N, *shape), within so many bytes."""
        if objective.alone and memory is None:
            return Chunks(1)
        shape = tuple(x.shape[1:])
        if shape not in self.chunks:
            if len(self.chunks) >= MOST_SHAPES:
                self.chunks.clear()
            self.chunks[shape] = _measured(objective, x, memory)
        return self.chunks[shape].at_most(1) if objective.alone else self.chunks[shape]


def _measured(objective: Objective, x: Tensor, memory: int | None) -> Chunks:
    rows = torch.tensor([0] if objective.alone else [0, len(x) - 1], device=x.device)
    each = objective.bytes_per_point(x[rows], rows)
    if memory is not None:
        peak = objective.peak_bytes_per_point(x[rows], rows)
        # Gradients on the way back take as much again, where PyTorch does not tell.
        each = peak or (each and 2 * each)
    return Chunks.for_model(
        each,
        x[0].nbytes,
        x.device,
        # A lone point goes over twice, so that two of them cost as much.
        fewest=objective.model.fixed_batch or (1 if objective.alone else 2),
        memory=memory,
        n_features=x[0].numel(),
    )

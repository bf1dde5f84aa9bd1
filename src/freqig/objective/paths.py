"""Straight paths from baselines to inputs, and what is explained along them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from .objective import Objective


@dataclass(frozen=True)
class Paths:
    """Straight paths of S samples, one from each baseline to its input.

    Parameters
    ----------
    objective : Objective
        Explained scalars of the samples, T of each.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape), dtype and device of the model.
    output : torch.Tensor
        Explained scalars at the input, F(x), float64, shape (S, T).
    baseline_output : torch.Tensor, optional
        Explained scalars at the baseline, F(x'), float64, shape (S, T), where they are known.
    """

    objective: Objective
    x: Tensor
    baseline: Tensor
    output: Tensor
    baseline_output: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def n_targets(self) -> int:
        return self.output.shape[1]

    @property
    def n_features(self) -> int:
        """Values of one point."""
        return self.x[0].numel()

    @cached_property
    def delta(self) -> Tensor:
        """δ = x - x', shape (S, *shape)."""
        return self.x - self.baseline

    def rounding_dtype(self) -> torch.dtype:
        """The coarser one of points and of outputs: under autocast these are rounded more."""
        return max(self.x.dtype, self.objective.rounding_dtype, key=lambda dtype: torch.finfo(dtype).eps)

    def block(self, samples: slice, targets: slice) -> Paths:
        """The paths of some samples for some of their targets, both counted from zero."""
        return replace(
            self,
            objective=self.objective.block(samples.start, samples.stop, targets),
            x=self.x[samples],
            baseline=self.baseline[samples],
            output=self.output[samples, targets],
            baseline_output=None if (start := self.baseline_output) is None else start[samples, targets],
        )

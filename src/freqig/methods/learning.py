"""Masks that are learned: one optimisation per sample, many of them side by side."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._check import check_positive, check_within
from ..chunks import Chunks
from ..domains import Domain
from ..explain.blocks import BlockSize
from ..objective.paths import Paths
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .frame import Frame
from .gradients import refuse_not_finite
from .how import IMPORTANCE, How

LEAST_WEIGHT, LARGEST_WEIGHT = 1e-9, 1e9
"""Between these the square of a product of two weights neither vanishes nor overflows in float32."""


def check_weight(value: Any, name: str, *, zero_allowed: bool = False) -> float:
    """Weight of a part of a loss, or a learning rate."""
    number = check_positive(value, name, zero_allowed=zero_allowed)
    return number if number == 0 else check_within(number, name, LEAST_WEIGHT, LARGEST_WEIGHT)


@dataclass(frozen=True)
class Leaves:
    """What is learned for S samples: numbers from 0 to 1 that make masks, and whatever else.

    Parameters
    ----------
    masks : torch.Tensor
        Kept from 0 to 1, shape (S, ...).
    others : tuple of torch.Tensor
        Free, real or complex, shape (S, ...).
    """

    masks: Tensor
    others: tuple[Tensor, ...] = ()

    @property
    def all(self) -> list[Tensor]:
        return [self.masks, *self.others]


@dataclass(frozen=True)
class Learned(How):
    """A mask per sample that keeps the explained output and little else.

    Each sample has a loss of its own, of which nothing is shared or averaged over samples: the gradient of
    the sum of losses is that of each. The model is asked for the gradient with respect to the signal alone,
    so that nothing is left in its weights, and models of every framework are explained.

    Parameters
    ----------
    steps : int
        Steps of the optimiser, one gradient each.
    rate : float
        Learning rate.
    """

    steps: int
    rate: float

    units = IMPORTANCE
    # Coefficients, masks, what the optimiser keeps of them, and points, each with its gradient.
    rows_kept = 12

    @property
    def n_least(self) -> int:
        return self.steps

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        # Masks are of one target each, and of each sample there is one point in a step.
        return BlockSize(min(chunks.size, self.most_rows(chunks, n_features)), 1)

    def leaves(self, frame: Frame) -> Leaves:
        """Where the optimisation begins: one number per coefficient, halfway."""
        return Leaves(frame.free[0].real.new_full((len(frame.x), frame.count), 0.5))

    def optimizer(self, leaves: list[Tensor]) -> torch.optim.Optimizer:
        """What takes the steps: element by element, so that samples do not meet."""
        return torch.optim.Adam(leaves, lr=self.rate)

    def mask(self, frame: Frame, leaves: Leaves) -> Tensor:
        """The mask of each sample, shape (S, K)."""
        return leaves.masks

    def points(self, frame: Frame, leaves: Leaves, rows: Tensor) -> Tensor:
        """What the model sees of samples, with the graph, shape (S, *shape)."""
        return frame.points(self.mask(frame, leaves), rows)

    @abstractmethod
    def misfit(self, missing: Tensor) -> Tensor:
        """Loss of what is missing of F(x), as a share of |F(x) - F(x')|, shape (S,)."""

    @abstractmethod
    def penalty(self, frame: Frame, leaves: Leaves, step: int, slopes: Tensor) -> Tensor:
        """Loss of the size of masks, shape (S,).

        Parameters
        ----------
        frame : Frame
            Coefficients.
        leaves : Leaves
            What is learned.
        step : int
            From zero.
        slopes : torch.Tensor
            Gradient of the misfit with respect to `leaves.masks`.
        """

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        values = []
        for domain in domains:
            frame = Frame.of(paths, axes, domain)
            with torch.inference_mode(False), torch.enable_grad():
                found = self._learned(frame, paths, chunks)
            # What is not there is not important, wherever the optimiser has left its mask.
            there = frame.flat([part.abs() for part in frame.free]) > 0
            values.append(frame.placed((found * there)[:, None]))
        count = torch.full((len(paths),), self.steps * len(domains), dtype=torch.int64)
        return self.told(paths, domains, values, count)

    def _learned(self, frame: Frame, paths: Paths, chunks: Chunks) -> Tensor:
        leaves = self.leaves(frame)
        for leaf in leaves.all:
            leaf.requires_grad_()
        optimizer = self.optimizer(leaves.all)
        rows = torch.arange(len(paths), device=paths.x.device)
        output, start = paths.output[:, 0], paths.baseline_output
        rise = (output - (0 if start is None else start[:, 0])).abs()
        # In shares of what is explained, losses mean the same in logits and in probabilities.
        scale = torch.where(rise > 0, rise, 1.0)
        for step in range(self.steps):
            optimizer.zero_grad()
            points = self.points(frame, leaves, rows)
            values, gradients = _asked(points.detach(), rows, paths, chunks)
            missing = ((output - values) / scale).requires_grad_()
            (rate,) = torch.autograd.grad(self.misfit(missing).sum(), missing)
            weights = (-rate / scale).reshape(-1, *(1,) * (points.ndim - 1))
            torch.autograd.backward(points, (weights * gradients).to(points.dtype))
            grad = leaves.masks.grad
            slopes = torch.zeros_like(leaves.masks) if grad is None else grad.detach().clone()
            torch.autograd.backward(self.penalty(frame, leaves, step, slopes).sum())
            optimizer.step()
            with torch.no_grad():
                leaves.masks.clamp_(0, 1)
        with torch.no_grad():
            return self.mask(frame, leaves)


def _asked(points: Tensor, rows: Tensor, paths: Paths, chunks: Chunks) -> tuple[Tensor, Tensor]:
    """Explained scalars of one target, float64, shape (S,), and gradients, shape (S, *shape)."""
    values = torch.empty_like(paths.output[:, 0])
    gradients = torch.empty_like(points, dtype=values.dtype)

    def call(part: slice) -> None:
        found, slope = paths.objective.value_and_gradient(points[part], rows[part])
        refuse_not_finite(slope, rows[part], paths)
        values[part], gradients[part] = found[:, 0].to(values.dtype), slope[:, 0].to(values.dtype)

    chunks.run(len(points), call)
    return values, gradients


def falls_short(missing: Tensor) -> Tensor:
    """max(0, F(x) - F(masked)), in shares: more than the output of the input is not asked for."""
    return missing.clamp_min(0)


def above(sizes: Tensor, keep: float) -> Tensor:
    """max(0, mean - keep) over all but samples, shape (S, ...) to (S,)."""
    return (sizes.flatten(1).mean(1) - keep).clamp_min(0)

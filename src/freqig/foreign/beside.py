"""Gradients that are not those of F, where F hardly moves along the path: F tells beside the path.

Along a path the terms of Σ δ·g cancel, and with them whatever is wrong with all of them in proportion, so
that rises of F say nothing. Along d = |δ|·sign(g) nothing cancels: F must rise by Σ |δ·g| per length. A
gradient that takes no notice of a mean shows along d = |δ|, where all values rise. In either direction

    |d · (g - ∇F)| <= Σ |δ|·|g - ∇F|,

since no component of d is larger than that of δ: what is off there is an error of the attributions.

One central difference of F is taken beside some paths, by forward passes. Steps are as short as float32 can
tell, so that hardly any kink is between; where the difference is not what the gradient says, three steps are
compared at three places, with gradients at their ends. Only where F is as steep over all of them, and
gradients are so too, is the one not that of the other:

- a kink, a jump or a steep step close by changes the difference from step to step, or the gradient at its
  ends;
- curvature does too, as d leaves what a model is used to;
- rounding is the less of a step the longer it is, and of what is rounded away nothing is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..completeness import ROUNDING
from ..diagnosis import Diagnosis, gradient_beside
from ..objective.objective import widest
from ..path.gradients import Lines, points_on_path
from ..path.nodes import SIZES, TINY, VALUES, Flags, Indices, Nodes
from ..path.path import Array
from ..path.tolerance import Tolerance
from .slopes import COARSE

UNEXPLAINED = 0.03
"""Share of Σ |δ·g| by which F rises otherwise where the gradient is suspected, and convicted."""

STEPS = np.array([1.0, 3.7, 15.1])
"""Lengths that are compared, in shortest steps: no multiples, for waves in F may be as long as one."""

ALIKE = 0.25
"""Share of what is off by which what is compared may differ."""

VISIBLE = 128.0
"""Rounding of F that the rise over the shortest step is times as large."""

LONGEST = 1 / 16
"""Of δ, beyond which a step is no longer close by."""

PLACES, FEWEST = 3, 2
"""Places of a path that are looked at, the steepest first, and how many must agree."""

SINGLE = float(torch.finfo(torch.float32).eps)
"""Rounding at least: within models in float64 some compute in float32 all the same."""


@dataclass(frozen=True, eq=False)
class Spots:
    """S points of paths, gradients there of one target each, (S, D), and the shortest step beside each.

    A step is NaN where F does not move enough beside its rounding.
    """

    lines: Lines
    sample: Indices
    place: Array
    target: Indices
    point: Tensor
    gradient: Tensor
    size: Array
    step: Array

    @classmethod
    def of(
        cls, lines: Lines, sample: Indices, place: Array, target: Indices, gradient: Tensor, largest: Array
    ) -> Spots:
        """Points at places of paths, (S,), `largest` being |F| there, and how far steps go."""
        rows, places = torch.as_tensor(sample), torch.tensor(place).to(lines.delta)
        point = points_on_path(lines.baseline, lines.delta, rows.to(lines.delta.device), places)
        wide = widest(point.device)

        def in_all(values: Tensor) -> Array:
            products = gradient.to(wide) * values.flatten(1).to(wide)
            return np.asarray(products.abs_().sum(1).double().cpu().numpy())

        size = in_all(lines.delta[rows.to(lines.delta.device)])
        known = torch.finfo(point.dtype)
        eps = max(SINGLE, float(known.eps))
        # That of F, and that of points, which a first layer adds to F by itself; and that of what underflows.
        rounding = eps * (ROUNDING * (largest + float(known.smallest_normal)) + in_all(point))
        step = VISIBLE * rounding / np.maximum(size, TINY)
        step[~(step * STEPS[-1] <= LONGEST) | (size == 0)] = np.nan
        return cls(lines, sample, place, target, point, gradient, size, step)

    def rises(self, lengths: Array) -> tuple[Array, Array]:
        """Rises of F over steps to both sides, in both directions, and what gradients say, (S, 2, K).

        `lengths`, (K,), are in shortest steps. Rises are per length, relative to Σ |δ·g|.
        """
        shape = (len(self.sample), 2, len(lengths), 2)
        values, told = np.empty((2, int(np.prod(shape))))

        def evaluate(part: slice) -> None:
            which, rows, points, moved = self._moved(part, shape, lengths)
            found = self.lines.objective.value(points, rows).double().cpu().numpy()
            values[part] = found[np.arange(len(which)), self.target[which]]
            # By how far points have moved after rounding.
            products = moved * self.gradient[torch.as_tensor(which)].to(moved)
            told[part] = products.sum(1).double().cpu().numpy()

        self.lines.chunks.run(len(values), evaluate)
        width = 2 * self._lengths(lengths) * self.size[:, None, None]
        both = (np.diff(each.reshape(shape))[..., 0] / width for each in (values, told))
        return next(both), next(both)

    def slopes(self, lengths: Array) -> Array:
        """Slopes that gradients say there are at both ends of steps, in the same unit, (S, 2, K, 2)."""
        shape = (len(self.sample), 2, len(lengths), 2)
        slopes = np.empty(int(np.prod(shape)))

        def evaluate(part: slice) -> None:
            which, rows, points, _ = self._moved(part, shape, lengths)
            _, gradients = self.lines.objective.value_and_gradient(points, rows)
            index = torch.arange(len(rows), device=rows.device)
            target = torch.as_tensor(self.target[which], device=rows.device)
            direction = self._directions(np.unravel_index(np.arange(part.start, part.stop), shape)[1], which)
            products = gradients.flatten(2)[index, target].to(direction) * direction
            slopes[part] = products.sum(1).double().cpu().numpy()

        self.lines.chunks.run(len(slopes), evaluate)
        found: Array = slopes.reshape(shape) / self.size[:, None, None, None]
        return found

    def _moved(
        self, part: slice, shape: tuple[int, ...], lengths: Array
    ) -> tuple[Indices, Tensor, Tensor, Tensor]:
        """Some of the points beside: whose, of which sample, where, and how far that is off the path."""
        which, way, k, side = np.unravel_index(np.arange(part.start, part.stop), shape)
        device, direction = self.point.device, self._directions(way, which)
        far = (2 * side - 1) * self._lengths(lengths)[which, 0, k]
        start = self.point[torch.as_tensor(which)]
        steps = direction * torch.as_tensor(far, device=device).to(direction).unsqueeze(1)
        points = (start.flatten(1).to(steps) + steps).to(start)
        moved = points.to(steps) - start.flatten(1).to(steps)
        return which, torch.as_tensor(self.sample[which], device=device), points.reshape(start.shape), moved

    def _directions(self, way: Indices, which: Indices) -> Tensor:
        """|δ|·sign(g) and |δ|, (P, D)."""
        device = self.point.device
        size = self.lines.delta[torch.as_tensor(self.sample[which], device=device)].flatten(1).abs()
        signs = self.gradient[torch.as_tensor(which)].sign()
        upwards = torch.as_tensor(way == 1, device=device).unsqueeze(1)
        return (size * torch.where(upwards, 1.0, signs)).to(widest(device))

    def _lengths(self, lengths: Array) -> Array:
        scaled: Array = self.step[:, None, None] * lengths
        return scaled


def suspected(lines: Lines, nodes: Nodes, rows: Indices, tolerance: Tolerance) -> Flags:
    """Beside which of some samples, (R,), F rises otherwise than the gradient says, by few forward passes."""
    if not len(rows) or tolerance.eps > COARSE:
        return np.zeros(len(rows), dtype=bool)
    spots = _steepest(lines, nodes, rows, 1)
    found = np.isfinite(spots.step)
    if found.any():
        rises, told = spots.rises(STEPS[:1])
        with np.errstate(invalid="ignore"):
            found &= (np.abs(rises - told) > UNEXPLAINED).any((1, 2))
    return found


def convicted(lines: Lines, nodes: Nodes, row: int, tolerance: Tolerance) -> tuple[Diagnosis | None, int]:
    """What is wrong with the gradient of one sample, and at how many points it was taken to tell."""
    if tolerance.eps > COARSE:
        return None, 0
    spots = _steepest(lines, nodes, np.array([row]), PLACES)
    if np.isfinite(spots.step).sum() < FEWEST:
        return None, 0
    rises, told = spots.rises(STEPS)
    bends = spots.slopes(STEPS) - told[..., None]
    with np.errstate(invalid="ignore"):
        least = np.abs(rises - told).min(2)
        # What differs from step to step is known of neither.
        alike = np.ptp(rises, axis=2) <= ALIKE * least
        # Kinks around may bend F to both sides, where one at the place itself bends it to one.
        alike &= (np.abs(bends.mean(3)).max(2) <= ALIKE * least) & (np.abs(bends).max((2, 3)) <= least)
        # Where F does not move at all, that may be rounding.
        wrong = (least > UNEXPLAINED) & alike & (rises != 0).all(2)
    used = 4 * len(STEPS) * len(spots.sample)
    way = int(wrong.sum(0).argmax())
    if wrong[:, way].sum() < FEWEST:
        return None, used
    k = int(np.where(wrong[:, way], least[:, way], 0).argmax())
    unit = 2 * STEPS[-1] * spots.step[k] * spots.size[k]
    pair = float(rises[k, way, -1] * unit), float(told[k, way, -1] * unit)
    return gradient_beside(float(spots.place[k]), *pair), used


def _steepest(lines: Lines, nodes: Nodes, rows: Indices, count: int) -> Spots:
    """The steepest nodes of each of some samples, for the target whose gradient is largest."""
    sizes, here = nodes.trace[SIZES, rows, 1:-1], np.arange(len(rows))
    target = sizes.mean(1).argmax(1)
    node = np.argsort(-sizes[here, :, target], axis=1, kind="stable")[:, :count]
    largest = np.abs(nodes.trace[VALUES, rows]).max(1)[here, target]
    row, target, largest = (np.repeat(each, count) for each in (rows, target, largest))
    index = (torch.as_tensor(each, device=nodes.gradient.device) for each in (row, node.ravel(), target))
    place = nodes.place[row, node.ravel()]
    return Spots.of(lines, nodes.sample[row], place, target, nodes.gradient[tuple(index)], largest)

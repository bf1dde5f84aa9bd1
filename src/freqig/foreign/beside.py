"""Gradients that are not those of F, where F hardly moves along the path: F tells beside the path.

Along a path the terms of Σ δ·g cancel, and with them whatever is wrong with all of them in proportion, so
that rises of F say nothing. Along d = |δ|·sign(g) nothing cancels: F must rise by Σ |δ·g| per length. A
gradient that takes no notice of a mean shows along d = |δ|, where all values rise. In either direction

    |d · (g - ∇F)| <= Σ |δ|·|g - ∇F|,

since no component of d is larger than that of δ: what is off there is an error of the attributions.

One central difference of F is taken beside some paths, by forward passes. Steps are as short as float32 can
tell, so that hardly any kink is between; where the difference is not what the gradient says, `stretches` tell
at three places: first with steps as short as numbers of the model can tell, for kinks may be close, then with
those of float32, for a model in float64 may compute in that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._tensor_check import widest
from ..completeness import ROUNDING
from ..diagnosis import Array, Diagnosis, gradient_beside
from ..path.gradients import Lines, points_on_path
from ..path.nodes import SIZES, TINY, VALUES, Flags, Indices, Nodes
from ..path.tolerance import Tolerance
from .slopes import COARSE
from .stretches import Stretches

UNEXPLAINED = 0.03
"""Share of Σ |δ·g| by which F rises otherwise where the gradient is suspected, and convicted."""

BOTH = np.array([-1.0, 1.0])
"""Where F is evaluated for a first look, in shortest steps."""

AROUND = np.array([-15.1, -3.7, -1.0, 1.0, 3.7, 15.1])
"""Where F and its gradient are then: no multiples, for waves in F may be as long as one."""

SMALL = 0.25
"""Share of Σ |δ·g| by which F rises at least where it is told whether that is right."""

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

    A step is NaN where F does not move enough beside its `rounding`.
    """

    lines: Lines
    sample: Indices
    place: Array
    target: Indices
    point: Tensor
    gradient: Tensor
    size: Array
    step: Array
    rounding: Array

    @classmethod
    def of(
        cls,
        lines: Lines,
        sample: Indices,
        place: Array,
        target: Indices,
        gradient: Tensor,
        largest: Array,
        eps: float,
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
        eps = max(eps, float(known.eps))
        # That of F, and that of points, which a first layer adds to F by itself; and that of what underflows.
        rounding = eps * (ROUNDING * (largest + float(known.smallest_normal)) + in_all(point))
        step = VISIBLE * rounding / np.maximum(size, TINY)
        step[~(step * AROUND[-1] <= LONGEST) | (size == 0)] = np.nan
        return cls(lines, sample, place, target, point, gradient, size, step, rounding)

    def rises(self) -> tuple[Array, Array]:
        """Rises of F over the shortest steps to both sides, and what gradients say, (S, 2 directions).

        Per length, relative to Σ |δ·g|.
        """
        shape = (len(self.sample), 2, 2)
        values, told = np.empty((2, int(np.prod(shape))))

        def evaluate(part: slice) -> None:
            which, rows, points, moved = self._moved(part, shape, BOTH)
            found = self.lines.objective.value(points, rows).double().cpu().numpy()
            values[part] = found[np.arange(len(which)), self.target[which]]
            # By how far points have moved after rounding.
            products = moved * self.gradient[torch.as_tensor(which)].to(moved)
            told[part] = products.sum(1).double().cpu().numpy()

        self.lines.chunks.run(len(values), evaluate)
        width = 2 * self.step[:, None] * self.size[:, None]
        both = (np.diff(each.reshape(shape))[..., 0] / width for each in (values, told))
        return next(both), next(both)

    def judge(self) -> tuple[Flags, Flags, Array]:
        """Beside which spots F rises otherwise than gradients say, and beside which as they say, (S, 2).

        And over what stretch it is most so: what F does there and what gradients say, (S, 2, 2).
        """
        shape = (len(self.sample), 2, len(AROUND))
        values, slopes, far = np.empty((3, int(np.prod(shape))))

        def evaluate(part: slice) -> None:
            which, rows, points, moved = self._moved(part, shape, AROUND)
            found, gradients = self.lines.objective.value_and_gradient(points, rows)
            index, target = np.arange(len(which)), self.target[which]
            values[part] = found.double().cpu().numpy()[index, target]
            chosen = torch.as_tensor(index), torch.as_tensor(target)
            gradient = gradients.flatten(2)[tuple(each.to(rows.device) for each in chosen)].to(moved)
            direction = self._directions(np.unravel_index(np.arange(part.start, part.stop), shape)[1], which)
            products = torch.stack([gradient * direction, moved * direction]).sum(2).double().cpu().numpy()
            slopes[part], far[part] = products[0], products[1] / direction.square().sum(1).cpu().numpy()

        self.lines.chunks.run(len(values), evaluate)
        unit, rounding = self.size[:, None, None], self.rounding[:, None, None]
        around = [each.reshape(shape) for each in (far, values, slopes)]
        found = Stretches.of(*around)
        against, in_favour = found.judge(UNEXPLAINED, rounding, SMALL * unit, flat=False)
        most = np.abs(found.rise - found.told).argmax(2)[..., None]
        pairs = [np.take_along_axis(each * found.length, most, 2) for each in (found.rise, found.told)]
        return against, in_favour, np.concatenate(pairs, 2)

    def _moved(
        self, part: slice, shape: tuple[int, ...], lengths: Array
    ) -> tuple[Indices, Tensor, Tensor, Tensor]:
        """Some of the points beside: whose, of which sample, where, and how far that is off the path."""
        which, way, k = np.unravel_index(np.arange(part.start, part.stop), shape)
        device, direction = self.point.device, self._directions(way, which)
        far = self.step[which] * lengths[k]
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


def suspected(lines: Lines, nodes: Nodes, rows: Indices, tolerance: Tolerance) -> Flags:
    """Beside which of some samples, (R,), F rises otherwise than the gradient says, by few forward passes."""
    if not len(rows) or tolerance.eps > COARSE:
        return np.zeros(len(rows), dtype=bool)
    spots = _steepest(lines, nodes, rows, 1)
    found = np.isfinite(spots.step)
    if found.any():
        rises, told = spots.rises()
        with np.errstate(invalid="ignore"):
            found &= (np.abs(rises - told) > UNEXPLAINED).any(1)
    return found


@dataclass(frozen=True)
class Look:
    """What was seen beside a path at `used` points: what is `wrong` with its gradient, or if `right`."""

    wrong: Diagnosis | None = None
    right: bool = False
    used: int = 0


def convicted(lines: Lines, nodes: Nodes, row: int, tolerance: Tolerance) -> Look:
    """What is wrong with the gradient of one sample."""
    if tolerance.eps > COARSE:
        return Look()
    used = 0
    # Kinks may be closer than float32 can tell.
    for eps in sorted({tolerance.eps, max(tolerance.eps, SINGLE)}):
        spots = _steepest(lines, nodes, np.array([row]), PLACES, eps)
        if np.isfinite(spots.step).sum() < FEWEST:
            continue
        against, in_favour, pairs = spots.judge()
        used += against.size * len(AROUND)
        way = int(against.sum(0).argmax())
        if against[:, way].sum() >= FEWEST:
            k = int(against[:, way].argmax())
            return Look(gradient_beside(float(spots.place[k]), *pairs[k, way].tolist()), used=used)
        if not against.any() and (in_favour.sum(0) >= FEWEST).all():
            return Look(right=True, used=used)
    return Look(used=used)


def _steepest(lines: Lines, nodes: Nodes, rows: Indices, count: int, eps: float = SINGLE) -> Spots:
    """The steepest nodes of each of some samples, for the target whose gradient is largest."""
    sizes, here = nodes.trace[SIZES, rows, 1:-1], np.arange(len(rows))
    target = sizes.mean(1).argmax(1)
    node = np.argsort(-sizes[here, :, target], axis=1, kind="stable")[:, :count]
    largest = np.abs(nodes.trace[VALUES, rows]).max(1)[here, target]
    row, target, largest = (np.repeat(each, count) for each in (rows, target, largest))
    index = (torch.as_tensor(each, device=nodes.gradient.device) for each in (row, node.ravel(), target))
    place = nodes.place[row, node.ravel()]
    return Spots.of(lines, nodes.sample[row], place, target, nodes.gradient[tuple(index)], largest, eps)

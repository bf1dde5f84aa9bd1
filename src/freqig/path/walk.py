"""The Brownian bridge: how far the gradient wanders between nodes, and how much a trapezoid errs for it.

Between two nodes a gradient is taken for a Wiener process W of which both ends are known: what many kinks at
random places make of it. The mean of such a bridge is the line between its ends, so the Bayes estimate of
the integral is the trapezoid (Diaconis, Bayesian numerical analysis, 1988; O'Hagan, Some Bayesian numerical
analysis, 1991), and its variance is the error. With variance q per length, over an interval of width h:

- both ends known: Cov(W_s, W_t) = q (min(s, t) - s t / h), whose double integral over [0, h]² is
  q (h³/3 - h³/4) = q h³ / 12;
- one end known, as on the stretches to both ends of the path, where the estimate goes on with the last
  value: Cov(W_s, W_t) = q min(s, t), whose double integral is q h³ / 3.

Disjoint intervals are independent, given the nodes between them, so variances add. A normal variable of
variance v has the mean size √(2 v / π), which turns variances of features into an expected L1 norm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..diagnosis import Array
from .measuring import as_array
from .nodes import blocks, halves

MEAN_SIZE = float(np.sqrt(2 / np.pi))
"""E|N(0, 1)|."""

ONE_KINK = float(np.sqrt(3))
"""The largest error of one kink, in expected errors. A change Δ in an interval of width h is q = Δ²/h, and
the bridge errs by √(q h³/12) = h|Δ|/√12, one kink by h|Δ|/2 at most; on an open stretch by h|Δ|, against
h|Δ|/√3."""


@dataclass(frozen=True)
class Roughness:
    """What gradients at the nodes of A samples say about the path between them, in a given unit.

    `total`, (A, T), is the L1 norm that the error in time is expected to have; `each`, (A, n - 1, T), the
    variance q of the walk in every interval, summed over features of δ · g; `rises` the L1 norms of its
    changes.
    """

    total: Array
    each: Array
    rises: Array


def trapezoid(place: Array) -> Array:
    """Weights of the mean of the bridge; the first and last node stand for the path to its ends too."""
    # Half of the way between both neighbours, where the path goes on beyond its ends as in a mirror.
    mirrored = np.concatenate([-place[:, :1], place, 2 - place[:, -1:]], 1)
    weights: Array = (mirrored[:, 2:] - mirrored[:, :-2]) / 2
    return weights


def spreads(place: Array) -> Array:
    """Variance of the integral over each interval for q = 1, both ends included: (A, n) to (A, n + 1)."""
    inner = np.diff(place) ** 3 / 12
    ends = np.stack([place[:, 0], 1 - place[:, -1]]) ** 3 / 3
    return np.concatenate([ends[0][:, None], inner, ends[1][:, None]], 1)


def measure(gradient: Tensor, delta: Tensor, place: Array, unit: Array) -> Roughness:
    """Take in gradients at all nodes, shape (A, n, T, D), δ being (A, D) and places (A, n), n at least 3.

    The variance of the walk shows in two ways: in the difference of neighbours, which is right for a walk and
    far too large where the gradient drifts smoothly, and in how far a node is off the line through its
    neighbours, which is right for a walk too and hardly sees a drift. Of two numbers of which one may be
    far too large and the other too small by luck, the geometric mean is taken. All is in a `unit`, powers of
    two near the size of δ · g, (A, T): differences are multiplied, which small and large ones may not be in
    float32.
    """
    n_samples, n_nodes, n_targets, _ = gradient.shape
    widths, bends, spread = _between(place)
    first, second = halves(unit)
    # Whatever is one number for all features is multiplied where it is one: a pass over gradients is dear.
    second, half_root = second[:, None], 0.5 / np.sqrt(widths)[:, :, None]

    def like(values: Array) -> Tensor:
        return torch.as_tensor(values).to(gradient)

    # g₊ - g over h₊ minus g - g₋ over h₋ has the variance q (1/h₊ + 1/h₋) under a walk: `bends` makes it q.
    after, before = (
        like((bends / h)[:, :, None] * second)[..., None] for h in (widths[:, 1:], widths[:, :-1])
    )
    shares, scale = like(spread[:, :, None] * half_root * second), like(first)[:, :, None]
    total = gradient.new_zeros(n_samples, n_targets)
    each = gradient.new_zeros(n_samples, n_nodes - 1, n_targets)
    rises = torch.zeros_like(each)

    for rows, columns in blocks(n_samples, gradient.shape):
        size = delta[rows, columns].abs().unsqueeze(1) * scale[rows]
        change = gradient[rows, :, :, columns].diff(dim=1).mul_(size.unsqueeze(1))
        off = change.new_empty(len(change), n_nodes, *change.shape[2:])
        torch.mul(change[:, 1:], after[rows], out=off[:, 1:-1])
        off[:, 1:-1].addcmul_(change[:, :-1], before[rows], value=-1).abs_()
        rises[rows] += change.abs_().sum(-1)
        # What both ends of an interval are off, half of which is their mean; the first and the last have one.
        off[:, 0], off[:, -1] = off[:, 1], off[:, -2]
        walk = off[:, :-1] + off[:, 1:]
        each[rows] += walk.mul_(change).sum(-1)
        total[rows] += torch.einsum("ait,aitd->atd", shares[rows], walk).sqrt_().sum(-1)
    in_unit = as_array(each) * half_root * second, as_array(rises) * second
    return Roughness(MEAN_SIZE * as_array(total), *in_unit)


def draws(place: Array) -> Array:
    """Two errors that this path might have, as weights of the gradients at the nodes, (A, n) to (A, 2, n).

    What size an error has in another domain depends on its shape. One adds up differences of neighbours with
    alternating signs, the other what nodes are off the line through their neighbours, each in proportion to
    the error of its interval.
    """
    widths, bends, shares = _between(place)
    # Of a walk any signs will do. These leave nothing of a smooth drift, nor do they add up to
    # nothing where one node stands out, as signs by chance do.
    signs = np.resize([1.0, -1.0], place.shape[1])
    of_changes = signs[1:] * np.sqrt(shares / widths)
    at_nodes = (shares[:, 1:] + shares[:, :-1]) / 2
    at_nodes[:, 0] += shares[:, 0] / 2
    at_nodes[:, -1] += shares[:, -1] / 2
    of_bends = signs[1:-1] * np.sqrt(at_nodes) * bends
    # (g₊ - g) / h₊ - (g - g₋) / h₋ is a difference of differences.
    slopes = -differences(of_bends) / widths
    return np.stack([differences(of_changes), differences(slopes)], 1)


def closing(place: Array, slopes: Array, rounding: Array) -> Array:
    """The direction in which a gap of the sum is closed, as weights of the gradients, shape (A, T, n).

    Of walks whose sum over features is known at both ends of the path and nowhere else, the mean of those
    with this sum: each interval in proportion to the change of the slope in it, by the square of its width.
    Changes that are `rounding` of slopes, (A, T), have no direction.
    """
    change = np.diff(slopes, axis=1)
    weights = np.where(np.abs(change) > rounding[:, None], change, 0) * np.diff(place)[:, :, None] ** 2
    # A direction: its length must not be a matter of the scale of F.
    length = np.abs(weights).max(1, keepdims=True)
    weights /= np.where(length > 0, length, 1.0)
    return differences(weights.transpose(0, 2, 1))


def differences(weights: Array) -> Array:
    """Weights of nodes, shape (..., n), from weights of the differences of neighbours, (..., n - 1)."""
    result: Array = -np.diff(weights, prepend=0, append=0)
    return result


def _between(place: Array) -> tuple[Array, Array, Array]:
    """Widths h of intervals, √(h₋ h₊ / (h₋ + h₊)) at the nodes between, and spreads with those beyond."""
    widths, spread = np.diff(place), spreads(place)
    spread[:, 1] += spread[:, 0]
    spread[:, -2] += spread[:, -1]
    bends = np.sqrt(widths[:, 1:] * widths[:, :-1] / (widths[:, 1:] + widths[:, :-1]))
    return widths, bends, spread[:, 1:-1]

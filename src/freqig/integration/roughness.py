"""How far the gradient wanders between nodes, and by how much a trapezoidal rule errs for it.

Between two nodes a gradient is taken for a random walk of which both ends are known: what kinks at
random places make of it. The integral over an interval of width h then has the variance q h³ / 12
around the trapezoid, q being the variance of the walk per length. Errors of intervals are
independent and add as such. Arrays have the axes sample A, node n, target T and feature D.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .measuring import as_array
from .path import Array

MEAN_SIZE = float(np.sqrt(2 / np.pi))
"""Mean size of a normal variable of variance 1."""

LARGEST = 2**20
"""Values that are worked on at once: differences of gradients need several times the room of these."""


@dataclass(frozen=True)
class Roughness:
    """What the gradients at the nodes of A samples say about the path between them.

    Parameters
    ----------
    total : numpy.ndarray
        L1 norm that the error of the attributions in time is expected to have, shape (A, T).
    each : numpy.ndarray
        Variance of the walk per length, summed over features of δ · g, in every interval between
        nodes, shape (A, n - 1, T).
    rises : numpy.ndarray
        L1 norm by which δ · g changes from node to node, shape (A, n - 1, T).

    All of it is in the unit that was given.
    """

    total: Array
    each: Array
    rises: Array


def trapezoid(nodes: Array) -> Array:
    """Weights of the trapezoidal rule, whose first and last node stand for the path to its ends too.

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (A, n).

    Examples
    --------
    >>> trapezoid(np.array([[0.25, 0.5, 0.75]]))
    array([[0.375, 0.25 , 0.375]])
    """
    half = np.diff(nodes) / 2
    weights = np.abs(differences(half))
    weights[:, 1:-1] = half[:, 1:] + half[:, :-1]
    weights[:, 0] += nodes[:, 0]
    weights[:, -1] += 1 - nodes[:, -1]
    return weights


def spreads(nodes: Array) -> Array:
    """Variance of the trapezoid of each interval, for a walk of variance 1 per length.

    Beyond the first and the last node only one end of the walk is known: h³ / 3.

    Parameters
    ----------
    nodes : numpy.ndarray
        Shape (A, n).

    Returns
    -------
    numpy.ndarray
        Shape (A, n + 1), the stretches to both ends included.
    """
    inner = np.diff(nodes) ** 3 / 12
    ends = np.stack([nodes[:, 0], 1 - nodes[:, -1]]) ** 3 / 3
    return np.concatenate([ends[0][:, None], inner, ends[1][:, None]], 1)


def measure(gradients: Tensor, delta: Tensor, nodes: Array, unit: Array) -> Roughness:
    """Take in gradients at all nodes.

    The variance of the walk is known in two ways: from the difference of neighbours, which is right
    for a walk and far too large where the gradient drifts smoothly, and from how far a node is off
    the line through its neighbours, which is right for a walk too and hardly sees a drift. Their
    geometric mean is safer than the second and closer than the first.

    Parameters
    ----------
    gradients : torch.Tensor
        Shape (A, n, T, D), n at least 3.
    delta : torch.Tensor
        Input minus baseline, shape (A, D).
    nodes : numpy.ndarray
        Ascending, shape (A, n).
    unit : numpy.ndarray
        Size of δ · g, powers of two, shape (A, T): differences are multiplied by each other, which
        neither large nor small ones may be in float32.
    """
    n_samples, n_nodes, n_targets, n_features = gradients.shape
    widths, bends, spread = _between(nodes)

    def like(values: Array) -> Tensor:
        return torch.as_tensor(values).to(gradients)

    width, bend, shares = like(widths), like(bends), like(spread)
    # In two steps, as one over the unit need not be a number of this dtype.
    half = np.exp2(np.floor(np.log2(unit) / 2))
    first_half, second_half = like(1 / half), like(half / unit)
    total = torch.zeros(n_samples, n_targets, dtype=gradients.dtype, device=gradients.device)
    each = torch.zeros(n_samples, n_nodes - 1, n_targets, dtype=gradients.dtype, device=gradients.device)
    rises = torch.zeros_like(each)

    def take(rows: slice, columns: slice) -> None:
        change = gradients[rows, :, :, columns].diff(dim=1)
        change *= first_half[rows, None, :, None]
        change *= delta[rows, columns].abs()[:, None, None]
        change *= second_half[rows, None, :, None]
        h = width[rows, :, None, None]
        off = ((change / h).diff(dim=1) * bend[rows, :, None, None]).abs_()
        around = torch.cat([off[:, :1], (off[:, 1:] + off[:, :-1]) / 2, off[:, -1:]], 1)
        change = change.abs_()
        rises[rows] += change.sum(-1)
        walk = around.mul_(change).div_(h.sqrt())
        each[rows] += walk.sum(-1)
        total[rows] += torch.einsum("ai,aitd->atd", shares[rows], walk).sqrt_().sum(-1)

    at_once = max(1, LARGEST // (n_nodes * n_targets * n_features))
    columns = min(n_features, max(1, LARGEST // (n_nodes * n_targets)))
    for first in range(0, n_samples, at_once):
        for start in range(0, n_features, columns):
            take(slice(first, first + at_once), slice(start, start + columns))
    return Roughness(MEAN_SIZE * as_array(total), as_array(each), as_array(rises))


def draws(nodes: Array) -> Array:
    """Two errors that this path might have, as weights of the gradients at the nodes.

    What size an error has in another domain depends on its shape. One of these adds up differences
    of neighbours with alternating signs, the other what nodes are off the line through their
    neighbours, each in proportion to the error of its interval.

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (A, n), n at least 3.

    Returns
    -------
    numpy.ndarray
        Shape (A, 2, n).
    """
    widths, bends, shares = _between(nodes)
    # Of a walk any signs will do. These leave nothing of a smooth drift, nor do they add up to
    # nothing where one node stands out, as signs by chance do.
    signs = np.resize([1.0, -1.0], nodes.shape[1])
    of_changes = signs[1:] * np.sqrt(shares / widths)
    at_nodes = (shares[:, 1:] + shares[:, :-1]) / 2
    at_nodes[:, 0] += shares[:, 0] / 2
    at_nodes[:, -1] += shares[:, -1] / 2
    of_bends = signs[1:-1] * np.sqrt(at_nodes) * bends
    # (g₊ - g) / h₊ - (g - g₋) / h₋ is a difference of differences.
    slopes = -differences(of_bends) / widths
    return np.stack([differences(of_changes), differences(slopes)], 1)


def differences(weights: Array) -> Array:
    """Weights of nodes, shape (..., n), from weights of the differences of neighbours, (..., n - 1)."""
    result: Array = np.zeros((*weights.shape[:-1], weights.shape[-1] + 1))
    result[..., 1:] += weights
    result[..., :-1] -= weights
    return result


def _between(nodes: Array) -> tuple[Array, Array, Array]:
    """Widths h of intervals, √(h₋ h₊ / (h₋ + h₊)) at the nodes between, and spreads with those beyond."""
    widths, spread = np.diff(nodes), spreads(nodes)
    spread[:, 1] += spread[:, 0]
    spread[:, -2] += spread[:, -1]
    bends = np.sqrt(widths[:, 1:] * widths[:, :-1] / (widths[:, 1:] + widths[:, :-1]))
    return widths, bends, spread[:, 1:-1]

"""Attributions by plain fixed rules, one loop and no code of any contender: what errors are measured by."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

Array = np.ndarray
AT_ONCE = 32


def plain(model: nn.Module, x: Tensor, nodes: Array, weights: Array) -> Array:
    """Σ_j w_j ∇F(α_j x) as scores of frequencies, baseline zero, target 1.

    Parameters
    ----------
    model : torch.nn.Module
        Runs in the dtype of `x`.
    x : torch.Tensor
        Series, shape (N, n).
    nodes, weights : numpy.ndarray
        The rule, shape (m,).

    Returns
    -------
    numpy.ndarray
        Float64, shape (N, n // 2 + 1).
    """
    return scores(x, mean_gradient(model, x, nodes, weights))


def mean_gradient(model: nn.Module, x: Tensor, nodes: Array, weights: Array) -> Array:
    """The weighted sum of gradients alone, float64, shape (N, n)."""
    total = np.zeros(x.shape)
    for i, series in enumerate(x):
        for begin in range(0, len(nodes), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            points = (torch.tensor(nodes[part]).to(x).unsqueeze(1) * series).requires_grad_()
            (gradient,) = torch.autograd.grad(model(points)[:, 1].sum(), points)
            total[i] += weights[part] @ gradient.double().numpy()
    return total


def scores(x: Tensor, gradient: Array) -> Array:
    """Scores of the one-sided spectrum: conj(FFT x) · FFT ḡ / n, both halves together."""
    n = x.shape[-1]
    product = (np.fft.rfft(x.double().numpy()).conj() * np.fft.rfft(gradient)).real / n
    product[:, 1 : (n + 1) // 2] *= 2
    return product


def legendre(n: int) -> tuple[Array, Array]:
    """Nodes and weights of n Gauss-Legendre nodes on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


def composite(panels: int) -> tuple[Array, Array]:
    """Four Gauss-Legendre nodes on each of as many panels."""
    nodes, weights = legendre(4)
    return (
        ((np.arange(panels)[:, None] + nodes) / panels).ravel(),
        np.tile(weights / panels, panels),
    )


def right_ends(n: int) -> tuple[Array, Array]:
    """The sum that cross-domain-saliency-maps takes: right ends of n intervals."""
    return np.arange(1, n + 1) / n, np.full(n, 1 / n)


def reference(model: nn.Module, x: Tensor, panels: int) -> tuple[Array, float]:
    """Scores in float64, and their largest difference to those of half the panels."""
    wide = copy.deepcopy(model).double()
    fine, coarse = (plain(wide, x.double(), *composite(k)) for k in (panels, panels // 2))
    return fine, float(errors(coarse, fine).max())


def errors(found: Array, truth: Array) -> Array:
    """L1 error relative to the L1 norm, one number per series."""
    return np.abs(found - truth).sum(-1) / np.abs(truth).sum(-1)


def smallest(
    sizes: list[int], scores_at: Callable[[int], Array], truth: Array, tolerance: float
) -> int | None:
    """The first of these sizes at which every series is within the tolerance."""
    for n in sizes:
        if float(errors(scores_at(n), truth).max()) <= tolerance:
            return n
    return None

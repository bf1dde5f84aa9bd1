"""Paths that look solved at the nodes of every rule: one gradient elsewhere tells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.path.rules import Rule, fejer2, gauss_legendre
from freqig.path.unused import interpolation, off_the_line, places_of

from ..helpers import noise
from .paths import adaptive, nodes_at

X = torch.tensor(noise(1, 16, seed=4))
U = X[0] / X[0].square().sum()
# No part of the path: F stays constant on it while the gradient moves.
ACROSS = torch.tensor(noise(16, seed=5))
ACROSS = ACROSS - (ACROSS @ X[0]) * U
PLACES = torch.tensor(gauss_legendre(2000).nodes)
WEIGHTS = torch.tensor(gauss_legendre(2000).weights)


def silent(gradient: Callable[[Tensor], Tensor], tol: float = 0.01, limit: float | None = None) -> bool:
    """Whether F = (v·x) g(u·x), v across the path, is called converged and errs by more than a limit."""
    path = adaptive(lambda x: (x @ ACROSS) * gradient(x @ U), X, tol=tol)
    truth = ACROSS * (WEIGHTS @ gradient(PLACES))
    found = path.mean_gradient[0, 0]
    error = (X[0] * (found - truth)).abs().sum() / (X[0] * truth).abs().sum()
    assert path.converged is not None
    return bool(path.converged.all()) and bool(error > (limit or tol))


def vanishing(nodes: np.ndarray) -> Callable[[Tensor], Tensor]:
    """The square of a polynomial that is zero at these nodes: one of Chebyshev's second kind at Fejér's."""
    at = torch.tensor(nodes)
    return lambda a: (4 * (a.unsqueeze(-1) - at)).prod(-1).square()


@pytest.mark.parametrize("size", [4, 8, 16])
def test_squares_that_vanish_at_the_nodes_of_a_rule(size: int) -> None:
    for nodes in (fejer2(size - 1).nodes, gauss_legendre(size - 1).nodes):
        assert not silent(vanishing(nodes), tol=0.03)


@pytest.mark.parametrize("rule", [fejer2, gauss_legendre])
def test_squares_of_more_bumps_than_any_rule_has_nodes(rule: Callable[[int], Rule]) -> None:
    """The result is nearer to the truth than to zero, which is what every rule inside 63 nodes says.

    To `tol` it need not be: of 64 bumps one between two nodes that both lie near zeros of the gradient is
    seen by nobody, as F is constant, and holds a 64th of all. How many such there are is a matter of luck.
    """
    assert not silent(vanishing(rule(63).nodes), tol=0.03, limit=0.5)


@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_squares_that_are_constant_at_the_nodes_of_a_rule(size: int) -> None:
    def squared(a: Tensor) -> Tensor:
        return torch.cos(size * torch.arccos((2 * a - 1).clamp(-1, 1))).square()

    assert not silent(squared)


def test_differences_of_two_sines_of_one_frequency() -> None:
    missed = [k for k in np.linspace(1, 300, 60) if silent(lambda a, k=k: k * torch.cos(k * a))]
    assert missed == []


def test_places_are_those_of_no_rule_and_of_the_sample() -> None:
    x = torch.tensor(noise(300, 24))
    places = places_of(x, 8)
    assert np.array_equal(places[7:8], places_of(x[7:8], 8))
    assert np.array_equal(places, places_of(4 * x, 8))
    assert len(np.unique(places)) > 100
    assert ((places > 0.03) & (places < 0.97)).all()
    for size in (8, 16, 32, 64, 128):
        nodes = fejer2(size - 1).nodes
        angles = 2 * np.arcsin(np.sqrt(places))
        distance = np.abs(angles[:, None] - 2 * np.arcsin(np.sqrt(nodes))).min(1) * size / np.pi
        assert distance.min() > (0.05 if size <= 32 else 0)


@pytest.mark.parametrize("size", [4, 8, 16, 48])
def test_interpolation_is_that_of_polynomials(size: int) -> None:
    places, nodes = np.array([0.123, 0.5123, 0.91]), fejer2(size - 1).nodes
    for degree in (0, 1, size - 2):
        np.testing.assert_allclose(interpolation(places, size) @ nodes**degree, places**degree, atol=1e-12)


def test_how_far_the_unused_gradient_is_off_the_line() -> None:
    """Of gradients 0, 5 and 3 at equal distances the second is 3.5 off; of δ = -2 that is 7."""
    gradient = torch.tensor([1.0, 0.0, 5.0, 3.0, 1.0], dtype=torch.float64)[None, :, None, None]
    nodes = nodes_at(np.array([[0.1, 0.2, 0.5, 0.8, 0.9]]), gradient, unused=0.5)
    off, apart = off_the_line(nodes, torch.tensor([[-2.0]], dtype=torch.float64))
    assert off[0, 0] == pytest.approx(7.0)
    assert apart[0, 0] == pytest.approx(6.0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_no_gap_is_closed_where_slopes_are_rounding(dtype: torch.dtype) -> None:
    """F is zero on the path but for rounding: to close its gap would be to add noise to what is right."""
    gradient = vanishing(fejer2(3).nodes)
    path = adaptive(lambda x: (x @ ACROSS.to(x)) * gradient(x @ U.to(x)), X.to(dtype), tol=0.03)
    assert path.correction.abs().max() == 0

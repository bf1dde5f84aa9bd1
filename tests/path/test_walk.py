"""The Brownian bridge against simulated walks, and what it must not take for one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.path.walk import ONE_KINK, closing, draws, measure, spreads, trapezoid

from ..helpers import noise
from .paths import adaptive

PLACES = np.sort(np.random.default_rng(5).uniform(0.02, 0.98, (3, 12)), axis=1)


def walks(n: int, fine: int, seed: int) -> np.ndarray:
    """Random walks on [0, 1] of variance 1 at its end, shape (n, fine)."""
    steps = np.random.default_rng(seed).normal(size=(n, fine)) / np.sqrt(fine)
    return np.cumsum(steps, 1)


def at_nodes(places: np.ndarray, features: int, fine: int = 8000) -> tuple[Tensor, np.ndarray]:
    """Gradients of walks at the nodes, shape (A, n, 1, D), and their integrals, shape (A, D)."""
    gradients, integrals = [], []
    for a, own in enumerate(places):
        walk = walks(features, fine, a)
        gradients.append(walk[:, (own * fine).astype(int)].T)
        integrals.append(walk.mean(1))
    return torch.tensor(np.stack(gradients)).unsqueeze(2), np.stack(integrals)


def test_the_trapezoid_is_exact_where_it_must_be() -> None:
    weights = trapezoid(PLACES)
    assert np.allclose(weights.sum(1), 1)
    first, last = PLACES[:, 0], PLACES[:, -1]
    # Linear between the nodes, constant beyond them.
    inner = (last**2 - first**2) / 2
    assert np.allclose((weights * PLACES).sum(1), first**2 + inner + (1 - last) * last)


def test_variances_of_the_bridge_are_those_of_simulated_walks() -> None:
    """q h³ / 12 between two nodes and q h³ / 3 at an open end, each from 4,000 walks of its own."""
    places, fine = np.array([[0.3, 0.8]]), 2000
    walk = walks(4000, fine, 1)
    times = (np.arange(fine) + 0.5) / fine
    lines = np.array([np.interp(times, places[0], w[(places[0] * fine).astype(int)]) for w in walk])
    errors = (walk - lines) / fine
    for (begin, end), variance in zip([(0, 600), (600, 1600), (1600, 2000)], spreads(places)[0], strict=True):
        if begin:
            assert errors[:, begin:end].sum(1).var() == pytest.approx(variance, rel=0.1)
    # A walk that starts at the first node and goes backwards is one too.
    back = walk[:, :600].cumsum(1)[:, -1] / fine
    assert back.var() == pytest.approx(spreads(places)[0, 0], rel=0.1)


def test_one_kink_errs_by_at_most_so_many_expected_errors() -> None:
    """A step of the gradient anywhere in an interval, and on an open stretch."""
    h, kinks = 0.3, np.linspace(0, 1, 1001)
    of_bridge = np.abs(kinks - 0.5).max() * h / np.sqrt(1 / h * h**3 / 12)
    of_open = np.abs(kinks).max() * h / np.sqrt(1 / h * h**3 / 3)
    assert of_bridge == pytest.approx(ONE_KINK)
    assert of_open == pytest.approx(ONE_KINK)


def test_the_error_of_a_walk_is_as_expected() -> None:
    """The estimate, from the nodes alone, against the true error of the trapezoid of random walks.

    Of two normal variables the mean sizes and not the variances are multiplied: a fifth too little.
    """
    gradients, integrals = at_nodes(PLACES, 4000)
    truth = np.abs(np.einsum("an,antd->ad", trapezoid(PLACES), gradients.numpy()) - integrals).sum(1)
    rough = measure(gradients, torch.ones(3, 4000, dtype=torch.float64), PLACES, np.ones((3, 1)))
    assert ((rough.total[:, 0] / truth > 0.75) & (rough.total[:, 0] / truth < 0.95)).all()
    # Summed over features the variance per length is their number; 2/π of it is what one
    # difference and one bend, both normal, make of it as a geometric mean.
    assert 0.5 * 4000 < np.median(rough.each) < 4000
    assert np.allclose(rough.rises[..., 0], np.sqrt(2 / np.pi * np.diff(PLACES)) * 4000, rtol=0.1)


def test_a_drift_is_no_walk() -> None:
    drift = torch.tensor(PLACES)[:, :, None, None] * torch.tensor(noise(40))
    rough = measure(drift, torch.ones(3, 40, dtype=torch.float64), PLACES, np.ones((3, 1)))
    assert (rough.rises > 0).all()
    assert rough.total.max() < 1e-6 * float(drift.abs().sum(-1).max())


@pytest.mark.parametrize("limit", [1, 50, 1000])
def test_large_gradients_are_measured_in_parts(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gradients, delta = torch.tensor(noise(3, 12, 2, 30)), torch.tensor(noise(3, 30))
    whole = measure(gradients, delta, PLACES, np.ones((3, 2)))
    monkeypatch.setattr("freqig.path.nodes.LARGEST", limit)
    parts = measure(gradients, delta, PLACES, np.ones((3, 2)))
    for name in ("total", "each", "rises"):
        assert np.allclose(getattr(whole, name), getattr(parts, name), rtol=1e-12)


@pytest.mark.parametrize("unit", [2.0**-120, 2.0**100])
def test_units_keep_squares_in_range(unit: float) -> None:
    gradients, delta = torch.tensor(noise(3, 12, 1, 30)).float(), torch.tensor(noise(3, 30)).float()
    one = measure(gradients, delta, PLACES, np.ones((3, 1)))
    other = measure(gradients * unit, delta, PLACES, np.full((3, 1), unit))
    assert np.allclose(one.total, other.total, rtol=1e-5)


def test_draws_are_errors_of_the_expected_size() -> None:
    """Both combinations of a walk's gradients are as large as the error is expected to be."""
    gradients, _ = at_nodes(PLACES, 4000)
    sizes = np.abs(np.einsum("akn,antd->akd", draws(PLACES), gradients.numpy())).sum(2)
    expected = np.sqrt(2 / np.pi * spreads(PLACES).sum(1)) * 4000
    assert np.allclose(sizes[:, 0], expected, rtol=0.1)
    # Bends of neighbouring nodes share a difference, so that alternating signs make more of them.
    assert (sizes[:, 1] > 0.9 * expected).all()
    assert (sizes[:, 1] < 2 * expected).all()
    # Of a constant gradient nothing is left.
    assert np.abs(draws(PLACES).sum(2)).max() < 1e-12


def test_one_node_that_stands_out_is_in_both_draws() -> None:
    """Signs by chance could add its two differences up to nothing."""
    for n in range(4, 30):
        places = np.linspace(0.01, 0.99, n)[None]
        assert (np.abs(draws(places)[0, :, 1:-1]) > 0).all()


NOTHING = np.zeros((1, 1))


def test_closing_moves_where_slopes_change() -> None:
    """In proportion to the change and to the square of the width, and never the mean of a constant."""
    places, slopes = np.array([[0.1, 0.3, 0.7, 0.9]]), np.array([[[1.0], [1.0], [3.0], [3.0]]])
    (weights,) = closing(places, slopes, NOTHING)[0]
    assert np.allclose(weights, [0, -1, 1, 0])
    assert np.allclose(closing(places, 1e-30 * slopes, NOTHING)[0], weights)
    # What is rounding alone has no direction: a step along it would be noise divided by noise.
    assert not closing(places, slopes, np.full((1, 1), 1.01 * np.abs(np.diff(slopes, axis=1)).max())).any()


def test_a_domain_that_sees_what_time_does_not() -> None:
    """Where x - x' is zero and only there the gradient wanders, its product with x - x' knows nothing."""
    generator = torch.Generator().manual_seed(1)
    slopes, offsets = torch.randn(24, generator=generator), torch.rand(24, generator=generator)
    slopes, offsets = slopes.double(), offsets.double()
    x = torch.zeros(1, 8, dtype=torch.float64)
    x[0, 0] = 1.0

    def function(x: Tensor) -> Tensor:
        # F along the path is linear; its gradient in x₁, where x is zero, is not.
        return x[:, 0] + x[:, 1] * (torch.sigmoid(50 * (x[:, :1] - offsets)) * slopes).sum(1)

    def shifted(mean_gradient: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
        return (mean_gradient[..., 1:2] * x[rows][:, None, :1],)

    path = adaptive(function, x, domains=[shifted])
    places = torch.linspace(0, 1, 200_001, dtype=torch.float64)[:, None]
    truth = (torch.sigmoid(50 * (places - offsets)) * slopes).sum(1).mean()
    assert path.converged is not None
    assert path.converged.all()
    assert abs(path.mean_gradient[0, 0, 1] - truth) <= 0.01 * abs(truth)

"""Rough paths, where gradients are kept: the model of the error, where nodes go, and what does not fit."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from freqig.integration.division import divide, next_count
from freqig.integration.kept import Kept, admitted
from freqig.integration.roughness import draws, measure, spreads, trapezoid
from freqig.integration.sample import Sample, Settings
from freqig.memory import Memory

from ..helpers import noise
from ..oracles.known_paths import kinks
from .paths import adaptive

NODES = np.sort(np.random.default_rng(5).uniform(0.02, 0.98, (3, 12)), axis=1)


def walks(n: int, fine: int, seed: int) -> np.ndarray:
    """Random walks on [0, 1] of variance 1 at its end, shape (n, fine)."""
    steps = np.random.default_rng(seed).normal(size=(n, fine)) / np.sqrt(fine)
    return np.cumsum(steps, 1)


def at_nodes(nodes: np.ndarray, features: int, fine: int = 8000) -> tuple[Tensor, np.ndarray]:
    """Gradients of walks at the nodes, shape (A, n, 1, D), and their integrals, shape (A, D)."""
    gradients, integrals = [], []
    for a, places in enumerate(nodes):
        walk = walks(features, fine, a)
        gradients.append(walk[:, (places * fine).astype(int)].T)
        integrals.append(walk.mean(1))
    return torch.tensor(np.stack(gradients)).unsqueeze(2), np.stack(integrals)


def test_the_trapezoid_is_exact_where_it_must_be() -> None:
    weights = trapezoid(NODES)
    assert np.allclose(weights.sum(1), 1)
    first, last = NODES[:, 0], NODES[:, -1]
    # Linear between the nodes, constant beyond them.
    inner = (last**2 - first**2) / 2
    assert np.allclose((weights * NODES).sum(1), first**2 + inner + (1 - last) * last)


def test_the_error_of_a_walk_is_as_expected() -> None:
    """The estimate, from the nodes alone, against the true error of the trapezoid of random walks.

    Of two normal variables the mean sizes and not the variances are multiplied: a fifth too little.
    """
    gradients, integrals = at_nodes(NODES, 4000)
    truth = np.abs(np.einsum("an,antd->ad", trapezoid(NODES), gradients.numpy()) - integrals).sum(1)
    rough = measure(gradients, torch.ones(3, 4000, dtype=torch.float64), NODES, np.ones((3, 1)))
    assert ((rough.total[:, 0] / truth > 0.75) & (rough.total[:, 0] / truth < 0.95)).all()
    # Summed over features the variance per length is their number; 2/π of it is what one
    # difference and one bend, both normal, make of it as a geometric mean.
    assert 0.5 * 4000 < np.median(rough.each) < 4000
    assert np.allclose(rough.rises[..., 0], np.sqrt(2 / np.pi * np.diff(NODES)) * 4000, rtol=0.1)


def test_a_drift_is_no_walk() -> None:
    drift = torch.tensor(NODES)[:, :, None, None] * torch.tensor(noise(40))
    rough = measure(drift, torch.ones(3, 40, dtype=torch.float64), NODES, np.ones((3, 1)))
    assert (rough.rises > 0).all()
    assert rough.total.max() < 1e-6 * float(drift.abs().sum(-1).max())


@pytest.mark.parametrize("limit", [1, 50, 1000])
def test_large_gradients_are_measured_in_parts(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gradients, delta = torch.tensor(noise(3, 12, 2, 30)), torch.tensor(noise(3, 30))
    whole = measure(gradients, delta, NODES, np.ones((3, 2)))
    monkeypatch.setattr("freqig.integration.roughness.LARGEST", limit)
    parts = measure(gradients, delta, NODES, np.ones((3, 2)))
    for name in ("total", "each", "rises"):
        assert np.allclose(getattr(whole, name), getattr(parts, name), rtol=1e-12)


def test_draws_are_errors_of_the_expected_size() -> None:
    """Both combinations of a walk's gradients are as large as the error is expected to be."""
    gradients, _ = at_nodes(NODES, 4000)
    sizes = np.abs(np.einsum("akn,antd->akd", draws(NODES), gradients.numpy())).sum(2)
    expected = np.sqrt(2 / np.pi * spreads(NODES).sum(1)) * 4000
    assert np.allclose(sizes[:, 0], expected, rtol=0.1)
    # Bends of neighbouring nodes share a difference, so that alternating signs make more of them.
    assert (sizes[:, 1] > 0.9 * expected).all()
    assert (sizes[:, 1] < 2 * expected).all()
    # Of a constant gradient nothing is left.
    assert np.abs(draws(NODES).sum(2)).max() < 1e-12


def test_one_node_that_stands_out_is_in_both_draws() -> None:
    """Signs by chance could add its two differences up to nothing."""
    for n in range(4, 30):
        nodes = np.linspace(0.01, 0.99, n)[None]
        assert (np.abs(draws(nodes)[0, :, 1:-1]) > 0).all()


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=6), st.integers(1, 4))
def test_division_is_the_best_there_is(sizes: list[float], m: int) -> None:
    """Against all ways to divide: k equal parts of an interval leave 1/k of its error."""
    strength = np.array([sizes])
    nodes = np.linspace(0, 1, len(sizes) + 1)[None, 1:-1]
    places = np.concatenate([[0], nodes[0], [1]])
    new = divide(nodes, strength, m)
    assert new.shape == (1, m)
    assert (np.diff(new[0]) > 0).all()
    counts = np.histogram(new[0], places)[0] + 1

    def left(parts: np.ndarray) -> float:
        return float(np.square(strength[0] / parts).sum())

    ways = combinations_with_replacement(range(len(sizes)), m)
    best = min(left(1 + np.bincount(way, minlength=len(sizes))) for way in ways)
    assert left(counts) <= best * (1 + 1e-9)


def test_division_without_a_hint_is_even() -> None:
    assert np.allclose(divide(np.array([[0.5]]), np.zeros((1, 2)), 2), [[0.25, 0.75]])


def test_the_ladder_is_climbed_within_bounds() -> None:
    for n in range(7, 2000):
        for excess in (1.0001, 1.3, 2.0, 3.9, 100.0):
            count = next_count(n, excess)
            assert n < count <= max(2 * n, n + 2)
            assert count >= min(excess, 1.2) * n or count - n <= max(2, n // 5)


@pytest.mark.parametrize("room", [1, 20, 60])
def test_what_does_not_fit_is_integrated_otherwise(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With little room for gradients samples wait for each other, with none they are not kept."""
    case = kinks(30, 8, seed=2)
    plenty = case.solve(0.01)
    monkeypatch.setattr(Memory, "n_kept", lambda *_: room)
    path = case.solve(0.01)
    assert path.converged is not None
    assert path.converged.all()
    assert (case.error(path) <= 0.01).double().mean() >= 0.95
    if room == 60:
        # Waiting changes nothing for those that fit.
        same = plenty.n_evaluations <= room
        assert same.any()
        assert torch.equal(path.mean_gradient[same], plenty.mean_gradient[same])


def some(count: int, n_nodes: int) -> Kept:
    """Samples with so many nodes, of which nothing else matters."""
    settings = Settings(0.01, 2000, (2, 4, 8), 8, lambda: torch.float64, slice(0, None), 100)
    samples = [Sample(i, np.zeros(1), np.ones(1), settings) for i in range(count)]
    nodes = np.tile(np.linspace(0.1, 0.9, n_nodes), (count, 1))
    trace = np.zeros((3, count, n_nodes + 2, 1))
    return Kept(
        samples,
        settings,
        nodes,
        trace,
        torch.zeros(count, n_nodes, 1, 2),
        [],
        nodes[:, 0],
        np.zeros(count, dtype=bool),
    )


def test_those_with_most_nodes_go_first() -> None:
    few, many = some(10, 11), some(4, 30)
    few.origins = many.origins = [None] * 10  # type: ignore[list-item]
    now, later = admitted([few, many], 160)
    assert [(len(part.samples), part.n_nodes) for part in now] == [(4, 30), (3, 11)]
    assert [(len(part.samples), part.n_nodes) for part in later] == [(7, 11)]


def test_a_gradient_that_is_not_finite_is_reported_where_it_is() -> None:
    """Also at a node that this sample alone has."""
    x = torch.tensor(noise(2, 32))
    w = x[0] / x[0].square().sum()

    def function(x: Tensor) -> Tensor:
        along = x @ w
        many = torch.stack([torch.relu(along - 0.11 * k) * (1 + k % 3) for k in range(9)], -1).sum(-1)
        return torch.where((along > 0.35) & (along < 0.45), torch.nan, many)

    path = adaptive(function, x[:1])
    diagnosis = path.diagnoses[0]
    assert diagnosis.status == "nonfinite"
    assert 0.35 < (diagnosis.place or 0) < 0.45
    assert path.mean_gradient.isnan().all()


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

    path = adaptive(function, x, projections=[shifted])
    places = torch.linspace(0, 1, 200_001, dtype=torch.float64)[:, None]
    truth = (torch.sigmoid(50 * (places - offsets)) * slopes).sum(1).mean()
    assert path.converged is not None
    assert path.converged.all()
    assert abs(path.mean_gradient[0, 0, 1] - truth) <= 0.01 * abs(truth)

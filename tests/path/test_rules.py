"""Rules: moments, Golub and Welsch's nodes, and order of convergence."""

from __future__ import annotations

import dataclasses
import math
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from freqig.path.rules import Rule, fejer2, gauss_legendre

from ..helpers import legendre

COUNTS = (1, 2, 3, 7, 50, 101)


@pytest.mark.parametrize("n", COUNTS)
def test_nodes_and_weights_of_golub_and_welsch(n: int) -> None:
    nodes, weights = legendre(n)
    rule = gauss_legendre(n)
    np.testing.assert_allclose(rule.nodes, nodes, atol=1e-14)
    np.testing.assert_allclose(rule.weights, weights, atol=1e-14)
    assert len(rule.nodes) == n
    assert rule.nodes.dtype == rule.weights.dtype == np.float64


@pytest.mark.parametrize("n", COUNTS)
def test_polynomials_up_to_the_degree_are_exact(n: int) -> None:
    rule = gauss_legendre(n)
    assert math.fsum(rule.weights) == pytest.approx(1, abs=1e-14)
    for degree in {0, 1, n, 2 * n - 2, 2 * n - 1}:
        assert rule.weights @ rule.nodes**degree == pytest.approx(1 / (degree + 1), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_the_next_degree_is_not_exact(n: int) -> None:
    """The error of x^2n is (n!)^4 / ((2n + 1) ((2n)!)^2) on the unit interval."""
    rule = gauss_legendre(n)
    error = 1 / (2 * n + 1) - rule.weights @ rule.nodes ** (2 * n)
    expected = math.factorial(n) ** 4 / ((2 * n + 1) * math.factorial(2 * n) ** 2)
    assert error == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n", COUNTS)
def test_nodes_are_symmetric_and_open(n: int) -> None:
    """Neither end is a node: the gradient at the baseline itself may not exist."""
    rule = gauss_legendre(n)
    np.testing.assert_allclose(rule.nodes + rule.nodes[::-1], 1, atol=1e-15)
    np.testing.assert_allclose(rule.weights, rule.weights[::-1], atol=1e-15)
    assert 0 < rule.nodes.min() <= rule.nodes.max() < 1
    assert rule.weights.min() > 0


def test_many_nodes() -> None:
    rule = gauss_legendre(300)
    assert rule.weights @ np.exp(rule.nodes) == pytest.approx(math.e - 1, rel=1e-13)


def test_convergence_for_a_pole_beside_the_interval() -> None:
    """For 1 / (1 + 25 (2x - 1)²) errors fall by (1/5 + √(1 + 1/25))² a node, the ellipse of the pole."""
    exact = math.atan(5) / 5
    counts = np.arange(10, 41, 2)
    errors = [
        abs(
            gauss_legendre(int(n)).weights @ (1 / (1 + 25 * (2 * gauss_legendre(int(n)).nodes - 1) ** 2))
            - exact
        )
        for n in counts
    ]
    slope = np.polyfit(counts, np.log(errors), 1)[0]
    assert slope == pytest.approx(-2 * math.log(0.2 + math.sqrt(1.04)), rel=0.02)


def test_rules_cannot_be_changed() -> None:
    rule = gauss_legendre(3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.nodes = rule.weights  # type: ignore[misc]
    for array in (rule.nodes, rule.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.5
    assert gauss_legendre(3) is rule


@pytest.mark.parametrize("n", [512, 513, 1000, 20_000, 100_000])
def test_any_number_of_nodes_is_cheap(n: int) -> None:
    """A table of n² numbers would take 3 GB at 20,000 nodes."""
    gauss_legendre.cache_clear()
    tracemalloc.start()
    rule = gauss_legendre(n)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(rule.nodes) == n
    assert most < 100 * 8 * n + 2**20
    assert rule.weights @ np.exp(rule.nodes) == pytest.approx(math.e - 1, rel=1e-13)
    assert rule.weights @ np.cos(50 * rule.nodes) == pytest.approx(math.sin(50) / 50, abs=1e-13)
    assert rule.weights.min() > 0


@pytest.mark.parametrize(
    ("build", "n", "degree"),
    [(gauss_legendre, 1, 1), (gauss_legendre, 2, 3), (fejer2, 1, 1), (fejer2, 3, 3), (fejer2, 5, 5)],
)
def test_the_order_is_that_of_the_degree(build: Callable[[int], Rule], n: int, degree: int) -> None:
    """In panels of width h the error of a smooth integral falls like h^(degree + 1)."""
    rule = build(n)
    panels = np.array([10, 21, 32])
    exact = (math.exp(5) - 1) / 5
    errors = []
    for m in panels:
        places = (np.arange(m)[:, None] + rule.nodes) / m
        errors.append(abs((np.exp(5 * places) @ rule.weights).mean() - exact))
    order = -np.polyfit(np.log(panels), np.log(errors), 1)[0]
    assert order == pytest.approx(degree + 1, rel=0.03)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 15, 31, 255])
def test_fejer_integrates_its_degree_with_positive_weights(n: int) -> None:
    rule = fejer2(n)
    assert (rule.weights > 0).all()
    for degree in {0, 1, n // 2, n - 1 + n % 2}:
        assert rule.weights @ rule.nodes**degree == pytest.approx(1 / (degree + 1), rel=1e-11)


def test_fejer_of_three_nodes_by_hand() -> None:
    np.testing.assert_allclose(fejer2(3).nodes, [0.5 - 0.125**0.5, 0.5, 0.5 + 0.125**0.5])
    np.testing.assert_allclose(fejer2(3).weights, [1 / 3, 1 / 3, 1 / 3])


@pytest.mark.parametrize(("inner", "outer"), [(1, 3), (3, 7), (7, 15), (15, 31), (511, 1023)])
def test_fejer_nests_under_doubling(inner: int, outer: int) -> None:
    """To the bit: gradients that are kept are not taken again."""
    assert set(fejer2(inner).nodes) <= set(fejer2(outer).nodes)


@pytest.mark.parametrize("n", [20_000, 65_535])
def test_fejer_weights_are_a_transform(n: int) -> None:
    """∫ cos(50 α), and memory that grows with the nodes and not with their square."""
    fejer2.cache_clear()
    tracemalloc.start()
    rule = fejer2(n)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100 * 8 * n
    assert rule.weights @ np.cos(50 * rule.nodes) == pytest.approx(math.sin(50) / 50, abs=1e-13)

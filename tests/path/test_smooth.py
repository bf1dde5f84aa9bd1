"""Fejér's rules as weights of kept gradients: what they integrate, and what their differences tell."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from freqig.path.nodes import SLOPES, VALUES
from freqig.path.rules import fejer2
from freqig.path.smooth import between_nodes, error, first_size, is_unused, order, size_of, weights

from .paths import nodes_at


@pytest.mark.parametrize("size", [4, 8, 16, 32])
def test_three_rules_share_the_nodes_of_the_largest(size: int) -> None:
    """Each integrates what its own number of nodes promises: powers up to its degree, and not the next."""
    places = fejer2(size - 1).nodes
    for row, step in zip(weights(size), (1, 2, 4), strict=True):
        degree = size // step - 1
        if degree:
            for power in range(degree + 1):
                assert row @ places**power == pytest.approx(1 / (power + 1), rel=1e-12)
            assert np.count_nonzero(row) == degree


def test_a_rule_between_its_nodes_integrates_polynomials_exactly() -> None:
    places = fejer2(7).nodes
    edges = np.concatenate([[0], places, [1]])
    for power in range(7):
        found = between_nodes(8) @ places**power
        np.testing.assert_allclose(found, np.diff(edges ** (power + 1)) / (power + 1), atol=1e-14)


def along(function: object, size: int) -> object:
    """Nodes of a path of one feature with F(α) and slope given."""
    value, slope = function  # type: ignore[misc]
    places = np.sort(np.append(fejer2(size - 1).nodes, 0.123))[None]
    nodes = nodes_at(places, torch.tensor(slope(places))[:, :, None, None], unused=0.123)
    trace = nodes.trace.copy()
    trace[VALUES, :, :, 0], trace[SLOPES, :, 1:-1, 0] = value(nodes.edges), slope(places)
    return nodes_at(places, nodes.gradient, trace=trace, unused=0.123)


def test_undivided_paths_are_recognised() -> None:
    nodes = along((np.sin, np.cos), 16)
    assert size_of(nodes) == 16
    assert nodes.place[is_unused(nodes)] == [0.123]
    moved = nodes.place.copy()
    moved[0, 7] += 1e-6
    assert size_of(nodes_at(moved, nodes.gradient, unused=0.123)) == 0
    assert size_of(nodes_at(np.linspace(0.1, 0.9, 11)[None], torch.zeros(1, 11, 1, 1))) == 0


def test_order_of_kinks_is_low_and_of_smooth_paths_high() -> None:
    """The gradient jumps at a kink, so that rules are right to first order; of a sine they gain digits."""
    kinked = [
        order(along((lambda a, k=k: np.maximum(a - k, 0), lambda a, k=k: (a > k) * 1.0), 16), 16)[0, 0]
        for k in np.linspace(0.3, 0.7, 40)
    ]
    assert 1 <= np.median(kinked) < 2
    assert order(along((lambda a: np.sin(4 * a), lambda a: 4 * np.cos(4 * a)), 16), 16)[0, 0] >= 9


def test_the_error_falls_by_the_rate_that_two_differences_show() -> None:
    last, before = np.full((1, 2, 1), 0.01), np.full((1, 2, 1), 0.04)
    assert np.allclose(error(last, before, np.full((1, 1), 5.0), 1.0), 0.01 / 4)
    assert np.allclose(error(last, before, np.ones((1, 1)), 1.0), 0.01 / 2)
    # Where rules agree to the bit, nothing is divided by nothing.
    assert error(last, 0 * before, np.ones((1, 1)), 1.0).min() >= 0.005


@pytest.mark.parametrize("n_initial", [1, 2, 3, 4, 5, 7, 8, 15, 33, 100])
def test_the_first_rule_has_at_least_so_many_nodes(n_initial: int) -> None:
    size = first_size(n_initial, 2000)
    assert n_initial < size <= max(4, 2 * n_initial)
    assert first_size(n_initial, 40) <= 40

"""Rules on [0, 1]: degrees, nesting, positive weights, and orders of convergence as declared."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from freqig.integration.adaptive import rows_per_sample
from freqig.integration.estimates import expected_error
from freqig.integration.nested import LARGEST, family, first_size, increment
from freqig.quadrature import Rule, fejer2, gauss_legendre, patterson

RULES = [
    pytest.param(build, n, id=f"{build.__name__}-{n}")
    for build, counts in ((gauss_legendre, (1, 2, 3)), (fejer2, (1, 2, 3, 5, 7)), (patterson, (1, 3, 7)))
    for n in counts
]


@pytest.mark.parametrize(("build", "n"), RULES)
def test_measured_order_is_the_declared_one(build: Callable[[int], Rule], n: int) -> None:
    """In panels of width h the error of a smooth integral falls like h^(degree + 1).

    High orders leave few panels between the asymptote and rounding.
    """
    rule = build(n)
    finest = 32 if rule.degree < 6 else 9 if rule.degree < 8 else 3
    panels = np.array([finest // 3, finest * 2 // 3, finest])
    exact = (math.exp(5) - 1) / 5
    errors = []
    for m in panels:
        places = (np.arange(m)[:, None] + rule.nodes) / m
        errors.append(abs((np.exp(5 * places) @ rule.weights).mean() - exact))
    order = -np.polyfit(np.log(panels), np.log(errors), 1)[0]
    assert order == pytest.approx(rule.degree + 1, rel=0.03 if rule.degree < 6 else 0.06)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 15, 23, 47, 255, 1535])
def test_fejer_integrates_its_degree_with_positive_weights(n: int) -> None:
    rule = fejer2(n)
    assert rule.degree == n - 1 + n % 2
    assert (rule.weights > 0).all()
    for degree in {0, 1, n // 2, rule.degree}:
        assert rule.weights @ rule.nodes**degree == pytest.approx(1 / (degree + 1), rel=1e-11)


def test_fejer_of_three_nodes_by_hand() -> None:
    np.testing.assert_allclose(fejer2(3).nodes, [0.5 - 0.125**0.5, 0.5, 0.5 + 0.125**0.5])
    np.testing.assert_allclose(fejer2(3).weights, [1 / 3, 1 / 3, 1 / 3])


@pytest.mark.parametrize(("inner", "outer"), [(1, 3), (3, 7), (7, 15), (7, 23), (23, 47), (511, 1535)])
def test_fejer_nests_under_doubling_and_tripling(inner: int, outer: int) -> None:
    assert set(fejer2(inner).nodes) <= set(fejer2(outer).nodes)


@pytest.mark.parametrize(("inner", "outer"), [(1, 3), (3, 7), (7, 15)])
def test_patterson_nests(inner: int, outer: int) -> None:
    distance = np.abs(np.subtract.outer(patterson(inner).nodes, patterson(outer).nodes)).min(1)
    assert distance.max() < 1e-15


@pytest.mark.parametrize(("build", "n"), [(fejer2, 0), (patterson, 5)])
def test_no_such_rule(build: Callable[[int], Rule], n: int) -> None:
    with pytest.raises(ValueError, match="number of nodes must be"):
        build(n)


@pytest.mark.parametrize("n_initial", [1, 2, 3, 4, 5, 7, 8, 15, 33, 100])
def test_the_first_rule_has_at_least_so_many_nodes(n_initial: int) -> None:
    size = first_size(n_initial, 2000)
    assert n_initial < size <= 2 * n_initial + 2
    assert size in family(size, 2000)
    assert max(family(size, 2000)) <= 2001


@pytest.mark.parametrize("path", [(8, 16, 32, 96), (8, 24, 48), (2, 4, 12), (6, 12, 24)])
def test_running_sums_are_the_rules(path: tuple[int, ...]) -> None:
    """Weights of every size are known before a node is evaluated: their sums are the whole rules."""
    sizes = family(path[0], 100)
    sums, seen, current = np.zeros(len(sizes)), np.array([]), 1
    for size in path:
        nodes, weights = increment(sizes, current, size)
        assert not set(nodes) & set(seen)
        sums += weights @ np.cos(3 * nodes)
        seen, current = np.concatenate([seen, nodes]), size
        rule = fejer2(size - 1)
        assert sums[sizes.index(size)] == pytest.approx(rule.weights @ np.cos(3 * rule.nodes), abs=1e-14)
    assert len(seen) == path[-1] - 1


def test_rules_that_agree_by_seeing_nothing_do_not_excuse_the_next() -> None:
    """A unit that only the last of seven nodes sees, and F hardly: two rules agree on nothing at all."""
    last, before, one = np.full((1, 2, 1), 1.4), np.zeros((1, 2, 1)), np.ones((1, 1))
    assert expected_error(last, before, (2, 4, 8), one, one).min() >= 0.5


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


def test_rules_do_not_grow_with_a_limit_that_no_path_reaches() -> None:
    assert family(8, 10**9) == family(8, 10**6)
    assert max(family(8, 10**9)) == LARGEST
    # A first rule beyond it is what was asked for.
    assert max(family(first_size(30_000, 10**6), 10**6)) == first_size(30_000, 10**6)
    assert rows_per_sample(7, 10**9) < 2 * rows_per_sample(7, 2000)

"""Closed forms against sums over permutations and coalitions, and the axioms."""

from itertools import combinations, permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freqig.coalitions.exact import all_coalitions, alone, interactions, shapley_values

games = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.floats(-10, 10), min_size=2**n, max_size=2**n).map(lambda v: np.array(v)[:, None])
)


def by_permutations(value, n):
    """Mean contribution of each player over all orders in which they may come."""
    found = np.zeros(n)
    for order in permutations(range(n)):
        before = frozenset()
        for player in order:
            found[player] += value(before | {player}) - value(before)
            before |= {player}
    return found / factorial(n)


def pairs_by_coalitions(value, n):
    """Second differences over all coalitions without the pair, by the weights of their sizes."""
    found = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        others = [k for k in range(n) if k not in (i, j)]
        for size in range(n - 1):
            weight = factorial(size) * factorial(n - size - 2) / factorial(n - 1)
            for chosen in combinations(others, size):
                s = frozenset(chosen)
                change = value(s | {i, j}) - value(s | {i}) - value(s | {j}) + value(s)
                found[i, j] += weight * change
        found[j, i] = found[i, j]
    return found


def values_by_number(value, n):
    """Values of all coalitions, bit i of whose number says whether player i is in it, shape (2^n, 1)."""
    return np.array([[value(frozenset(i for i in range(n) if number >> i & 1))] for number in range(2**n)])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_values_and_pairs_are_those_of_the_definitions(n):
    drawn = np.random.default_rng(n).normal(size=2**n)

    def value(s):
        return drawn[sum(1 << i for i in s)]

    values = values_by_number(value, n)
    np.testing.assert_allclose(shapley_values(values)[:, 0], by_permutations(value, n), atol=1e-12)
    np.testing.assert_allclose(interactions(values)[..., 0], pairs_by_coalitions(value, n), atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(games)
def test_values_add_up_and_so_do_players_alone_with_pairs(values):
    whole, phi, pairs = values[-1] - values[0], shapley_values(values), interactions(values)
    np.testing.assert_allclose(phi.sum(0), whole, atol=1e-9)
    n = len(phi)
    np.testing.assert_allclose(
        alone(phi, pairs).sum(0) + pairs[np.triu_indices(n, 1)].sum(0), whole, atol=1e-9
    )


@settings(deadline=None, max_examples=40)
@given(games, st.floats(-3, 3))
def test_values_are_linear_in_the_game(values, factor):
    other = np.cos(np.arange(len(values)))[:, None]
    for of in (shapley_values, interactions):
        np.testing.assert_allclose(of(values + factor * other), of(values) + factor * of(other), atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(games)
def test_a_player_who_changes_nothing_gets_nothing_and_twins_get_the_same(values):
    # A player is added who does nothing, and a twin of the last.
    dummy = np.concatenate([values, values])
    np.testing.assert_allclose(shapley_values(dummy)[-1], 0, atol=1e-12)
    np.testing.assert_allclose(interactions(dummy)[-1], 0, atol=1e-12)
    n = len(shapley_values(values))
    numbers = np.arange(2 ** (n + 1))
    merged = numbers % 2 ** (n - 1) + 2 ** (n - 1) * ((numbers >> (n - 1)) > 0)
    twins = shapley_values(values[merged])
    np.testing.assert_allclose(twins[-1], twins[-2], atol=1e-9)


def test_coalitions_have_the_bits_of_their_numbers():
    found = all_coalitions(4, 3, 9)
    assert [sum(1 << i for i in np.flatnonzero(row)) for row in found] == list(range(3, 9))

"""Where nodes go, against every other way to divide."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from freqig.path.division import JITTER, LOOK, divide, everywhere, next_count, with_ends


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=6), st.integers(1, 4))
def test_division_is_the_best_there_is(sizes: list[float], m: int) -> None:
    """Against all ways to divide: k equal parts of an interval leave 1/k of its error."""
    strength = np.array([sizes])
    edges = np.linspace(0, 1, len(sizes) + 1)[None]
    new = divide(edges, strength, m)
    assert new.shape == (1, m)
    assert (np.diff(new[0]) > 0).all()
    counts = np.histogram(new[0], edges[0])[0] + 1

    def left(parts: np.ndarray) -> float:
        return float(np.square(strength[0] / parts).sum())

    ways = combinations_with_replacement(range(len(sizes)), m)
    best = min(left(1 + np.bincount(way, minlength=len(sizes))) for way in ways)
    assert left(counts) <= best * (1 + 1e-9)


def test_parts_are_nearly_equal_and_never_quite() -> None:
    """Within JITTER of equal parts; of many intervals no two are divided in the same proportion."""
    edges = np.linspace(0, 1, 51)[None]
    new = divide(edges, np.ones((1, 50)), 50)[0]
    shares = (new - edges[0, :-1]) * 50
    assert np.abs(shares - 0.5).max() <= JITTER / 2 + 1e-9
    assert len(np.unique(shares.round(6))) == 50
    assert np.allclose(
        divide(np.array([[0, 0.5, 1.0]]), np.zeros((1, 2)), 2), [[0.25, 0.75]], atol=JITTER / 4
    )


def test_the_ladder_is_climbed_within_bounds() -> None:
    for n in range(8, 2000):
        for excess in (1.0001, 1.3, 2.0, 3.9, 100.0):
            count = next_count(n, excess)
            assert n < count <= max(2 * n, n + 2)
            assert count >= min(excess**0.75, 1.2) * n or count - n <= max(2, n // 5)


def test_looking_everywhere_and_near_the_ends() -> None:
    edges = np.array([[0, 0.2, 0.5, 0.7, 1]])
    places = everywhere(edges)
    assert (np.histogram(places[0], edges[0])[0] == 1).all()
    ends = with_ends(edges, np.ones((1, 4)), 3)[0]
    assert np.allclose(ends[:2], [LOOK * 0.2, 1 - LOOK * 0.3])
    assert 0.2 < ends[2] < 0.7

"""Intervals against normal theory, exponential data, and SciPy's bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from freqig.statistics.intervals import bca_interval, spread_of

TRIALS = 1500
"""Each is a place of its own: 95 % of so many are 1425 ± 8.4."""


def covered(samples: list[np.ndarray], truth: float, interval: float = 0.95) -> float:
    low, high = bca_interval(samples, interval, 3000, seed=0)
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("n", [6, 9, 20])
def test_intervals_of_normal_data_hold_the_mean(n: int) -> None:
    values = np.random.default_rng(n).normal(3, 2, size=(n, TRIALS))
    assert 0.925 < covered([values], 3) < 0.97


@pytest.mark.parametrize(("n", "least"), [(6, 0.87), (9, 0.89), (20, 0.915)])
def test_intervals_of_skewed_data_hold_the_mean_better_than_plain_ones(n: int, least: float) -> None:
    values = np.random.default_rng(n).exponential(size=(n, TRIALS))
    found = covered([values], 1)
    assert found > least
    mean, half = values.mean(0), 1.96 * values.std(0) / np.sqrt(n)
    assert found > (np.abs(mean - 1) <= half).mean() + 0.02


def test_intervals_of_a_difference_hold_it() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(2, 1, size=(8, TRIALS)), rng.normal(0, 2, size=(15, TRIALS))
    assert 0.92 < covered([first, second], 2) < 0.975


def test_a_narrower_level_covers_less() -> None:
    values = np.random.default_rng(2).normal(size=(15, TRIALS))
    assert 0.77 < covered([values], 0, 0.8) < 0.83


@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_limits_are_those_of_scipy(draw: str) -> None:
    """Of residuals widened by √(n / (n - 1)), at the level that Student's quantile has in a normal one."""
    n = 10
    values = getattr(np.random.default_rng(3), draw)(size=n)
    widened = values.mean() + (values - values.mean()) * np.sqrt(n / (n - 1))
    level = 1 - 2 * stats.norm.sf(stats.t.ppf(0.975, n - 1))
    truth = stats.bootstrap(
        (widened,), np.mean, confidence_level=level, n_resamples=60_000, method="BCa", rng=0
    ).confidence_interval
    low, high = bca_interval([values[:, None]], 0.95, 60_000, seed=1)
    size = truth.high - truth.low
    assert low[0] == pytest.approx(truth.low, abs=0.02 * size)
    assert high[0] == pytest.approx(truth.high, abs=0.02 * size)


def test_limits_follow_scale_and_offset() -> None:
    values = np.random.default_rng(4).exponential(size=(12, 7))
    low, high = bca_interval([values], 0.95, 2000, 0)
    for scale in (1e-12, 1e12):
        found = bca_interval([scale * values], 0.95, 2000, 0)
        np.testing.assert_allclose(found[0], scale * low, rtol=1e-4)
        np.testing.assert_allclose(found[1], scale * high, rtol=1e-4)
    moved = bca_interval([values + 1000], 0.95, 2000, 0)
    np.testing.assert_allclose(moved[0], low + 1000, atol=1e-4)


def test_what_does_not_vary_has_its_mean_for_limits() -> None:
    values = np.ones((8, 2))
    values[:, 1] = 0
    low, high = bca_interval([values], 0.95, 500, 0)
    np.testing.assert_array_equal(low, [1, 0])
    np.testing.assert_array_equal(high, [1, 0])


def test_one_unit_apart_from_the_others_has_finite_limits() -> None:
    values = np.zeros((6, 1))
    values[3] = 1
    low, high = bca_interval([values], 0.95, 5000, 0)
    assert 0 >= low[0] > -0.2
    assert 0.3 < high[0] < 1.5


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).normal(size=(9, 3, 4)).astype(np.float32)
    whole = bca_interval([values], 0.95, 500, 0), spread_of(values)
    monkeypatch.setattr("freqig.statistics.intervals.BLOCK", 1000)
    parts = bca_interval([values], 0.95, 500, 0), spread_of(values)
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-5)
    np.testing.assert_allclose(parts[1], whole[1])
    np.testing.assert_allclose(whole[1], values.std(0, ddof=1), rtol=1e-6)

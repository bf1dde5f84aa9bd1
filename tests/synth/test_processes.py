"""Random processes against their theory: transitions, moments and autocovariances."""

from __future__ import annotations

import numpy as np
import pytest

from freqig import synth
from freqig.synth.rare import variance


def within(share: float, probability: float, count: int) -> bool:
    """Whether a share is what so many draws of a probability give, to four standard errors."""
    return abs(share - probability) < 4 * np.sqrt(probability * (1 - probability) / count)


@pytest.fixture(scope="module")
def hidden() -> object:
    return synth.hmm(n=400, seed=1)


def test_states_change_at_the_rates_of_the_source(hidden: object) -> None:
    state = hidden.state.values
    before, after = state[:, :-1].ravel(), state[:, 1:].ravel()
    assert within(after[before == 0].mean(), 0.05, (before == 0).sum())
    # How long a state has lasted, counted again.
    since = np.zeros_like(state)
    for t in range(1, state.shape[1]):
        since[:, t] = np.where(state[:, t] == state[:, t - 1], since[:, t - 1] + 1, 0)
    # The first step may have been a change or not: only runs that began later are sure.
    began = np.cumsum(np.diff(state, axis=1, prepend=state[:, :1]) != 0, axis=1) > 0
    for d in (0, 5, 15):
        rows = began[:, :-1] & (state[:, :-1] == 1) & (since[:, :-1] == d)
        stays = state[:, 1:][rows]
        assert stays.size > 300
        assert within(stays.mean(), 0.95 - d / 500, stays.size)
    assert within(state[:, 0].mean(), 0.5, len(state))


def test_signals_have_the_moments_of_their_state(hidden: object) -> None:
    series, state = hidden.signal.values.transpose(0, 2, 1), hidden.state.values
    for s, mean, deciding in ((0, (0.1, 1.6, 0.5), 1), (1, (-0.1, -0.4, -1.5), 2)):
        rows = series[state == s].astype(float)
        expected = 0.801 * np.eye(3)
        expected[0, deciding] = expected[deciding, 0] = 0.01
        assert np.abs(rows.mean(0) - mean).max() < 4 * np.sqrt(0.801 / len(rows))
        assert np.abs(np.cov(rows.T) - expected).max() < 5 * 0.801 * np.sqrt(2 / len(rows))


def test_labels_follow_the_signal_that_decides(hidden: object) -> None:
    truth, state = hidden.truth_waveform.values, hidden.state.values
    np.testing.assert_array_equal(truth.sum(1), 1)
    np.testing.assert_array_equal(truth.argmax(1), state + 1)
    value = np.take_along_axis(hidden.signal.values, state[:, None] + 1, 1)[:, 0].astype(float)
    np.testing.assert_allclose(hidden.probability, 1 / (1 + np.exp(-2 * value)), rtol=1e-6)
    label = hidden.label.values
    assert set(np.unique(label)) == {0, 1}
    for low in (0.1, 0.3, 0.5, 0.7):
        rows = (hidden.probability.values >= low) & (hidden.probability.values < low + 0.2)
        assert within(label[rows].mean(), hidden.probability.values[rows].mean(), rows.sum())


def test_switches_are_where_the_state_changes(hidden: object) -> None:
    state, switch = hidden.state.values, hidden.truth_switch.values
    assert switch[:, :, 0].any(1).all()
    np.testing.assert_array_equal(switch[:, :, 1:].any(1), state[:, 1:] != state[:, :-1])
    assert not (switch & ~hidden.truth_waveform.values).any()


@pytest.mark.parametrize("ar", [(-0.25, -0.1, -0.05), (0.6, -0.3)])
def test_arma_has_the_autocovariance_of_theory(ar: tuple[float, ...]) -> None:
    problem = synth.arma(n=40, ar=ar, n_time=60, seed=2)
    series = problem.signal.values.astype(float)
    p = len(ar)
    # Yule-Walker, γ_j = Σ ar_k γ_|j-k| + [j = 0], as one linear system.
    system, right = np.eye(p + 1), np.eye(p + 1)[0]
    for j in range(p + 1):
        for k, weight in enumerate(ar, 1):
            system[j, abs(j - k)] -= weight
    gamma = np.linalg.solve(system, right)
    for lag, expected in enumerate(gamma):
        products = series[..., lag:] * series[..., : 60 - lag]
        # One mean per series and channel, which are independent.
        means = products.mean(-1).ravel()
        assert abs(means.mean() - expected) < 4 * means.std() / np.sqrt(means.size)
    # Stationary from the first step on.
    assert (series[..., 0] ** 2).mean() == pytest.approx(gamma[0], abs=4 * gamma[0] * np.sqrt(2 / 2000))
    assert variance(np.array(ar)) == pytest.approx(gamma[0], rel=1e-9)


def test_rare_features_are_five_channels_in_the_middle_half() -> None:
    problem = synth.arma(n=200, rare="feature", seed=3)
    truth = problem.truth_waveform.values
    channels = truth.any(2)
    np.testing.assert_array_equal(channels.sum(1), 5)
    np.testing.assert_array_equal(np.flatnonzero(truth.any((0, 1))), np.arange(12, 37))
    np.testing.assert_array_equal(truth, channels[:, :, None] & truth.any((0, 1)))
    assert channels.any(0).all(), "each channel is drawn some time"
    assert len(np.unique(channels, axis=0)) > 190, "and anew for each series"


def test_rare_times_are_five_steps_in_a_row_of_the_middle_channels() -> None:
    problem = synth.arma(n=500, rare="time", seed=4)
    steps = problem.truth_waveform.values.any(1)
    np.testing.assert_array_equal(
        np.flatnonzero(problem.truth_waveform.values.any((0, 2))), np.arange(12, 37)
    )
    first = steps.argmax(1)
    np.testing.assert_array_equal(
        steps, (np.arange(50) >= first[:, None]) & (np.arange(50) < first[:, None] + 5)
    )
    assert (first.min(), first.max()) == (0, 44)


@pytest.mark.parametrize("rare", ["feature", "time"])
def test_outputs_are_the_squares_that_are_seen(rare: str) -> None:
    problem = synth.arma(n=300, rare=rare, seed=5)
    expected = np.einsum(
        "nct,nct,nct->nt", problem.signal, problem.signal, problem.truth_waveform.astype(float)
    )
    np.testing.assert_allclose(problem.output, expected, rtol=1e-5)
    assert 0.35 < problem.label.mean().item() < 0.6

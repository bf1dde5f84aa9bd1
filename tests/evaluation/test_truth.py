"""Metrics with a known truth against scikit-learn and formulas, and complexity."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, precision_recall_curve

from freqig.evaluation.complexity import complexity
from freqig.evaluation.likeness import likeness
from freqig.evaluation.truth import read_truth, truth_metrics

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, -1.0, 3.5]), min_size=3, max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(SCORES, st.integers(0, 99))
def test_precision_and_recall_are_those_of_scikit_learn(values: list[float], seed: int) -> None:
    a = np.array([values])
    truth = np.zeros((1, len(values)), dtype=bool)
    chosen = np.random.default_rng(seed).permutation(len(values))[: max(1, len(values) // 3)]
    truth[0, chosen] = True
    found = truth_metrics(a, truth)
    for ending, scores in (("", np.abs(a[0])), ("_by_sign", a[0])):
        wanted = average_precision_score(truth[0], scores)
        assert found["average_precision" + ending][0] == pytest.approx(wanted)
        if np.ptp(scores) == 0:
            assert np.isnan(found["aup" + ending][0])
            continue
        scaled = (scores - scores.min()) / np.ptp(scores)
        precision, recall, thresholds = precision_recall_curve(truth[0], scaled)
        assert found["aup" + ending][0] == pytest.approx(auc(thresholds, precision[:-1]))
        assert found["aur" + ending][0] == pytest.approx(auc(thresholds, recall[:-1]))


def test_a_perfect_ranking_and_its_inverse() -> None:
    truth = np.array([[True, True, False, False, False]] * 2)
    found = truth_metrics(np.array([[9.0, -8.0, 1.0, 0.5, 0.2], [0.1, 0.2, 3.0, 4.0, 5.0]]), truth)
    assert found["relevance_rank_accuracy"].tolist() == [1.0, 0.0]
    assert found["average_precision"][0] == 1.0
    # The two come last: precision 1/4 and 2/5, each for half of the recall.
    assert found["average_precision"][1] == pytest.approx((1 / 4 + 2 / 5) / 2)
    assert found["relevance_mass_accuracy"][0] == pytest.approx(17 / 18.7)
    assert found["relevance_mass_accuracy_by_sign"][0] == pytest.approx(9 / 10.7)
    assert found["relevance_rank_accuracy_by_sign"][0] == 0.5
    assert found["truth_share"].tolist() == [0.4, 0.4]


def test_ties_are_worth_a_random_choice() -> None:
    truth = np.array([[True, False, False, False]])
    found = truth_metrics(np.zeros((1, 4)), truth)
    assert found["relevance_rank_accuracy"][0] == 0.25
    assert found["average_precision"][0] == 0.25
    assert np.isnan(found["relevance_mass_accuracy"][0])


def test_nothing_true_is_no_score() -> None:
    found = truth_metrics(np.array([[1.0, 2.0]] * 2), np.array([[False, False], [True, True]]))
    assert np.isnan(found["average_precision"]).all()
    assert found["truth_share"].tolist() == [0.0, 1.0]


def test_missing_coefficients_do_not_count() -> None:
    a = np.array([[3.0, np.nan, 1.0, 2.0]])
    truth = np.array([[True, True, False, False]])
    found = truth_metrics(a, truth)
    assert found["average_precision"][0] == found["relevance_rank_accuracy"][0] == 1.0
    assert found["truth_share"][0] == pytest.approx(1 / 3)
    assert complexity(a)["entropy"] == pytest.approx(complexity(np.array([[3.0, 1.0, 2.0]]))["entropy"])


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 50), st.floats(0.001, 1000))
def test_complexity_of_equal_shares_and_of_one(count: int, size: float) -> None:
    a = np.zeros((2, 50))
    a[0, :count], a[1, 7] = -size, size
    found = complexity(a)
    np.testing.assert_allclose(found["entropy"], [np.log(count), 0], atol=1e-9)
    np.testing.assert_allclose(found["effective_number"], [count, 1])


def test_complexity_of_nothing_is_no_number() -> None:
    assert np.isnan(complexity(np.zeros((1, 4)))["entropy"]).all()


def test_likeness_is_spearmans_and_the_cosine() -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(0)
    a, b = generator.integers(-4, 5, (2, 3, 12)).astype(float)
    found = likeness(a, b)
    for i in range(3):
        wanted = spearmanr(np.abs(a[i]), np.abs(b[i])).statistic
        assert found["rank_correlation"][i] == pytest.approx(wanted)
        assert found["cosine"][i] == pytest.approx(a[i] @ b[i] / np.linalg.norm(a[i]) / np.linalg.norm(b[i]))
    assert likeness(a, -3 * a)["magnitude_ratio"] == pytest.approx(3)
    assert likeness(a, -3 * a)["cosine"] == pytest.approx(-1)
    assert likeness(a, -3 * a)["top"] == pytest.approx(1)


def variable() -> xr.DataArray:
    return xr.DataArray(
        np.ones((2, 5)),
        {"frequency": ("frequency", np.arange(5.0), {"units": "Hz"})},
        ("sample", "frequency"),
        name="rfft",
    )


@pytest.mark.parametrize(
    "truth",
    [
        {"cue": (1, 3)},
        np.array([False, True, True, False, False]),
        np.array([[False, True, True, False, False]] * 2),
        xr.DataArray([False, True, True, False, False], dims="frequency"),
        {"rfft": {"cue": (1, 3)}},
        {"rfft": [False, True, True, False, False], "other": "alpha"},
    ],
)
def test_truth_may_be_told_in_many_ways(truth: object) -> None:
    found = read_truth(truth, variable(), ["rfft", "other"], 10.0)
    assert found is not None
    assert found.tolist() == [[False, True, True, False, False]] * 2


def test_an_array_is_truth_of_coefficients_that_have_names() -> None:
    names = {"channel": ["Cz", "Oz"], "frequency": [0.0, 0.5, 1.0]}
    variable = xr.DataArray(np.ones((2, 2, 3)), dims=("sample", *names), coords=names)
    truth = np.array([[False, True, False], [True, False, False]])
    for told in (truth, xr.DataArray(truth, dims=tuple(names)), np.stack([truth, truth])):
        found = read_truth(told, variable, ["rfft"], None)
        np.testing.assert_array_equal(found, np.stack([truth.ravel()] * 2))
    other = xr.DataArray(truth, dims=tuple(names), coords={**names, "channel": ["Oz", "Cz"]})
    with pytest.raises(ValueError, match="coordinates of"):
        read_truth(other, variable, ["rfft"], None)


def test_no_truth_for_this_variable() -> None:
    assert read_truth({"other": {"cue": (1, 3)}}, variable(), ["rfft", "other"], 10.0) is None
    assert read_truth(None, variable(), ["rfft"], 10.0) is None


@pytest.mark.parametrize(
    ("truth", "kind", "message"),
    [
        (np.ones(5), TypeError, "truth must be bands, a bool"),
        (np.ones(4, dtype=bool), ValueError, r"truth must be bands.*shape of rfft, \(2, 5\).*\(4,\)"),
        (xr.DataArray(np.ones(5), dims="frequency"), TypeError, "truth as a mask must be bool"),
        ({"cue": (7, 9)}, ValueError, "must hold a frequency"),
    ],
)
def test_truth_that_fits_nothing_is_an_error(truth: object, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        read_truth(truth, variable(), ["rfft"], 10.0)

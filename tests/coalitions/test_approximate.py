"""Estimates of shapiq, where it is installed, against what is known exactly."""

import numpy as np
import pytest

import freqig
from freqig.coalitions import approximate
from freqig.errors import ConvergenceWarning

FS, N = 80.0, 80
X = np.random.default_rng(0).normal(size=(2, N))
SIXTEEN = freqig.Segments(5 / FS)


def explained(model, x=X, **asked):
    return freqig.Shapley(model, fs=FS, **{"players": SIXTEEN, **asked})(x, target=0)


def product(x):
    return x[:, :5].sum(-1) * x[:, 10:15].sum(-1) + x[:, 40:].sum(-1)


def test_without_shapiq_an_error_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "shapiq", None)
    with pytest.raises(ImportError, match=r"pip install 'freqig\[shapley\]'"):
        explained(lambda x: x.sum(-1))


def test_a_budget_below_the_least_is_refused():
    with pytest.raises(ValueError, match="budget must be at least 32 for 16 players"):
        explained(lambda x: x.sum(-1), budget=31)


def test_estimates_agree_with_all_coalitions_within_the_error_that_they_tell():
    pytest.importorskip("shapiq")

    def model(x):
        return np.tanh(x[:, :40].sum(-1) * x[:, 40:].sum(-1) / 20) + product(x) / 20

    told, known = explained(model, budget=1024, tol=0.5), explained(model, budget=2**16)
    assert (known.estimated_error == 0).all()
    error = np.abs(told.shapley - known.shapley).sum("shapley_segment")
    norm = np.abs(known.shapley).sum("shapley_segment")
    assert (told.estimated_error > 0).all()
    assert (error / norm < 4 * told.estimated_error).all()
    assert (told.n_evaluations <= 1024 + 2).all()
    assert told.shapley.equals(explained(model, budget=1024, tol=0.5).shapley)
    assert not told.shapley.equals(explained(model, budget=1024, tol=0.5, seed=1).shapley)


def test_a_product_comes_out_as_a_pair_among_sixteen_players():
    pytest.importorskip("shapiq")
    found = explained(product, max_order=2)
    expected = X[:, :5].sum(-1) * X[:, 10:15].sum(-1)
    np.testing.assert_allclose(found.shapley_interaction[:, 0, 2], expected, rtol=1e-3)
    np.testing.assert_allclose(found.shapley_interaction[:, 2, 0], expected, rtol=1e-3)
    np.testing.assert_allclose(found.shapley_alone[:, [0, 2]], 0, atol=1e-3)
    np.testing.assert_allclose(found.shapley[:, 0], expected / 2, rtol=1e-3, atol=1e-3)
    assert found.converged.all()


def test_an_additive_model_of_sixteen_players_has_no_interactions():
    pytest.importorskip("shapiq")
    found = explained(lambda x: np.tanh(x).sum(-1), max_order=2)
    np.testing.assert_allclose(found.shapley_interaction, 0, atol=1e-4)
    expected = np.tanh(X).reshape(2, 16, 5).sum(-1)
    np.testing.assert_allclose(found.shapley, expected, atol=1e-4)


def test_too_few_evaluations_are_told_and_not_hidden():
    pytest.importorskip("shapiq")
    with pytest.warns(ConvergenceWarning, match=r"did not reach tol=0.01.*Raise budget"):
        found = explained(lambda x: x.max(-1), players=freqig.Segments(1 / FS), budget=64)
    assert not found.converged.any()
    assert (found.estimated_error > 0.01).all()


def test_targets_share_the_coalitions():
    pytest.importorskip("shapiq")
    w = np.random.default_rng(1).normal(size=(N, 3))
    shapley = freqig.Shapley(lambda x: x @ w, fs=FS, players=SIXTEEN, budget=512)
    assert shapley(X, target="all").n_evaluations.max() <= 514


def test_exact_values_are_those_of_shapiq():
    shapiq = pytest.importorskip("shapiq")
    from freqig.coalitions.exact import all_coalitions, alone, interactions, shapley_values

    n, drawn = 5, np.random.default_rng(2).normal(size=2**5)
    numbers = 1 << np.arange(n)
    computer = shapiq.ExactComputer(lambda s: drawn[np.atleast_2d(s) @ numbers], n_players=n)
    values = drawn[:, None]
    assert (all_coalitions(n) @ numbers == np.arange(2**n)).all()
    phi, pairs = shapley_values(values), interactions(values)
    np.testing.assert_allclose(computer("SV", 1).get_n_order_values(1), phi[:, 0], atol=1e-10)
    theirs = computer("k-SII", 2)
    np.testing.assert_allclose(theirs.get_n_order_values(1), alone(phi, pairs)[:, 0], atol=1e-10)
    for i, j in zip(*np.triu_indices(n, 1), strict=True):
        assert theirs[(i, j)] == pytest.approx(pairs[i, j, 0], abs=1e-10)


def test_there_are_four_replicates_at_least():
    assert approximate.REPLICATES >= 4

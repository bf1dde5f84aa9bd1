"""What each fitted number of the error estimate is for: without it, an independent truth is missed."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest
import torch

from freqig.path import integrate_adaptive, smooth
from freqig.path.nodes import SLOPES, VALUES
from freqig.path.rules import fejer2, gauss_legendre
from freqig.path.tolerance import Tolerance
from freqig.path.verdict import MARGINS, Margins, close, error_of_walk, in_domains, ratio
from freqig.path.walk import measure, trapezoid

from ..helpers import noise
from ..oracles import known_paths
from . import paths
from .paths import adaptive, nodes_at
from .test_walk import PLACES, at_nodes


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> object:
    """Lets integration run with margins of which one is something else."""

    def use(**changed: float) -> Margins:
        margins = replace(MARGINS, **changed)
        for module in (known_paths, paths):
            monkeypatch.setattr(module, "integrate_adaptive", partial(integrate_adaptive, margins=margins))
        return margins

    return use


def solved(case: known_paths.Case, tol: float) -> tuple[float, float]:
    """Largest true error of those that are called converged, in tolerances, and mean evaluations."""
    path = case.solve(tol)
    assert path.converged is not None
    error = case.error(path)[path.converged.all(1)] / tol
    return float(error.max()), float(path.n_evaluations.double().mean())


def test_there_are_at_most_eight() -> None:
    assert len(fields(Margins)) <= 8
    assert all(field.name in (Margins.__doc__ or "") for field in fields(Margins))


@pytest.mark.parametrize(("safety", "bounds"), [(MARGINS.safety, True), (1.0, False)])
def test_safety_makes_a_bound_of_the_error_of_a_walk(safety: float, bounds: bool) -> None:
    """Mean sizes multiplied are a fifth too small: without it walks err by more than is estimated."""
    gradients, integrals = at_nodes(PLACES, 4000)
    truth = np.abs(np.einsum("an,antd->ad", trapezoid(PLACES), gradients.numpy()) - integrals).sum(1)
    rough = measure(gradients, torch.ones(3, 4000, dtype=torch.float64), PLACES, np.ones((3, 1)))
    nodes = nodes_at(PLACES, gradients)
    margins = replace(MARGINS, safety=safety, scatter=0.0, selection=0.0)
    error = error_of_walk(nodes, rough, np.zeros((3, 1)), margins)[0]
    assert bool((error[:, 0] >= truth).all()) == bounds


@pytest.mark.parametrize(("scatter", "good"), [(MARGINS.scatter, True), (0.0, False)])
def test_scatter_is_for_few_intervals(scatter: float, good: bool, without: object) -> None:
    without(scatter=scatter)  # type: ignore[operator]
    assert (solved(known_paths.kinks(100, 20, 71), 0.1)[0] <= 1) == good


@pytest.mark.parametrize(("selection", "good"), [(MARGINS.selection, True), (0.0, False)])
def test_selection_is_for_nodes_that_went_where_differences_were(
    selection: float, good: bool, without: object
) -> None:
    """After four doublings: the largest error keeps a distance from `tol`, or does not."""
    without(selection=selection)  # type: ignore[operator]
    assert (solved(known_paths.kinks(60, 20, 71, clustered=True), 0.001)[0] <= 0.65) == good


@pytest.mark.parametrize(("few", "good"), [(MARGINS.few, True), (0.0, False)])
def test_few_is_for_kinks_near_the_ends(few: float, good: bool, without: object) -> None:
    without(few=few)  # type: ignore[operator]
    assert (solved(known_paths.kinks(100, 3, 71), 0.01)[0] <= 1) == good


@pytest.mark.parametrize(("sure", "good"), [(MARGINS.sure, True), (0.0, False)])
def test_sure_lets_exact_rules_stop(sure: float, good: bool, without: object) -> None:
    """Of a polynomial of degree 2 nothing is left whose order could be seen."""
    without(sure=sure)  # type: ignore[operator]
    assert (solved(known_paths.polynomial(20, 2, 71), 0.001)[1] == 8) == good


@pytest.mark.parametrize(("order", "good"), [(MARGINS.order, True), (1.0, False)])
def test_order_keeps_steps_from_being_smooth(order: float, good: bool, without: object) -> None:
    """Rules are doubled for steep steps where all that a polynomial follows passes for smooth."""
    without(order=order)  # type: ignore[operator]
    assert (solved(known_paths.logistic(40, 300.0, 71), 0.1)[1] <= 38) == good


def test_many_kinks_of_one_sign_are_no_smooth_path(without: object) -> None:
    """Their sum drifts like a smooth F, with a high order by luck. Judged as walks they cost no more."""
    rng = np.random.default_rng(600)
    directions, thresholds, sizes = (torch.tensor(rng.normal(size=s)) for s in ((32, 600), 600, 600))
    x = torch.tensor(np.random.default_rng(1).normal(size=(40, 32)))

    def evaluations() -> float:
        function = lambda x: torch.relu(x @ directions + thresholds) @ sizes.abs()
        return float(paths.adaptive(function, x, tol=0.03).n_evaluations.double().mean())

    found = evaluations()
    without(order=np.inf)  # type: ignore[operator]
    assert found <= 1.05 * evaluations()


@pytest.mark.parametrize(("rules", "good"), [(MARGINS.rules, True), (1.0, False)])
def test_rules_makes_a_bound_of_the_error_of_rules(rules: float, good: bool) -> None:
    """Of 32 kinks, 400 times: the L1 error of seven nodes against what the rules inside them tell."""
    rng, nodes, weights = np.random.default_rng(3), fejer2(7).nodes, smooth.weights(8)
    missed = 0
    for _ in range(400):
        kinks, sizes = rng.uniform(0, 1, 32), rng.normal(size=32)
        estimates = weights @ ((nodes[:, None] > kinks) * sizes)
        last, before = (np.abs(d).sum().reshape(1, 1, 1) for d in estimates[:2] - estimates[1:])
        error = smooth.error(last, before, np.ones((1, 1)), rules)[0, 0, 0]
        missed += np.abs(estimates[0] - (1 - kinks) * sizes).sum() > error
    assert (missed <= 8) == good


@pytest.mark.parametrize(("doubt", "good"), [(MARGINS.doubt, True), (np.inf, False)])
def test_doubt_is_for_what_repeats_itself_from_node_to_node(
    doubt: float, good: bool, without: object
) -> None:
    """F constant on the path, its gradient a squared Chebyshev polynomial that is 1 at seven nodes."""
    without(doubt=doubt)  # type: ignore[operator]
    rule = gauss_legendre(2000)
    silent = 0
    for seed, degree in ((4, 24), (14, 24), (24, 24), (4, 48), (14, 48), (24, 48)):
        x = torch.tensor(noise(1, 16, seed=seed))
        along = x[0] / x[0].square().sum()
        across = torch.tensor(noise(16, seed=seed + 1))
        across = across - (across @ x[0]) * along

        def squared(a: torch.Tensor, degree: int = degree) -> torch.Tensor:
            return torch.cos(degree * torch.arccos((2 * a - 1).clamp(-1, 1))).square()

        def function(
            x: torch.Tensor, across: torch.Tensor = across, along: torch.Tensor = along
        ) -> torch.Tensor:
            return (x @ across) * squared(x @ along)

        path = adaptive(function, x)
        truth = across * float(rule.weights @ squared(torch.tensor(rule.nodes)).numpy())
        error = (x[0] * (path.mean_gradient[0, 0] - truth)).abs().sum() / (x[0] * truth).abs().sum()
        assert path.converged is not None
        silent += bool(path.converged.all()) and bool(error > 0.01)
    assert (silent == 0) == good


def test_a_jump_of_f_is_unseen_by_slopes() -> None:
    """F rises by 1 in one interval where all slopes are zero: no kink makes that."""
    nodes = nodes_at(np.linspace(0.1, 0.9, 9)[None], torch.zeros(1, 9, 1, 4, dtype=torch.float64))
    trace = nodes.trace.copy()
    trace[VALUES, :, 6:], trace[SLOPES, :, 1:-1] = 1.0, 0.0
    nodes = replace(nodes, trace=trace)
    rough = measure(nodes.gradient, torch.ones(1, 4, dtype=torch.float64), nodes.place, np.ones((1, 1)))
    error, strength, number, unseen = error_of_walk(nodes, rough, np.zeros((1, 1)), MARGINS)
    assert unseen[0, :, 0].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert error[0, 0] >= 1
    assert strength.argmax(1) == 5
    assert number == 1


def test_domains_err_as_their_draws_do() -> None:
    """Twice as large in one, half as large in another; and what time does not see is not divided by zero."""
    norms = np.array([1.0, 2.0, 0.5]).reshape(1, 3, 1)
    assert np.allclose(in_domains(np.array([[0.1]]), norms, norms)[0, :, 0], [0.1, 0.2, 0.05])
    norms[:, 0] = 0
    assert np.allclose(in_domains(np.array([[0.0]]), norms, norms)[0, 1:, 0], [4, 1])
    assert ratio(np.zeros(1), np.zeros(1), 5.0) == 0
    assert ratio(np.ones(1), np.zeros(1), 5.0) == 5


def test_only_a_gap_that_is_one_is_closed() -> None:
    """Rounding is none, and what is larger than the tolerance hides an error."""
    gaps = np.array([[1e-12], [0.05], [0.2]])
    steps = close(gaps, *(np.full((3, 1), value) for value in (1e-10, 0.5, 0.1)))
    assert steps[:, 0].tolist() == [0, -0.1, 0]


def test_what_tol_leaves_beside_rounding() -> None:
    tolerance = Tolerance(0.01, lambda: torch.float32, slice(0, None))
    allowed = tolerance.allowed(np.full((1, 1, 2), 100.0), np.array([[0.25, 0.75]]))
    assert np.allclose(allowed, [0.75, 0.75])
    assert tolerance.narrowest == pytest.approx(64 * 2.0**-23)

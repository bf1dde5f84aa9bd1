"""Paths that no rule integrates, or barely: what is said of them, and that it is true."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.objective.ends import NonFiniteError
from freqig.path.rules import fejer2, gauss_legendre

from ..helpers import noise
from .paths import adaptive, fixed

X = 5 * torch.tensor(noise(3, 32, seed=1))
W = torch.tensor(noise(32, seed=2))
# Runs from 0 to 1 on the path to the first sample.
U = X[0] / X[0].square().sum()


def smooth(x: Tensor) -> Tensor:
    return torch.tanh(x @ W.to(x) / 9)


def unit(x: Tensor) -> Tensor:
    return x / (x.norm(dim=1, keepdim=True) + 1e-30)


@pytest.mark.parametrize("place", [0.2357, 0.001, 0.5, 0.99999])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_jump_is_found_where_it_is(place: float, dtype: torch.dtype) -> None:
    """Its gradient is zero everywhere, so no average sees it; F at the nodes does."""
    path = adaptive(lambda x: 2.0 * (x @ U.to(x) > place) + smooth(x), X[:1].to(dtype))
    (diagnosis,) = path.diagnoses
    assert not path.converged.any()
    assert diagnosis.status == "jump"
    (jump,) = diagnosis.jumps
    assert jump.place == pytest.approx(place, abs=2 * jump.width + 1e-6)
    assert jump.width < (1e-9 if dtype == torch.float64 else 1e-4)
    np.testing.assert_allclose(jump.size, 2, rtol=0.01)
    for word in ("jumps by 2", "baseline", "average", "output scale"):
        assert word in diagnosis.explain()
    # Gradients down to an interval in ten thousand, forward passes from there.
    assert path.n_evaluations.max() <= 100


def test_a_jump_at_the_baseline_is_one() -> None:
    (diagnosis,) = adaptive(lambda x: (x @ U > 0).double() + smooth(x), X[:1]).diagnoses
    assert diagnosis.status == "jump"
    assert diagnosis.jumps[0].place < 1e-9


@pytest.mark.parametrize("place", [0.2357, 0.5, 0.99999])
def test_a_plain_jump_takes_few_gradients_and_few_forward_passes(place: float) -> None:
    """Counted by the model itself, both ends of the path left out."""
    forward, gradients = [], []

    def jump(x: Tensor) -> Tensor:
        (gradients if x.requires_grad else forward).append(len(x))
        return 2.0 * (x @ U > place) + smooth(x)

    assert adaptive(jump, X[:1]).diagnoses[0].status == "jump"
    assert sum(gradients) <= 60
    assert sum(forward) <= 60


@pytest.mark.parametrize("steepness", [3e4, 1e6, 1e8])
def test_steps_that_are_only_steep_are_integrated(steepness: float) -> None:
    """Bisected F is found to rise within a finite stretch, and gradients go where it was looked at."""
    path = adaptive(lambda x: torch.sigmoid(steepness * (x @ U - 0.3)) + smooth(x), X[:1])
    assert path.diagnoses[0].status == "converged"
    truth = U + mean_gradient_of_smooth()
    assert (X[0] * (path.mean_gradient[0, 0] - truth)).abs().sum() < 0.01 * (X[0] * truth).abs().sum()
    assert path.n_evaluations.max() < 200


def test_steps_that_every_first_node_misses() -> None:
    for place in (0.0005, 0.9997):
        path = adaptive(lambda x, place=place: torch.sigmoid(3e4 * (x @ U - place)) + smooth(x) / 10, X[:1])
        assert path.converged.all()
        truth = U * (1 - torch.sigmoid(torch.tensor(-3e4 * place))) + mean_gradient_of_smooth() / 10
        error = (X[0] * (path.mean_gradient[0, 0] - truth)).abs().sum() / (X[0] * truth).abs().sum()
        assert error < 0.01


def mean_gradient_of_smooth() -> Tensor:
    """(tanh(w·x / 9) - 0) / (w·x) · w, along the path from zero to the first sample."""
    return torch.tanh(X[0] @ W / 9) / (X[0] @ W) * W


def test_a_gradient_that_does_not_exist_at_the_baseline() -> None:
    """√‖x‖ from zero: gradient α^-½, infinite at 0 and yet integrable."""
    path = adaptive(lambda x: x.norm(dim=1).sqrt(), X)
    assert path.converged.all()
    truth = X / X.norm(dim=1, keepdim=True) ** 1.5
    error = (X * (path.mean_gradient[:, 0] - truth)).abs().sum(1) / (X * truth).abs().sum(1)
    assert error.max() < 0.01


def nan_between(x: Tensor) -> Tensor:
    """Not a number between 0.4 and 0.6 of the path to the first sample, and nowhere else."""
    on_path = unit(x) @ unit(X[:1]).T > 0.99
    return smooth(x) * torch.where(on_path[:, 0] & (x @ U > 0.4) & (x @ U < 0.6), torch.nan, 1.0)


def test_what_is_not_finite_is_reported_and_not_averaged() -> None:
    path = adaptive(nan_between, X)
    assert [d.status for d in path.diagnoses] == ["nonfinite", "converged", "converged"]
    assert 0.4 < path.diagnoses[0].place < 0.6
    assert "not finite at 0.5" in path.diagnoses[0].explain()
    assert path.mean_gradient[0].isnan().all()
    assert path.mean_gradient[1:].isfinite().all()
    assert path.converged.tolist() == [[False], [True], [True]]


def test_a_fixed_rule_names_sample_and_place() -> None:
    with pytest.raises(NonFiniteError, match=r"at 0\.5 of the path .* sample 2") as caught:
        fixed(nan_between, X.flip(0), gauss_legendre(3))
    assert (caught.value.sample, caught.value.place) == (2, 0.5)
    assert isinstance(caught.value, ValueError)


def test_infinite_gradients_are_not_averaged() -> None:
    """√|x₁ - c| is finite where its gradient is not."""
    place = fejer2(7).nodes[3]
    path = adaptive(lambda x: (x[:, 0] - X[0, 0] * place).abs().sqrt() + smooth(x), X[:1])
    assert path.diagnoses[0].status == "nonfinite"
    assert path.diagnoses[0].place == place


@pytest.mark.parametrize("equal_ends", [False, True], ids=["another F at the baseline", "the same F"])
def test_attributions_that_grow_with_every_refinement(equal_ends: bool) -> None:
    """x / ‖x‖ is constant on the path and its gradient grows like 1/α across it."""
    x = X - (X @ W)[:, None] * W / (W @ W) if equal_ends else X
    path = adaptive(lambda x: unit(x) @ W, x)
    assert not path.converged.any()
    for diagnosis in path.diagnoses:
        assert diagnosis.status == "diverging"
        assert diagnosis.blind_to_scale
        assert "scale of its input" in diagnosis.explain()
        assert "another baseline" in diagnosis.explain()
    assert path.n_evaluations.max() < 150


def test_a_norm_with_a_floor_is_resolved() -> None:
    """Layer normalisation with eps = 1e-5: steep near zero, but integrable."""
    function = lambda x: (x / (x.square().mean(1, keepdim=True) + 1e-5).sqrt()) @ W
    path = adaptive(function, X)
    assert path.converged.all()
    assert path.n_evaluations.max() < 400


def test_constant() -> None:
    path = adaptive(lambda x: 3 + 0 * x.sum(1), X)
    assert path.converged.all()
    assert path.mean_gradient.abs().max() == 0
    assert set(path.n_evaluations.tolist()) == {8}


def test_input_equal_to_baseline() -> None:
    path = adaptive(smooth, X, X.clone())
    assert path.converged.all()
    assert set(path.n_evaluations.tolist()) == {8}


@pytest.mark.parametrize("most", [1, 5, 7, 20, 40])
def test_the_budget_is_kept(most: int) -> None:
    path = adaptive(lambda x: torch.sigmoid(3e4 * (x @ U - 0.3)), X[:1], max_evaluations=most)
    assert path.n_evaluations.max() <= most
    assert not path.converged.any()
    assert path.diagnoses[0].status == "budget"
    assert "max_evaluations" in path.diagnoses[0].explain()
    assert path.mean_gradient.isfinite().all()


def test_a_tolerance_below_rounding() -> None:
    """What float32 cannot tell apart is not asked of it, and said; the estimate holds rounding too."""
    exact = adaptive(smooth, X, tol=1e-10).mean_gradient
    for tol in (1e-7, 1e-14):
        path = adaptive(smooth, X.float(), tol=tol)
        assert not path.converged.any()
        assert [d.status for d in path.diagnoses] == ["rounding"] * 3
        assert "dtype=torch.float64" in path.diagnoses[0].explain()
        assert path.n_evaluations.max() < 150
        error = (X * (path.mean_gradient - exact)[:, 0]).abs().sum(1) / (X * exact[:, 0]).abs().sum(1)
        assert (error <= path.error[:, 0]).all()

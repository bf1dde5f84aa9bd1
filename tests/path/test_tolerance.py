"""The scale of F is nobody's business, and what rounding hides is said and not estimated away."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ..helpers import noise
from .paths import adaptive

X = 5 * torch.tensor(noise(3, 32, seed=1))
W, V = torch.tensor(noise(32, 8, seed=2)), torch.tensor(noise(8, seed=3))
U = X[0] / X[0].square().sum()


def smooth(x: Tensor) -> Tensor:
    return torch.tanh(x @ W.to(x) / 9) @ V.to(x)


def kinked(x: Tensor) -> Tensor:
    return torch.relu(x @ W.to(x) - 1) @ V.to(x)


def steep(x: Tensor) -> Tensor:
    return smooth(x) + torch.sigmoid(40 * (x @ U.to(x) - 0.3))


@pytest.mark.parametrize("function", [smooth, kinked, steep])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("factor", [1e-40, 1e-25, 1e10, 1e30])
def test_a_factor_changes_nothing(function: object, dtype: torch.dtype, factor: float) -> None:
    one = adaptive(function, X.to(dtype))  # type: ignore[arg-type]
    path = adaptive(lambda x: function(x) * factor, X.to(dtype))  # type: ignore[operator]
    assert path.n_evaluations.tolist() == one.n_evaluations.tolist()
    assert [d.status for d in path.diagnoses] == [d.status for d in one.diagnoses]
    # At 1e-40 numbers of float32 have few digits left, and a node may go to another of two equal intervals.
    few = factor < 1e-38 and dtype == torch.float32
    torch.testing.assert_close(path.error, one.error, rtol=0.2 if few else 1e-3, atol=0)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_nor_do_factors_whose_squares_are_no_numbers(factor: float) -> None:
    one, path = adaptive(kinked, X), adaptive(lambda x: kinked(x) * factor, X)
    assert path.n_evaluations.tolist() == one.n_evaluations.tolist()
    torch.testing.assert_close(path.error, one.error)


def test_small_probabilities_are_explained() -> None:
    """p of about e^-50: products of two of its gradients are zero in float32."""

    def probability(x: Tensor) -> Tensor:
        along = 9 * x @ U.to(x) - 50
        return torch.softmax(torch.stack([along, torch.zeros_like(along)], 1), 1)[:, 0]

    path = adaptive(probability, X[:1].float())
    truth = probability(X[:1]) - probability(0 * X[:1])
    total = (X[:1] * path.mean_gradient[:, 0]).sum(1)
    assert path.converged.all()
    assert abs(float(total / truth) - 1) < 0.01


@pytest.mark.parametrize("turns", [1.0, 3.0, 30.0])
def test_an_offset_that_hides_what_is_explained(turns: float) -> None:
    path = adaptive(lambda x: 1e6 + torch.sin(turns * (x @ U.to(x))), X[:1].float())
    assert path.diagnoses[0].status == "rounding"
    assert path.correction.abs().max() == 0
    for word in ("rounding", "units", "1e+06", "dtype=torch.float64"):
        assert word in path.diagnoses[0].explain()


def test_volts_where_microvolts_are_meant() -> None:
    path = adaptive(lambda x: 1 + smooth(x), 1e-6 * X.float())
    assert not path.converged.any()
    for diagnosis in path.diagnoses:
        assert diagnosis.status == "rounding"
        assert "microvolts" in diagnosis.explain()
    assert path.n_evaluations.max() < 30
    assert adaptive(lambda x: 1 + smooth(x), 1e-6 * X).converged.all()


def test_half_precision_does_not_claim_what_it_cannot_have() -> None:
    exact = adaptive(smooth, X, tol=1e-6).mean_gradient
    path = adaptive(smooth, X.bfloat16())
    assert [d.status for d in path.diagnoses] == ["rounding"] * 3
    error = (X * (path.mean_gradient - exact)[:, 0]).abs().sum(1) / (X * exact[:, 0]).abs().sum(1)
    assert (error <= path.error[:, 0]).all()
    assert path.n_evaluations.max() < 100


def test_autocast_inside_the_model_is_half_precision() -> None:
    """Neither points nor outputs are bfloat16: its rounding shows in the graph of gradients only."""

    def casting(x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = x @ W.to(x) / 9
        return torch.tanh(hidden.float()) @ V.float()

    exact = adaptive(smooth, X, tol=1e-6).mean_gradient
    path = adaptive(casting, X.float())
    assert [d.status for d in path.diagnoses] == ["rounding"] * 3
    error = (X * (path.mean_gradient - exact)[:, 0]).abs().sum(1) / (X * exact[:, 0]).abs().sum(1)
    assert (error <= path.error[:, 0]).all()
    assert path.n_evaluations.max() < 100

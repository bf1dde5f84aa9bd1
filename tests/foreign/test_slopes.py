"""Models whose gradient is not that of their output are told so; rough ones are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ..helpers import noise
from .paths import adaptive

X = 5 * torch.tensor(noise(3, 32, seed=1))
W, V = torch.tensor(noise(32, 8, seed=2)), torch.tensor(noise(8, seed=3))
OTHER = 0.7 * X.roll(1, 0)


def net(x: Tensor) -> Tensor:
    return torch.tanh(x @ W.to(x) / 9) @ V.to(x)


class Twice(torch.autograd.Function):
    """The gradient of a stale hook."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return 2 * gradient


def reversible(x: Tensor) -> Tensor:
    mean, scale = x.mean(1).detach(), (x.var(1) + 1e-5).sqrt().detach()
    return net(3 * (x - mean[:, None]) / scale[:, None]) * scale + mean


def straight_through(x: Tensor) -> Tensor:
    y = x @ W.to(x) / 9
    return (y + (torch.round(y) - y).detach()) @ V.to(x)


def partly_without(x: Tensor) -> Tensor:
    with torch.no_grad():
        part = (x @ W.to(x)).square().sum(1) / 30
    return net(x) + part


FOREIGN: dict[str, Callable[[Tensor], Tensor]] = {
    "detached statistics": reversible,
    "straight-through": straight_through,
    "a scaled gradient": lambda x: net(Twice.apply(x)),
    "no_grad inside": partly_without,
    "no gradient": lambda x: net(x.detach()) + 0 * x.sum(1),
    "half of a product": lambda x: (x.detach() * x).sum(1) / 50,
    "quantised": lambda x: torch.round(20 * (x @ W.to(x))) @ V.to(x) / 20 + 0 * x.sum(1),
}

ROUGH: dict[str, Callable[[Tensor], Tensor]] = {
    "smooth": net,
    "kinks": lambda x: torch.relu(x @ W.to(x) - 1) @ V.to(x),
    "a jump": lambda x: (x @ W.to(x)[:, 0] > 2).to(x) + net(x),
    "a steep step": lambda x: torch.sigmoid(3e4 * (x @ W.to(x)[:, 0] - 2)),
    "many turns": lambda x: torch.sin(20 * (x @ W.to(x)[:, 0])),
    "blind to scale": lambda x: x @ W.to(x)[:, 0] / (x.norm(dim=1) + 1e-30),
    "constant": lambda x: 3 + 0 * x.sum(1),
}


@pytest.mark.parametrize("function", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("baseline", [None, OTHER], ids=["zero", "another series"])
def test_a_gradient_of_something_else_is_named(
    function: Callable[[Tensor], Tensor], dtype: torch.dtype, baseline: Tensor | None
) -> None:
    path = adaptive(function, X.to(dtype), None if baseline is None else baseline.to(dtype))
    assert [d.status for d in path.diagnoses] == ["gradient"] * 3
    assert path.converged is not None
    assert not path.converged.any()
    assert path.n_evaluations.max() <= 200
    assert path.mean_gradient.isfinite().all()
    for word in (
        "gradient of the model is not that of its output",
        "detach()",
        "no_grad",
        "hooks",
        "quantised",
    ):
        assert word in path.diagnoses[0].explain()


LEVELS = torch.linspace(-3, 3, 40, dtype=torch.float64)


@pytest.mark.parametrize(("steepness", "dtype"), [(1e3, torch.float32), (1e6, torch.float64)])
def test_steps_that_are_only_steep_have_their_own_gradient(steepness: float, dtype: torch.dtype) -> None:
    """At no node a sigmoid has a gradient, and between them F rises; followed closely, it rises on and on."""

    def stairs(x: Tensor) -> Tensor:
        return torch.sigmoid(steepness * ((x @ W.to(x)[:, :1]) - LEVELS.to(x))).mean(1)

    path = adaptive(stairs, X.to(dtype), max_evaluations=300)
    assert "gradient" not in [d.status for d in path.diagnoses]


def test_steps_that_no_number_resolves_name_the_dtype_beside_rounding() -> None:
    def stairs(x: Tensor) -> Tensor:
        return torch.sigmoid(1e7 * ((x @ W.to(x)[:, :1]) - LEVELS.to(x))).mean(1)

    path = adaptive(stairs, X.float())
    told = [diagnosis for diagnosis in path.diagnoses if diagnosis.status == "gradient"]
    assert told
    for diagnosis in told:
        assert "the gradient says 0, and likewise in most other places. No" in diagnosis.explain()
        assert "steps too steep for its numbers (try dtype=torch.float64)" in diagnosis.explain()


@pytest.mark.parametrize("function", ROUGH.values(), ids=ROUGH.keys())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("baseline", [None, OTHER], ids=["zero", "another series"])
def test_what_is_only_rough_is_not(
    function: Callable[[Tensor], Tensor], dtype: torch.dtype, baseline: Tensor | None
) -> None:
    path = adaptive(function, X.to(dtype), None if baseline is None else baseline.to(dtype))
    assert "gradient" not in [d.status for d in path.diagnoses]


@pytest.mark.parametrize("n_targets", [1, 3])
def test_log_p_of_a_sure_class_is_rounding(n_targets: int) -> None:
    """It is 0, or one digit of scores that cancel, where its gradient is a small number all the same."""
    bias = torch.tensor([20.0, 0.0, -5.0])

    def sure(x: Tensor) -> Tensor:
        return torch.log_softmax(x @ W[:, :3].to(x) / 9 + bias.to(x), 1)

    path = adaptive(sure, X.float(), n_targets=n_targets)
    assert path.converged is not None
    assert [d.status for d in path.diagnoses] == ["rounding"] * 3
    assert "compute in float64" in path.diagnoses[0].explain()
    assert path.n_evaluations.max() <= 200
    assert not path.converged[:, 0].any()
    assert path.converged[:, 1:].all()
    assert [d.status for d in adaptive(sure, X, n_targets=n_targets).diagnoses] == ["converged"] * 3


@pytest.mark.parametrize("steepness", [1e5, 1e6, 1e7, 1e9])
def test_what_single_precision_makes_of_steep_sigmoids_is_never_called_converged_and_wrong(
    steepness: float,
) -> None:
    """In float32 each is a jump along its own weights: F(x) - F(x') of it, shared out as W_k · x is."""
    levels = torch.tensor(noise(5, seed=4))

    def steps(x: Tensor) -> Tensor:
        return (torch.sigmoid(steepness * (x @ W[:, :5].to(x) / 9 - levels.to(x))) * V[:5].to(x)).sum(1)

    x = torch.cat([X, OTHER])
    path = adaptive(steps, x.float(), max_evaluations=200)
    sums = x @ W[:, :5] / 9
    jumps = (torch.sigmoid(steepness * (sums - levels)) - torch.sigmoid(-steepness * levels)) * V[:5]
    wanted = torch.einsum("sk,dk,sd->sd", jumps / (9 * sums), W[:, :5], x)
    error = (path.mean_gradient[:, 0] * x - wanted).abs().sum(1) / wanted.abs().sum(1).clamp_min(1e-9)
    assert path.converged is not None
    assert not (path.converged[:, 0] & (error > 0.03)).any()
    assert {d.status for d in path.diagnoses} & {"jump", "budget"}

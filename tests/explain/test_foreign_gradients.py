"""Once a gradient was found not to be that of the output, no sample passes for converged unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freqig
from freqig.errors import ConvergenceWarning

from ..foreign.scaled import Scaled
from ..helpers import noise

X = noise(6, 32, seed=4)


class Turned(nn.Module):
    """A gradient that is wrong for samples that begin above `level`, and zero, as F is, for all others."""

    def __init__(self, level: float, factor: float = 0.5) -> None:
        super().__init__()
        self.level, self.factor = level, factor

    def forward(self, x: Tensor) -> Tensor:
        wrong = torch.tanh(Scaled.apply(x, self.factor)).sum(1)
        return torch.where(x[:, 0] > self.level, wrong, 0 * x.sum(1) + 3.0)[:, None]


def explained(model: Callable[[Tensor], Tensor], x: np.ndarray, **how: Any) -> Any:
    """An Explainer, and what it says of x from a baseline that begins as x does."""
    explainer = freqig.Explainer(model, fs=32, domains=[freqig.Time()], **how)
    return explainer, explainer(x, target=0, baseline=from_zero(x))


def statuses(found: Any) -> list[str]:
    meanings = found.status.attrs["flag_meanings"].split()
    return [meanings[int(i)] for i in found.status]


def from_zero(x: np.ndarray) -> np.ndarray:
    start = np.zeros_like(x)
    start[:, 0] = x[:, 0]
    return start


@pytest.mark.filterwarnings("ignore:all attributions are 0")
def test_samples_that_ended_before_another_was_convicted_are_not_called_converged() -> None:
    x = X.copy()
    x[:, 0], x[-1, 0] = -1.0, 30.0
    with pytest.warns(ConvergenceWarning, match="found for other samples"):
        explainer, found = explained(Turned(1e-9), x)
    assert statuses(found) == ["gradient"] * 6
    assert not found.converged.any()
    assert np.isinf(found.estimated_error).all()
    # It stays so for the Explainer.
    with pytest.warns(ConvergenceWarning, match="found for other samples"):
        again = explainer(x[:2], target=0, baseline=from_zero(x[:2]))
    assert statuses(again) == ["gradient"] * 2
    assert explained(Turned(1e9), x)[1].converged.all()


def test_a_model_that_was_mended_is_believed_again() -> None:
    model = Turned(-1e9)
    with pytest.warns(ConvergenceWarning):
        explainer, _ = explained(model, X)
    model.factor = 1.0
    found = explainer(X, target=0)
    assert found.converged.all()
    # Every value follows tanh by itself.
    truth = np.tanh(X)
    np.testing.assert_allclose(found.waveform.values, truth, atol=0.01 * np.abs(truth).sum(1).max())


@pytest.mark.parametrize("factor", [0.3, 0.03, 0.003, 1.05, -1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_factors_of_straight_through_gradients_are_told(factor: float, dtype: torch.dtype) -> None:
    weights = torch.tensor(noise(32, 5, seed=8)) / 5

    def model(x: Tensor) -> Tensor:
        return torch.tanh(Scaled.apply(x, factor) @ weights.to(x))

    with pytest.warns(ConvergenceWarning, match="not that of its output"):
        _, found = explained(model, X, dtype=dtype)
    assert set(statuses(found)) == {"gradient"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_a_twentieth_too_large_are_told_of_networks_without_biases(
    seed: int, dtype: torch.dtype
) -> None:
    """On data whose mean is a hundred times their spread, where kinks are as close as rounding."""
    g = torch.Generator().manual_seed(seed)
    first, second, last = (torch.randn(s, generator=g).double() for s in ((32, 16), (16, 8), (8,)))
    first = (first - first.mean(0)) / 5

    def model(x: Tensor) -> Tensor:
        hidden = torch.relu(torch.relu(Scaled.apply(x, 1.05) @ first.to(x)) @ second.to(x) / 4)
        return (hidden @ last.to(x))[:, None]

    x = 100 + noise(4, 32, seed=seed)
    with pytest.warns(ConvergenceWarning, match="not that of its output"):
        _, found = explained(model, x, dtype=dtype)
    assert not found.converged.any()

"""Signals at both ends of what a dtype holds: explained, or refused with the right reason."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import freqig
from freqig.domains import RFFT, STFT, Polar, Time

from .helpers import noise

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def linear(n: int = 40) -> torch.nn.Linear:
    model = torch.nn.Linear(n, 2)
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(noise(2, n, seed=9)))
    return model


# Beside an offset of the output, what a tiny signal does is less than its rounding, and said to be.
@pytest.mark.filterwarnings("ignore::freqig.errors.ConvergenceWarning")
@pytest.mark.parametrize("size", [1e-45, 1e-41, 1e-38, 1e-30, 1e30])
def test_tiny_and_huge_signals_are_explained(size: float) -> None:
    """A linear model: δ · w at every sample, to the digits that the signal itself has."""
    model = linear()
    x = (size * noise(3, 40)).astype(np.float32)
    x[1] = noise(40).astype(np.float32)
    domains = [Time(), RFFT(), STFT(1.0), Polar()]
    result = freqig.Explainer(model, fs=20, domains=domains)(x, target=1)
    assert result.converged.values.tolist() == [size > 1, True, size > 1]
    expected = x.astype(float) * model.weight[1].double().detach().numpy()
    # Half of the least number above zero is what rounding may lose, at every sample.
    lost = 3e-7 * np.abs(expected).max(1, keepdims=True) + 2e-45
    assert (np.abs(result.waveform - expected) <= lost).all()
    for domain in domains[1:]:
        total = result[domain.name].astype(float).sum([*result[domain.name].dims[1:]])
        assert (np.abs(total - expected.sum(1)) <= 40 * lost[:, 0] + 1e-41).all()


@pytest.mark.parametrize("size", [1e39, -1e100])
def test_values_beyond_the_dtype_are_said_to_overflow(size: float) -> None:
    x = noise(2, 40)
    x[1, 3] = size
    explainer, message = freqig.Explainer(linear()), "must fit float32.* which overflows. Rescale.*float64"
    with pytest.raises(ValueError, match="^x " + message):
        explainer(x)
    with pytest.raises(ValueError, match="^baseline " + message):
        explainer(noise(2, 40), baseline=x)
    result = freqig.Explainer(linear().double(), dtype=torch.float64)(x, target=0)
    assert bool(np.isfinite(result.rfft).all())


def test_values_beyond_half_precision_overflow_too() -> None:
    x = noise(2, 40)
    x[0, 0] = 1e6
    with pytest.raises(ValueError, match=r"^x must fit float16.* which overflows"):
        freqig.Explainer(linear().half())(x, target=0)


def test_the_input_that_overflows_is_named() -> None:
    def model(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a.sum(-1) + b.sum(-1)

    x = noise(2, 40)
    with pytest.raises(ValueError, match=r"^x\[1\] must fit float32"):
        freqig.Explainer(model)((x, 1e39 * x))
    with pytest.raises(ValueError, match=r"^baseline\[0\] must fit float32"):
        freqig.Explainer(model)((x, x), baseline=(1e39 * x, x))

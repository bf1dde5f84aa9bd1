"""Closed forms: models for which the integral is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from freqig import attribute

from ..helpers import FEW_NODES, LENGTHS, close, noise

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def counts(n: int) -> np.ndarray:
    """1 for DC and, n even, Nyquist; 2 for frequencies that stand for a pair."""
    counts = np.full(n // 2 + 1, 2.0)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return counts


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("n_steps", [1, 50])
def test_linear_model_is_a_cross_spectrum(n: int, n_steps: int) -> None:
    """F(x) = w·x + b: one node is exact, and the intercept gets nothing."""
    layer = torch.nn.Linear(n, 2).double()
    x, baseline = noise(n), noise(n, seed=1)
    w = layer.weight.detach().numpy()[1]
    cross = counts(n) / n * (np.fft.rfft(x - baseline).conj() * np.fft.rfft(w)).real
    close(attribute(x, layer, 1, baseline, n_steps), cross, 1e-12)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("n_steps", [1, 2, 50])
def test_energy_is_the_difference_of_power_spectra(n: int, n_steps: int) -> None:
    """F(x) = |x|² / 2: by Parseval each frequency gets its own power, whatever the phases."""
    x, baseline = noise(3, 2, n), noise(3, 2, n, seed=1)
    power = counts(n) / (2 * n) * (np.abs(np.fft.rfft(x)) ** 2 - np.abs(np.fft.rfft(baseline)) ** 2)

    def energy(x: torch.Tensor) -> torch.Tensor:
        assert x.dtype == torch.float64
        return x.square().sum((1, 2)) / 2

    def strict(x: torch.Tensor) -> torch.Tensor:
        if x.dtype != torch.float64:
            raise TypeError("double only")
        return energy(x)

    close(attribute(x, strict, None, baseline, n_steps), power, 1e-12)


def test_pure_tones_get_their_own_energy() -> None:
    """Two sines and an offset through the energy: amplitude² · n / 4, and offset² · n / 2 at DC."""
    n = 64
    t = np.arange(n)
    x = 0.5 + 3 * np.sin(2 * np.pi * 5 * t / n + 0.3) + 2 * np.cos(2 * np.pi * 20 * t / n)
    scores = attribute(x, lambda x: x.square().sum(-1) / 2)
    expected = np.zeros(33)
    expected[[0, 5, 20]] = 0.25 * n / 2, 9 * n / 4, 4 * n / 4
    close(scores, expected, 1e-6)


@pytest.mark.parametrize("n", [8, 9])
def test_quadratic_form_with_baseline(n: int) -> None:
    """F(x) = x·Qx/2, Q symmetric: the averaged gradient is Q (x + x') / 2."""
    Q = noise(n, n, seed=2)
    Q = Q + Q.T
    x, baseline = noise(n), noise(n, seed=1)
    matrix = torch.tensor(Q)
    gradient = Q @ (x + baseline) / 2
    expected = counts(n) / n * (np.fft.rfft(x - baseline).conj() * np.fft.rfft(gradient)).real
    close(attribute(x, lambda x: ((x @ matrix) * x).sum(-1) / 2, None, baseline, 1), expected, 1e-12)


@FEW_NODES
@pytest.mark.parametrize(("n_steps", "exact"), [(1, False), (2, True), (3, True)])
def test_nodes_are_those_of_gauss_and_legendre(n_steps: int, exact: bool) -> None:
    """F(x) = Σ x⁴: its gradient is of degree 3 on the path, which two nodes integrate and one does not."""
    x = noise(11)
    cube = torch.nn.Linear(1, 1).double()  # only says that the model runs in float64
    total = attribute(x, lambda x: x.pow(4).sum(-1) + 0 * cube.weight.sum(), n_steps=n_steps).sum()
    assert np.isclose(total, (x**4).sum(), rtol=1e-12) == exact

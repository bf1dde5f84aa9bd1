"""Small models whose answers are known, and the mathematics written out a second time in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

LENGTHS = (1, 2, 3, 16, 33)

# For tests that ask for fewer nodes than the model needs, on purpose.
FEW_NODES = pytest.mark.filterwarnings("ignore::freqig.errors.CompletenessWarning")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal numbers, float64."""
    return np.random.default_rng(seed).normal(size=shape)


class Smooth(nn.Module):
    """V tanh(W x + b) + c of the flattened series: takes (batch, n), (batch, 1, n) and (batch, k, n).

    Weights are NumPy's, so that `SmoothTruth` is the same function without PyTorch.
    """

    def __init__(
        self, n: int, channels: int = 1, outputs: int = 3, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> None:
        super().__init__()
        truth = SmoothTruth(n, channels, outputs, seed)
        for name in ("W", "b", "V", "c"):
            setattr(self, name, nn.Parameter(torch.tensor(getattr(truth, name)).to(dtype)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x.flatten(1) @ self.W.T + self.b) @ self.V.T + self.c


class SmoothTruth:
    """`Smooth` and its gradient by the chain rule, in NumPy."""

    def __init__(self, n: int, channels: int = 1, outputs: int = 3, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        hidden = 6
        self.W = rng.normal(size=(hidden, channels * n)) / np.sqrt(channels * n)
        self.b = rng.normal(size=hidden)
        self.V = rng.normal(size=(outputs, hidden))
        self.c = rng.normal(size=outputs)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Outputs for one series of any shape."""
        return np.tanh(self.W @ x.ravel() + self.b) @ self.V.T + self.c

    def gradient(self, x: np.ndarray, target: int) -> np.ndarray:
        """Gradient of one output, in the shape of the series."""
        slope = 1 - np.tanh(self.W @ x.ravel() + self.b) ** 2
        return (self.W.T @ (slope * self.V[target])).reshape(x.shape)

    def mean_gradient(self, x: np.ndarray, baseline: np.ndarray, target: int, n_steps: int) -> np.ndarray:
        """Gradient averaged over the straight path by Gauss-Legendre quadrature."""
        nodes, weights = legendre(n_steps)
        return sum(
            w * self.gradient(baseline + a * (x - baseline), target)
            for a, w in zip(nodes, weights, strict=True)
        )


def legendre(n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [0, 1], from the eigenvectors of the Jacobi matrix.

    G. H. Golub, J. H. Welsch: Calculation of Gauss quadrature rules, 1969.
    """
    i = np.arange(1, n_steps)
    beside = i / np.sqrt(4.0 * i**2 - 1)
    values, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    return (values + 1) / 2, vectors[0] ** 2


def fourier(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cosines and minus sines, shape (n_freq, n), and how often a frequency counts, from the definition."""
    k, t = np.arange(n // 2 + 1), np.arange(n)
    angle = 2 * np.pi * np.outer(k, t) / n
    return np.cos(angle), -np.sin(angle), np.where((k == 0) | (2 * k == n), 1.0, 2.0)


def scores_of(delta: np.ndarray, mean_gradient: np.ndarray) -> np.ndarray:
    """w_k / n · Re(conj(RFFT(δ)_k) · RFFT(ḡ)_k) over the last axis, without an FFT."""
    n = delta.shape[-1]
    real, imag, counts = fourier(n)
    products = (delta @ real.T) * (mean_gradient @ real.T) + (delta @ imag.T) * (mean_gradient @ imag.T)
    return counts / n * products


class SmallCNN(nn.Module):
    """Two convolutions and a pooling; takes only (batch, channels, n)."""

    def __init__(self, channels: int = 1, outputs: int = 2, activation: type[nn.Module] = nn.Tanh) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(channels, 4, 5, padding=2),
            activation(),
            nn.Conv1d(4, 6, 3, padding=1),
            activation(),
        )
        self.head = nn.Linear(6, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x).mean(-1))


def seeded(build: Any, *args: Any, seed: int = 0, **kwargs: Any) -> nn.Module:
    """A module with reproducible weights that leaves the random state alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(*args, **kwargs)


class Recorder:
    """A callable that notes with what it is called; its network is found inside it."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.shapes: list[tuple[int, ...]] = []
        self.dtypes: set[torch.dtype] = set()

    def __call__(self, x: Tensor, *extra: Any) -> Any:
        self.shapes.append(tuple(x.shape))
        self.dtypes.add(x.dtype)
        return self.network(x, *extra)

    @property
    def last_axes(self) -> tuple[int, ...]:
        """Shape behind the batch axis in the last call, which belongs to the explanation."""
        return self.shapes[-1][1:]


def close(actual: Any, expected: Any, rtol: float) -> None:
    """Assert that arrays agree to `rtol` of the largest expected magnitude."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    largest = float(np.abs(expected).max(initial=0))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * largest)

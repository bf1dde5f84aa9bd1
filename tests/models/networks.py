"""Small networks, and the gradient that every adapter is asked for, straight from PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from freqig.models import Model

from ..helpers import seeded


def squares(raw: Tensor) -> Tensor:
    """Sum of squares of all outputs, the scalar that these tests explain."""
    return raw.square().flatten(1).sum(1, keepdim=True)


def gradient(model: Model, points: Tensor, extra: tuple[Any, ...] = ()) -> Tensor:
    """Gradient of the sum of squares, as the core would ask for it."""
    with model.session() as running:
        return running.value_and_gradient(points, extra, squares)[1][:, 0]


def outputs(model: Model, points: Tensor) -> Any:
    """Outputs, as the core would ask for them."""
    with model.session() as running:
        return running.outputs(points, ())


def expected(net: Callable[[Tensor], Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and the same gradient straight from PyTorch."""
    leaf = points.clone().requires_grad_()
    y = net(leaf)
    return y.detach(), torch.autograd.grad(y.square().sum(), leaf)[0]


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal numbers that leave the random state alone."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Recurrent(nn.Module):
    """The head that most recurrent classifiers have: the last step."""

    def __init__(self, both: bool = False) -> None:
        super().__init__()
        self.rnn = nn.LSTM(2, 6, batch_first=True, bidirectional=both)
        self.head = nn.Linear(12 if both else 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x.transpose(1, 2))[0][:, -1])


def recurrent(both: bool = False) -> nn.Module:
    """A recurrent classifier of (batch, 2, n)."""
    return seeded(Recurrent, both).eval()


def group_norm() -> nn.Module:
    """A convolutional classifier of (batch, 2, n) with a GroupNorm, whose export is a trap."""

    def build() -> nn.Module:
        body = [nn.Conv1d(2, 4, 5), nn.GroupNorm(2, 4), nn.ReLU(), nn.AdaptiveAvgPool1d(1)]
        return nn.Sequential(*body, nn.Flatten(), nn.Linear(4, 3)).eval()

    return seeded(build)


def batch_norm() -> nn.Module:
    """A convolutional classifier of (batch, 2, n) whose mode matters."""

    def build() -> nn.Module:
        body = [nn.Conv1d(2, 4, 5), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.AdaptiveAvgPool1d(1)]
        return nn.Sequential(*body, nn.Flatten(), nn.Linear(4, 3)).eval()

    return seeded(build)

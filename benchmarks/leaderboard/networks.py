"""Networks that are small enough to be trained in seconds, one kind for each kind of problem."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn


def perceptron(n: int, classes: int, width: int = 64) -> nn.Module:
    """FreqRISE's network: three hidden layers of equal width."""
    sizes = (n, width, width, width)
    hidden = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(width, classes))


class Convolutional(nn.Module):
    """Filters, rectified; filters of these, rectified; their means and spreads over time; a linear head.

    Parameters
    ----------
    channels, classes : int
        Of the series and of the answer.
    first, second : tuple of (int, int, int)
        Filters, their length and their stride.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        first: tuple[int, int, int],
        second: tuple[int, int, int] = (24, 9, 2),
    ) -> None:
        super().__init__()
        count, length, stride = first
        more, longer, step = second
        self.first = nn.Conv1d(channels, count, length, stride, padding=length // 2)
        self.second = nn.Conv1d(count, more, longer, step, padding=longer // 2)
        self.norm = nn.BatchNorm1d(more)
        self.head = nn.Linear(more, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, shape (batch, class), of series, shape (batch, channel, time)."""
        seen = self.norm(self.second(self.first(x).relu())).relu()
        return self.head(seen.mean(-1))


class Attention(nn.Module):
    """One layer of a Transformer over samples, with sinusoidal places, and its mean over time."""

    places: Tensor

    def __init__(self, n: int, classes: int, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(1, width)
        at = torch.arange(n)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
        self.register_buffer("places", torch.stack([at.sin(), at.cos()], -1).flatten(1))
        self.layer = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Logits, shape (batch, class), of series, shape (batch, 1, time)."""
        return self.head(self.layer(self.embed(x[:, 0, :, None]) + self.places).mean(1))


class Recurrent(nn.Module):
    """A GRU that answers at each step."""

    def __init__(self, channels: int, width: int = 48) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, width, batch_first=True)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1, shape (batch, time), of series, shape (batch, channel, time)."""
        return self.head(self.gru(x.movedim(1, 2))[0])[..., 0]


class Summed(nn.Module):
    """What a network answers at all steps, summed: one number per series, shape (batch, 1)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, *extra: Tensor) -> Tensor:
        """The sum, of series and of whatever else the network takes."""
        return self.inner(x, *extra).sum(1, keepdim=True)

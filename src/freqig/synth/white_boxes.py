"""The models of `oracle`: each decides by what it is given and sees nothing else.

They compute in the dtype of their buffers, float64, and answer in that of the series: so rounding,
which depends on how many series a batch has, is below the last digit of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .._typing import Bool, Float
from .states import SLOPE


class Powers(nn.Module):
    """Logits that are linear in log(1 + gain · power) of groups of bins.

    The power of a sine of unit amplitude is 1.

    Parameters
    ----------
    groups : numpy.ndarray
        Bins of each group, boolean, shape (group, channel, frequency).
    weights : numpy.ndarray
        Shape (class, group).
    gain : float
        What a power is multiplied by.
    threshold : float, default 0.0
        Power at which a group says nothing.
    """

    groups: Tensor
    weights: Tensor
    bias: Tensor

    def __init__(self, groups: np.ndarray, weights: np.ndarray, gain: float, threshold: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("groups", torch.tensor(groups).double())
        self.register_buffer("weights", torch.tensor(weights).double())
        self.register_buffer("bias", -self.weights.sum(1) * float(np.log1p(gain * threshold)))
        self.gain = gain

    def forward(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch class"]:
        """Logits of series."""
        # The threshold comes last: of a silent series what remains is the bias and no rounding.
        loud = torch.log1p(self.gain * power(x, self.groups))
        return (loud @ self.weights.T + self.bias).to(x.dtype)


class Product(nn.Module):
    """A constant, and the product of the powers of two bands.

    Parameters
    ----------
    bands : numpy.ndarray
        Bins of the bands, boolean, shape (2, channel, frequency).
    threshold : float
        The constant.
    """

    bands: Tensor

    def __init__(self, bands: np.ndarray, threshold: float) -> None:
        super().__init__()
        self.register_buffer("bands", torch.tensor(bands).double())
        self.threshold = threshold

    def forward(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch class"]:
        """Logits of series."""
        both = power(x, self.bands).prod(-1)
        return torch.stack([torch.full_like(both, self.threshold), both], -1).to(x.dtype)


class Bispectrum(nn.Module):
    """Plus and minus the real part of X(f)² conj(X(2f)), 1 for sines of unit amplitude in phase.

    Parameters
    ----------
    first, second : int
        Bins of f and 2f.
    n : int
        Samples of a series.
    """

    scale: Tensor

    def __init__(self, first: int, second: int, n: int) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.register_buffer("scale", torch.tensor(2 / n).double())

    def forward(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch class"]:
        """Logits of series."""
        spectrum = torch.fft.rfft(x[:, 0].to(self.scale.dtype)) * self.scale
        relation = (spectrum[:, self.first].square() * spectrum[:, self.second].conj()).real
        return torch.stack([relation, -relation], -1).to(x.dtype)


class Waves(nn.Module):
    """log(1 + gain · power) along given waves, whatever their phase.

    Parameters
    ----------
    angles : numpy.ndarray
        Angles of the waves in radians, shape (class, time).
    gain : float
        What a power is multiplied by.
    """

    waves: Tensor

    def __init__(self, angles: np.ndarray, gain: float) -> None:
        super().__init__()
        waves = np.stack([np.cos(angles), np.sin(angles)]) * 2 / angles.shape[1]
        self.register_buffer("waves", torch.tensor(waves).double())
        self.gain = gain

    def forward(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch class"]:
        """Logits of series."""
        along = torch.einsum("bt,pct->bcp", x[:, 0].to(self.waves.dtype), self.waves)
        return torch.log1p(self.gain * along.square().sum(-1)).to(x.dtype)


class Templates(nn.Module):
    """Log-likelihoods of classes whose series are one of several templates, as likely each, and noise.

    Parameters
    ----------
    shapes : sequence of numpy.ndarray
        Templates of each class, shape (template, time).
    sigma : float
        Standard deviation of the noise.
    """

    shapes: Tensor

    def __init__(self, shapes: Sequence[np.ndarray], sigma: float) -> None:
        super().__init__()
        self.counts = [len(shape) for shape in shapes]
        self.sigma = sigma
        self.register_buffer("shapes", torch.tensor(np.concatenate(shapes)).double())

    def forward(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch class"]:
        """Logits of series."""
        # log N(x; s, σ²) without what all templates share: (x·s - |s|² / 2) / σ².
        series = x[:, 0].to(self.shapes.dtype)
        fits = (series @ self.shapes.T - self.shapes.square().sum(-1) / 2) / self.sigma**2
        parts = zip(torch.split(fits, self.counts, -1), self.counts, strict=True)
        return torch.stack([part.logsumexp(-1) - np.log(count) for part, count in parts], -1).to(x.dtype)


class Rare(nn.Module):
    """Sum over channels of the squares of what is seen, at each step."""

    def forward(
        self, x: Float[Tensor, "batch channel time"], seen: Bool[Tensor, "batch channel time"]
    ) -> Float[Tensor, "batch time"]:
        """Output at each step, of series and of what is seen of them."""
        return torch.where(seen, x, 0).square().sum(1)


class Switched(nn.Module):
    """Logit of each step, twice the value of the signal that decides."""

    def forward(
        self, x: Float[Tensor, "batch channel time"], deciding: Bool[Tensor, "batch channel time"]
    ) -> Float[Tensor, "batch time"]:
        """Logit of each step, of series and of which signal decides."""
        return SLOPE * torch.where(deciding, x, 0).sum(1)


def power(x: Tensor, groups: Tensor) -> Tensor:
    """Power of groups of bins, shape (batch, group), 1 for a sine of unit amplitude."""
    spectrum = torch.view_as_real(torch.fft.rfft(x.to(groups.dtype))) * (2 / x.shape[-1])
    return torch.einsum("bcf,gcf->bg", spectrum.square().sum(-1), groups)

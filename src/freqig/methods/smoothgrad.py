"""SmoothGrad: the gradient averaged over noise around the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._check import check_draws, check_seed, check_within
from ..chunks import Chunks
from ..objective.paths import Paths
from .draws import generator
from .explaining import Comparator, words
from .gradients import Projected, averaged

MOST_NOISE = 1000.0
"""Ranges of a channel beyond which noise overflows in networks, and nothing of the signal is left."""


@dataclass(frozen=True)
class Smoothed(Projected):
    """The mean gradient at noisy inputs.

    Parameters
    ----------
    draws : int
        How many.
    noise : float
        Standard deviation as a share of the range of each channel.
    seed : int
        Of the noise.
    """

    draws: int
    noise: float
    seed: int

    engine = "smoothgrad"
    title = "SmoothGrad × input (Smilkov et al. 2017)"
    meaning = "what the mean gradient around the input, times the distance from the baseline, gives"

    @property
    def n_least(self) -> int:
        return self.draws

    def mean_gradient(self, paths: Paths, chunks: Chunks) -> Tensor:
        x = paths.x
        widths = self.noise * (x.amax(-1, keepdim=True) - x.amin(-1, keepdim=True))

        def at(rows: Tensor, nodes: Tensor) -> Tensor:
            noise = [
                torch.from_numpy(generator(self.seed, x[i], k).standard_normal(x.shape[1:]))
                for i, k in zip(rows.tolist(), nodes.tolist(), strict=True)
            ]
            return x[rows] + widths[rows] * torch.stack(noise).to(x)

        return averaged(paths, at, [1 / self.draws] * self.draws, chunks)


class SmoothGrad(Comparator):
    """SmoothGrad × input: the gradient, averaged over white noise around the input, in any linear domain.

    The noise of a channel has a standard deviation that is a share of the range of that channel, so that
    it means the same in µV and in V, and that of a sample depends on the seed and the sample alone. The mean
    gradient takes the place of the gradient in Re(conj(c) · S*∇F). White noise is spread over all
    frequencies: in bands where the signal has little of its own it is most of what the model sees.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    draws : int, default 50
        Noisy inputs, one gradient each.
    noise : float, default 0.15
        Standard deviation of the noise as a share of the range of each channel, at most 1000.
    seed : int, default 0
        Of the noise.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default.

    References
    ----------
    Smilkov, Thorat, Kim, Viégas, Wattenberg: SmoothGrad: removing noise by adding noise, 2017,
    arXiv:1706.03825, section 3, with 10 to 20 % of noise.

    Examples
    --------
    >>> import torch, freqig
    >>> x = torch.sin(2 * torch.pi * 5 * torch.arange(64) / 64)[None]
    >>> smooth = freqig.methods.SmoothGrad(lambda x: x[:, :8].relu().sum(1), fs=64)
    >>> result = smooth(x, target=0)
    >>> result.rfft.dims, int(result.n_evaluations[0])
    (('sample', 'frequency'), 50)
    """

    @words
    def __init__(
        self, model: Any, *, draws: int = 50, noise: float = 0.15, seed: int = 0, **shared: Any
    ) -> None:
        how = Smoothed(
            check_draws(draws, "draws"),
            check_within(noise, "noise", 0.0, MOST_NOISE),
            check_seed(seed, "seed"),
        )
        self.settled(model, how, **shared)

"""DynaMask over coefficients: a mask of a given area that changes the output least."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._check import check_draws, check_share
from .explaining import Comparator, words
from .frame import Frame
from .learning import Learned, Leaves, check_weight


@dataclass(frozen=True)
class AreaMask(Learned):
    """One number per coefficient, of which a share is to be 1 and all others 0.

    Parameters
    ----------
    area : float
        Share of coefficients that the mask keeps.
    size : float
        Weight of the area at the first step.
    dilation : float
        By how much the weight of the area grows until the last step.
    smoothness : float
        Weight of differences between neighbours along the last axis.
    """

    area: float
    size: float
    dilation: float
    smoothness: float

    engine = "dynamask"
    title = "DynaMask over coefficients (after Crabbé and van der Schaar 2021)"
    meaning = "mask of a given area that changes the output least: 1 for what is kept"

    def misfit(self, missing: Tensor) -> Tensor:
        return missing.square()

    def penalty(self, frame: Frame, leaves: Leaves, step: int, slopes: Tensor) -> Tensor:
        masks = leaves.masks
        weight = self.size * math.exp(math.log(self.dilation) * step / self.steps)
        wanted = wanted_of(masks.detach(), slopes, self.area)
        loss = weight * (masks - wanted).square().mean(1)
        if self.smoothness:
            steps = [part.diff(dim=-1).abs().flatten(1) for part in frame.split(masks)]
            loss = loss + self.smoothness * torch.cat(steps, 1).mean(1)
        return loss


def wanted_of(masks: Tensor, slopes: Tensor, area: float) -> Tensor:
    """1 for the largest numbers of each mask, a share of them, and 0 for the others, shape (S, K).

    The regulariser of the paper sorts a mask and holds it against 0, ..., 0, 1, ..., 1. At first all
    numbers are alike, and a sort decides by their place; here those rank higher that the output asks for.

    Examples
    --------
    >>> wanted_of(torch.full((1, 4), 0.5), torch.tensor([[0.0, -2.0, -1.0, 1.0]]), 0.5)
    tensor([[0., 1., 1., 0.]])
    """
    count = max(1, round(area * masks.shape[1]))
    # A stable sort by the mask, after one by the slope.
    first = slopes.argsort(dim=1, stable=True)
    order = first.gather(1, masks.gather(1, first).argsort(dim=1, descending=True, stable=True))
    return torch.zeros_like(masks).scatter_(1, order[:, :count], 1.0)


class DynaMask(Comparator):
    """DynaMask in the coefficients of any linear domain: a mask of a given area, learned for each sample.

    The mask minimises ((F(x) - F(x' + synthesize(m · c))) / (F(x) - F(x')))² + λ · mean (m - r)², with r
    the 1 of the largest numbers of m, a share `area` of them, and 0 for others; λ grows from `size` by a
    factor of `dilation`. What the paper does over features and time is done over coefficients; what is
    masked goes to the baseline of `freqig`, where the paper blurs. As all numbers are alike at first, those
    that the output asks for rank first, and not those that a sort happens to put last. The optimiser is
    Adam.

    The area is given, and whatever the model uses, that share of the coefficients comes out near 1.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    area : float, default 0.1
        Share of the coefficients that the mask keeps, between 0 and 1.
    steps : int, default 300
        Steps of the optimiser, one gradient each.
    rate : float, default 0.05
        Learning rate of Adam.
    size : float, default 0.5
        Weight of the area at the first step.
    dilation : float, default 100.0
        By how much that weight grows.
    smoothness : float, default 0.0
        Weight of differences between neighbouring coefficients.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default. Each has a mask of its own.

    References
    ----------
    Crabbé, van der Schaar: Explaining time series predictions with dynamic masks, ICML 2021, eqs. 5 to 8.

    Examples
    --------
    >>> import torch, freqig
    >>> t = torch.arange(64) / 64
    >>> x = (torch.sin(2 * torch.pi * 5 * t) + torch.sin(2 * torch.pi * 20 * t))[None]
    >>> method = freqig.methods.DynaMask(lambda x: torch.fft.rfft(x)[:, 5].abs(), fs=64)
    >>> float(method(x, target=0).rfft.idxmax("frequency")[0])
    5.0
    """

    @words
    def __init__(
        self,
        model: Any,
        *,
        area: float = 0.1,
        steps: int = 300,
        rate: float = 0.05,
        size: float = 0.5,
        dilation: float = 100.0,
        smoothness: float = 0.0,
        **shared: Any,
    ) -> None:
        how = AreaMask(
            check_draws(steps, "steps"),
            check_weight(rate, "rate"),
            check_share(area, "area"),
            check_weight(size, "size"),
            check_weight(dilation, "dilation"),
            check_weight(smoothness, "smoothness", zero_allowed=True),
        )
        self.settled(model, how, **shared)

"""ExtremalMask over coefficients: a mask, and what takes the place of what it hides, learned together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._check import check_draws
from .explaining import Comparator, words
from .frame import Frame
from .learning import Learned, Leaves, check_weight


@dataclass(frozen=True)
class MaskAndFill(Learned):
    """One number per coefficient, and one coefficient to put in its place.

    Parameters
    ----------
    size : float
        Weight of the mean of the mask.
    fill : float
        Weight of the mean size of what is put in, relative to the largest coefficient.
    """

    size: float
    fill: float

    engine = "extremal_mask"
    title = "ExtremalMask over coefficients (after Enguehard 2023)"
    meaning = "mask that keeps the output while all else is filled in: 1 for what is kept"

    def leaves(self, frame: Frame) -> Leaves:
        return Leaves(super().leaves(frame).masks, tuple(torch.zeros_like(part) for part in frame.free))

    def points(self, frame: Frame, leaves: Leaves, rows: Tensor) -> Tensor:
        hidden = frame.split(1 - leaves.masks)
        parts = zip(hidden, frame.free, frame.largest, leaves.others, strict=True)
        gone = [m * (c - unit * p) for m, c, unit, p in parts]
        return frame.without(gone, rows)

    def misfit(self, missing: Tensor) -> Tensor:
        return missing.square()

    def penalty(self, frame: Frame, leaves: Leaves, step: int, slopes: Tensor) -> Tensor:
        filled = torch.cat([part.abs().flatten(1) for part in leaves.others], 1)
        return self.size * leaves.masks.mean(1) + self.fill * filled.mean(1)


class ExtremalMask(Comparator):
    """ExtremalMask in the coefficients of any linear domain: mask and filling, learned for each sample.

    The mask m and the filling p minimise ((F(x) - F(x' + synthesize(m · c + (1 - m) · p))) / (F(x) -
    F(x')))² + size · mean(m) + fill · mean|p| / max|c|. In the paper a recurrent network makes p, trained
    on all samples of a batch at once, so that the explanation of one depends on the others; here every
    sample has its own p, which begins at the baseline. The mask is put back between 0 and 1 after each
    step: where it is only clamped as it is used, a number beyond has no gradient and never returns. The
    optimiser is Adam.

    What is filled in may itself bring about the output: a small mask then says that the output can be had
    without the coefficients, and not that they do not matter.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    steps : int, default 300
        Steps of the optimiser, one gradient each.
    rate : float, default 0.05
        Learning rate of Adam.
    size : float, default 1.0
        Weight of the mean of the mask.
    fill : float, default 1.0
        Weight of what is filled in.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default. Each has a mask of its own.

    References
    ----------
    Enguehard: Learning perturbations to explain time series predictions, ICML 2023, eq. 6, in the
    preservation game.

    Examples
    --------
    >>> import torch, freqig
    >>> t = torch.arange(64) / 64
    >>> x = (torch.sin(2 * torch.pi * 5 * t) + torch.sin(2 * torch.pi * 20 * t))[None]
    >>> method = freqig.methods.ExtremalMask(lambda x: torch.fft.rfft(x)[:, 5].abs(), fs=64)
    >>> float(method(x, target=0).rfft.idxmax("frequency")[0])
    5.0
    """

    @words
    def __init__(
        self,
        model: Any,
        *,
        steps: int = 300,
        rate: float = 0.05,
        size: float = 1.0,
        fill: float = 1.0,
        **shared: Any,
    ) -> None:
        how = MaskAndFill(
            check_draws(steps, "steps"),
            check_weight(rate, "rate"),
            check_weight(size, "size", zero_allowed=True),
            check_weight(fill, "fill", zero_allowed=True),
        )
        self.settled(model, how, **shared)

"""FLEXtime: a learned mask over the bands of a filter bank whose bands add up to the signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._check import check_draws, check_share
from ..domains import RFFT, Domain
from .explaining import Comparator, words
from .frame import Frame
from .learned_mask import FreeMask
from .learning import Leaves, above, check_weight


@dataclass(frozen=True)
class BandMask(FreeMask):
    """One number per band and channel, and the mask over the spectrum that they make.

    Parameters
    ----------
    filters : int
        Bands from 0 to half of the sampling rate.
    smoothness : float
        Weight of differences between neighbouring bands.
    """

    filters: int
    smoothness: float

    engine = "flextime"
    title = "FLEXtime (Brüsch et al. 2024)"
    meaning = "mask of the bands that keep the output, at the frequencies that they hold"

    def allowed(self, domains: Sequence[Domain]) -> None:
        super().allowed(domains)
        if not all(isinstance(domain, RFFT) for domain in domains):
            raise ValueError(
                f"domains must be freqig.RFFT() for {self.title}, whose bands are of the whole series, got "
                f"{', '.join(map(repr, domains))}"
            )

    def optimizer(self, leaves: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.SGD(leaves, lr=self.rate, momentum=0.9)

    def leaves(self, frame: Frame) -> Leaves:
        (part,) = frame.free
        return Leaves(part.real.new_full((*part.shape[:-1], self._count(part)), 0.5))

    def mask(self, frame: Frame, leaves: Leaves) -> Tensor:
        (part,) = frame.free
        return over_bins(leaves.masks, part.shape[-1]).flatten(1)

    def penalty(self, frame: Frame, leaves: Leaves, step: int, slopes: Tensor) -> Tensor:
        size = super().penalty(frame, leaves, step, slopes)
        return size + self.smoothness * above(leaves.masks.diff(dim=-1).abs(), 0.0)

    def _count(self, part: Tensor) -> int:
        return min(self.filters, part.shape[-1])


def over_bins(bands: Tensor, bins: int) -> Tensor:
    """What numbers of bands are at the bins of a spectrum, shape (..., filters) to (..., bins).

    The response of band b is cos²(π/2 · (f - f_b) / w) within w of its centre, w the distance of centres, the
    first at 0 and the last at the last bin. A bin lies between two centres: as one response falls the other
    rises, and both add up to 1.

    Examples
    --------
    >>> over_bins(torch.eye(3, dtype=torch.float64), 5).round(decimals=2).tolist()
    [[1.0, 0.5, 0.0, 0.0, 0.0], [0.0, 0.5, 1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.5, 1.0]]
    """
    last = bands.shape[-1] - 1
    place = torch.arange(bins, dtype=torch.float64) * last / max(1, bins - 1)
    below = place.long().clamp_max(max(0, last - 1))
    falling = torch.cos(torch.pi / 2 * (place - below)).square().to(bands)
    index = below.to(bands.device).expand(*bands.shape[:-1], bins)
    return falling * bands.gather(-1, index) + (1 - falling) * bands.gather(-1, (index + 1).clamp_max(last))


class FLEXtime(Comparator):
    """FLEXtime: which bands of a filter bank keep the output, learned for each sample.

    The series is divided by a bank of filters, and a number between 0 and 1 for each band and channel is
    learned: max(0, F(x) - F(masked)) / |F(x) - F(x')| + sparsity · max(0, mean - keep) + smoothness · mean
    |difference of neighbours|. Filters here have zero phase and responses that add up to 1 at every bin:
    with all bands the model sees x itself, where causal filters, shifted by their delay, lose the beginning
    of the series and leave gaps between bands. What is learned stands at the frequencies of `rfft`, as the
    sum of what the bands hold there, so that the mask that is shown is the mask that was applied.

    The explained output stands in the loss as it is; with `output="log_prob"` that is the cross-entropy of
    the target.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    filters : int, default 64
        Bands of equal width from 0 to half of the sampling rate, at most as many as there are bins.
    steps : int, default 500
        Steps of gradient descent with momentum 0.9, one gradient each.
    rate : float, default 0.1
        Learning rate.
    keep : float, default 0.05
        Mean of the mask up to which size costs nothing, between 0 and 1.
    sparsity : float, default 1.0
        Weight of the size beyond.
    smoothness : float, default 0.0
        Weight of differences between neighbouring bands.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be `RFFT()`.

    References
    ----------
    Brüsch, Wickstrøm, Schmidt, Jenssen, Alstrøm: FLEXtime: Filterbank learning to explain time series, 2024,
    arXiv:2411.05841, section 3.

    Examples
    --------
    >>> import torch, freqig
    >>> t = torch.arange(64) / 64
    >>> x = (torch.sin(2 * torch.pi * 5 * t) + torch.sin(2 * torch.pi * 20 * t))[None]
    >>> power_at_5_hz = lambda x: torch.fft.rfft(x)[:, 5].abs()
    >>> result = freqig.methods.FLEXtime(power_at_5_hz, fs=64, filters=16)(x, target=0)
    >>> bool(result.rfft.sel(frequency=5)[0] > 0.9), bool(result.rfft.sel(frequency=20)[0] < 0.1)
    (True, True)
    """

    @words
    def __init__(
        self,
        model: Any,
        *,
        filters: int = 64,
        steps: int = 500,
        rate: float = 0.1,
        keep: float = 0.05,
        sparsity: float = 1.0,
        smoothness: float = 0.0,
        **shared: Any,
    ) -> None:
        how = BandMask(
            check_draws(steps, "steps"),
            check_weight(rate, "rate"),
            check_share(keep, "keep"),
            check_weight(sparsity, "sparsity", zero_allowed=True),
            check_draws(filters, "filters"),
            check_weight(smoothness, "smoothness", zero_allowed=True),
        )
        self.settled(model, how, **shared)

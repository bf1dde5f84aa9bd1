"""A learned mask: the smallest mask over coefficients that keeps the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .._check import check_draws, check_share
from .explaining import Comparator, words
from .frame import Frame
from .learning import Learned, Leaves, above, check_weight, falls_short


@dataclass(frozen=True)
class FreeMask(Learned):
    """One number per coefficient.

    Parameters
    ----------
    keep : float
        Mean of the mask up to which size costs nothing.
    sparsity : float
        Weight of the size beyond.
    """

    keep: float
    sparsity: float

    engine = "learned_mask"
    title = "learned mask over coefficients"
    meaning = "mask that keeps the output: 1 for what is kept, 0 for what is put to the baseline"

    def misfit(self, missing: Tensor) -> Tensor:
        return falls_short(missing)

    def penalty(self, frame: Frame, leaves: Leaves, step: int, slopes: Tensor) -> Tensor:
        return self.sparsity * above(leaves.masks, self.keep)


class LearnedMask(Comparator):
    """A mask over the coefficients of any linear domain that keeps the output, learned for each sample.

    The mask m between 0 and 1 minimises max(0, F(x) - F(x' + synthesize(m · c))) / |F(x) - F(x')| +
    sparsity · max(0, mean(m) - keep): the loss of the learned mask over the spectrum that FLEXtime is
    compared with, in the output that is explained, without a second softmax on top of it. A complex
    coefficient is masked as a whole, and the series keeps its length. The optimiser is Adam, which does not
    slow down as there are more coefficients.

    A mask says what suffices, not how much each part contributes: of two coefficients that say the same,
    one may be kept and the other not.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    steps : int, default 300
        Steps of the optimiser, one gradient each.
    rate : float, default 0.05
        Learning rate of Adam.
    keep : float, default 0.05
        Mean of the mask up to which size costs nothing, between 0 and 1.
    sparsity : float, default 1.0
        Weight of the size beyond.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default. Each has a mask of its own.

    References
    ----------
    Brüsch, Wickstrøm, Schmidt, Jenssen, Alstrøm: FLEXtime: Filterbank learning to explain time series,
    2024, arXiv:2411.05841, section 3; after Fong, Vedaldi: Interpretable explanations of black boxes by
    meaningful perturbation, ICCV 2017.

    Examples
    --------
    >>> import torch, freqig
    >>> t = torch.arange(64) / 64
    >>> x = (torch.sin(2 * torch.pi * 5 * t) + torch.sin(2 * torch.pi * 20 * t))[None]
    >>> method = freqig.methods.LearnedMask(lambda x: torch.fft.rfft(x)[:, 5].abs(), fs=64)
    >>> result = method(x, target=0)
    >>> float(result.rfft.idxmax("frequency")[0]), result.rfft.attrs["units"]
    (5.0, 'importance')
    """

    @words
    def __init__(
        self,
        model: Any,
        *,
        steps: int = 300,
        rate: float = 0.05,
        keep: float = 0.05,
        sparsity: float = 1.0,
        **shared: Any,
    ) -> None:
        how = FreeMask(
            check_draws(steps, "steps"),
            check_weight(rate, "rate"),
            check_share(keep, "keep"),
            check_weight(sparsity, "sparsity", zero_allowed=True),
        )
        self.settled(model, how, **shared)

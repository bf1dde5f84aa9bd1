"""Gradient × input: the first order of F at the input, and nothing of the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..chunks import Chunks
from ..objective.paths import Paths
from .explaining import Comparator, words
from .gradients import Projected, averaged


@dataclass(frozen=True)
class OneGradient(Projected):
    """The gradient at the input."""

    engine = "gradient_times_input"
    title = "gradient × input (Shrikumar et al. 2017)"
    meaning = (
        "what the gradient at the input, times the distance from the baseline, gives to each coefficient"
    )

    @property
    def n_least(self) -> int:
        return 1

    def mean_gradient(self, paths: Paths, chunks: Chunks) -> Tensor:
        return averaged(paths, lambda rows, _: paths.x[rows], [1.0], chunks)


class GradientTimesInput(Comparator):
    """Gradient × input, in the coefficients of any linear domain.

    With c = analysis of x - x' the attribution of coefficient k is Re(conj(c_k) · (S*∇F(x))_k): the
    derivative of F as the coefficient grows by its own size. For a spectrum this is not RFFT(x) · RFFT(∇F):
    a real series has each frequency twice, but DC and Nyquist once, and the adjoint of the inverse says so.
    Without a bias it is exact for networks of ReLUs; else it is the tangent at x, and adds up to nothing.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default.

    References
    ----------
    Shrikumar, Greenside, Kundaje: Learning important features through propagating activation differences,
    ICML 2017, section 1 (in its first version of 2016, "Not just a black box", eq. 1).

    Examples
    --------
    >>> import torch, freqig
    >>> model = torch.nn.Linear(8, 1, bias=False)
    >>> x = torch.ones(1, 8)
    >>> result = freqig.methods.GradientTimesInput(model, fs=8)(x, target=0)
    >>> result.rfft.dims, bool(abs(result.rfft.sum() - result.output[0]) < 1e-5), result.rfft.attrs["adds_up"]
    (('sample', 'frequency'), True, 0)
    """

    @words
    def __init__(self, model: Any, **shared: Any) -> None:
        self.settled(model, OneGradient(), **shared)

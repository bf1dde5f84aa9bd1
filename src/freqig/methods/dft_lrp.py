"""DFT-LRP: relevance in time, carried through the inverse transform to the spectrum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .._check import check_within, shown
from .._tensor_check import widest
from ..chunks import Chunks
from ..explain.blocks import BlockSize
from ..objective.paths import Paths
from .explaining import Comparator, words
from .gradients import Projected
from .relevance import relevance, traced


@dataclass(frozen=True)
class ThroughTheTransform(Projected):
    """Relevance over signal, in the place of a gradient.

    Parameters
    ----------
    network : torch.nn.Module
        What relevance is propagated through.
    epsilon : float
        Of the rules.
    """

    network: nn.Module = field(repr=False, compare=False)
    epsilon: float

    engine = "dft_lrp"
    title = "DFT-LRP (Vielhaben et al. 2024)"
    meaning = "relevance of layer-wise propagation, carried from time to each coefficient"

    @property
    def n_least(self) -> int:
        # Captum runs the network once for activations, and once more for the way back.
        return 2

    def described(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        return BlockSize(
            min(chunks.size, super().block_size(chunks, n_features, n_targets).samples), n_targets
        )

    def mean_gradient(self, paths: Paths, chunks: Chunks) -> Tensor:
        self._refuse_others(paths)
        x, layers = paths.x, traced(self.network).to(paths.x.device, paths.x.dtype)
        total = torch.zeros(len(x), paths.n_targets, *x.shape[1:], dtype=widest(x.device), device=x.device)

        def call(part: slice) -> None:
            rows = torch.arange(part.start, part.stop, device=x.device)
            at = x[rows].to(total.dtype)
            for t in range(paths.n_targets):
                found = relevance(layers, paths, rows, t, self.epsilon).to(total.dtype)
                # A value of zero has no relevance, whatever stabilises the quotient.
                total[rows, t] = torch.where(at == 0, 0.0, found / torch.where(at == 0, 1.0, at))

        chunks.run(len(x), call)
        return total

    def _refuse_others(self, paths: Paths) -> None:
        """ValueError where relevance would be of something else than what is explained."""
        if bool(paths.baseline.any()):
            raise ValueError(
                "baseline must be zero for freqig.methods.DFTLRP, whose relevance is of the signal as it is: "
                "omit it"
            )
        if paths.objective.extra.values:
            raise ValueError(
                "additional_forward_args must be omitted for freqig.methods.DFTLRP, which propagates "
                "relevance to the signal alone"
            )


class DFTLRP(Comparator):
    """DFT-LRP: layer-wise relevance in time, carried on to the coefficients of any linear domain.

    Captum's `LRP` with the ε rule gives relevance R_t in time, for a copy of the network of which each
    function has become a layer; relevance passes activations as it is, and is shared out by what each
    input adds in convolutions, means, sums of branches and pooling. The inverse transform is one more
    linear layer in front: coefficient k gets Re(conj(c_k) · (S*(R/x))_k), S* the adjoint of the synthesis
    that gives x back. So the weights of a real spectrum are right, 2 but for DC and Nyquist, the row of
    Nyquist alternates, and odd lengths have none: Σ_k R_k = Σ_t R_t in every domain. With a matrix that is
    not the inverse this fails.

    Relevance is of the signal as it is and starts at a raw output: the baseline is zero and the output a
    logit. Biases keep what they add, so that the sum is F(x) less their part.

    Parameters
    ----------
    model : torch.nn.Module
        A network that `torch.fx` can trace, of layers and functions that have a rule.
    epsilon : float, default 1e-6
        Added to the size of what relevance is divided by, in each layer.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default, `output` "logit" or a
        callable that picks a raw output, and the baseline zero.

    Raises
    ------
    TypeError
        If the model is no module, or a layer or function has no rule.

    References
    ----------
    Vielhaben, Lapuschkin, Montavon, Samek: Explainable AI for time series via virtual inspection layers,
    Pattern Recognition 150, 2024, eqs. 6 to 9; Bach et al.: On pixel-wise explanations for non-linear
    classifier decisions by layer-wise relevance propagation, PLOS ONE 2015.

    Examples
    --------
    >>> import torch, freqig
    >>> network = torch.nn.Sequential(torch.nn.Linear(9, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> x = torch.sin(torch.arange(9.0))[None]
    >>> result = freqig.methods.DFTLRP(network, domains=(freqig.RFFT(), freqig.Time()))(x, target=1)
    >>> bool(abs(result.rfft.sum() - result.waveform.sum()) < 1e-5)
    True
    """

    @words
    def __init__(self, model: Any, *, epsilon: float = 1e-6, **shared: Any) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module for freqig.methods.DFTLRP, got {shown(model)}")
        output = shared.get("output", "logit")
        if output != "logit" and not callable(output):
            raise ValueError(
                f"output must be 'logit' for freqig.methods.DFTLRP, whose relevance starts at a raw output, "
                f"got {output!r}"
            )
        self.settled(
            model, ThroughTheTransform(model, check_within(epsilon, "epsilon", 1e-30, 1e30)), **shared
        )

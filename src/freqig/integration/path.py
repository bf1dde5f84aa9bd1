"""What is known of a path after integration: the mean gradient, and how far to believe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
Status = Literal[
    "converged", "budget", "jump", "diverging", "nonfinite", "cancelling", "rounding", "gradient"
]


@dataclass(frozen=True)
class Jump:
    """A rise of F that no node resolved.

    Parameters
    ----------
    place : float
        Where on the path, 0 at the baseline and 1 at the input.
    width : float
        Length of the stretch in which F rises.
    size : numpy.ndarray
        Rise of F there that its slopes do not account for, shape (T,).
    """

    place: float
    width: float
    size: Array


@dataclass(frozen=True)
class Diagnosis:
    """How the integration of one sample ended.

    Parameters
    ----------
    status : {"converged", "budget", "jump", "diverging", "nonfinite", "cancelling", "rounding", "gradient"}
        `"budget"`: more evaluations were needed than allowed. `"jump"`: F jumps on the path.
        `"diverging"`: the attributions grow with every refinement. `"nonfinite"`: F or its
        gradient is not finite at `place`, and the mean gradient is NaN. `"cancelling"`: every path
        of several baselines converged, and their mean did not. `"rounding"`: more nodes are of no
        use, and rounding alone may err by more than `tol`. `"gradient"`: the gradient is not that of F.
    jumps : tuple of Jump
        Jumps that were found, the largest first.
    place : float or None
        Where F or its gradient is not finite.
    detail : str
        The statement of `"rounding"` and of `"gradient"`, with its numbers.
    blind_to_scale : bool
        Whether F is constant along the path but for a jump at the baseline, as it is for a
        model that divides its input by a norm of it.
    """

    status: Status
    jumps: tuple[Jump, ...] = ()
    place: float | None = None
    blind_to_scale: bool = False
    detail: str = ""

    def explain(self) -> str:
        """What happened and what to do about it, as one sentence without the sample's name.

        Examples
        --------
        >>> Diagnosis("nonfinite", place=0.25).explain()
        'the model or its gradient is not finite at 0.25 of the path (try another baseline)'
        """
        if self.status == "nonfinite":
            return (
                f"the model or its gradient is not finite at {self.place:.6g} of the path "
                "(try another baseline)"
            )
        if self.status == "budget":
            return "the path is too rough for max_evaluations (raise it, or tol)"
        if self.detail:
            return self.detail
        if self.status == "cancelling":
            return (
                "the path from each baseline converged, but their attributions cancel, so that the errors "
                "are larger than tol beside the mean (lower tol, or take baselines that are more alike)"
            )
        if self.status == "diverging":
            cause = (
                "the model does not see the scale of its input, so every path from this baseline jumps there"
                if self.blind_to_scale
                else "the gradient grows without bound on the path"
            )
            return f"attributions grow with every refinement: {cause} (try another baseline, not constant)"
        if self.status == "jump":
            jump = self.jumps[0]
            size = float(jump.size[np.abs(jump.size).argmax()])
            if jump.place <= jump.width:
                return (
                    f"the output jumps by {size:.3g} right at the baseline, as that of a model does which "
                    "normalises its input and so is blind to its scale: completeness fails on every path "
                    "from there (try another baseline, one with an amplitude like that of a signal, such "
                    "as a rest recording)"
                )
            return (
                f"the output jumps by {size:.3g} within {jump.width:.1g} of the path at "
                f"{jump.place:.6g}, which no number of nodes resolves (try another baseline, average "
                "over several baselines or noisy inputs, or explain another output scale)"
            )
        return "converged"


@dataclass(frozen=True)
class Path:
    """Everything that is known of S straight paths from baseline to input.

    Parameters
    ----------
    mean_gradient : torch.Tensor
        Path-averaged gradient, shape (S, T, *shape), float64 where the device has it.
    output, baseline_output : torch.Tensor
        Explained scalars at the input and at the baseline, shape (S, T).
    n_evaluations : torch.Tensor
        Points at which the model was evaluated inside the path, int64, shape (S,): those at
        which a gradient was taken, and the few at which only F was.
    correction : torch.Tensor
        What the last step, which closes the completeness gap, added to Σ δ·ḡ, shape (S, T); zero where
        there was no such step.
    converged : torch.Tensor or None
        Whether attributions and completeness gap are inside the tolerance, bool, shape (S, T);
        None for a fixed rule, which does not know.
    error : torch.Tensor or None
        Estimated L1 error of the attributions relative to their L1 norm, the largest over
        domains, float64, shape (S, T); None for a fixed rule.
    diagnoses : tuple of Diagnosis
        One per sample; empty for a fixed rule.
    """

    mean_gradient: Tensor
    output: Tensor
    baseline_output: Tensor
    n_evaluations: Tensor
    correction: Tensor
    converged: Tensor | None = None
    error: Tensor | None = None
    diagnoses: tuple[Diagnosis, ...] = ()

"""How the integration of one sample ended, in words: all sentences that users read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Status = Literal[
    "converged", "budget", "jump", "diverging", "nonfinite", "cancelling", "rounding", "gradient"
]


@dataclass(frozen=True)
class Jump:
    """A rise of F by `size`, (T,), beyond its slopes, within a `width` of the path around `place`, 0 to 1."""

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
        The statement of `"rounding"`, `"gradient"`, and of `"budget"` where memory is too little.
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
        """What happened and what to do about it, as one sentence without the sample's name."""
        if self.status == "nonfinite":
            return (
                f"the model or its gradient is not finite at {self.place:.6g} of the path "
                "(try another baseline)"
            )
        if self.detail:
            return self.detail
        if self.status == "budget":
            return "the path is too rough for max_evaluations (raise it, or tol)"
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


def first_shortfalls(before: Sequence[Diagnosis], after: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Of two diagnoses of each sample the first that tells of a shortfall."""
    pairs = zip(before, after, strict=True)
    return tuple(new if old.status == "converged" else old for old, new in pairs)


def too_little_room(n: int) -> Diagnosis:
    """Of a path whose next gradients do not fit into memory beside n that do."""
    return Diagnosis(
        "budget",
        detail=f"the path is too rough for the {n} gradients that there is memory for (raise memory, or tol, "
        "or explain a shorter series)",
    )


def too_much_rounding(
    error: float, tol: float, eps: float, moves: float, size: float, rounding: float
) -> Diagnosis:
    """Of a path that more nodes do not help.

    Parameters
    ----------
    error, tol : float
        Relative error, rounding included, and what was asked for.
    eps : float
        Rounding of a number, relative to it.
    moves, size, rounding : float
        Range of F along the path, its largest size, and by how much rounding may change a difference of it.
    """
    if rounding < 0.1 * moves:
        detail = (
            f"rounding leaves a relative error of {error:.2g}, more than tol={tol:g}, whatever "
            f"the number of nodes: numbers are rounded to {eps:.2g} of their size (raise tol, or "
            "compute in float64: dtype=torch.float64)"
        )
    else:
        detail = (
            f"the output changes by {moves:.3g} along the path, where rounding alone may change values of "
            f"its size, {size:.3g}, by {rounding:.2g}: too little to explain to "
            f"tol={tol:g} (check the units of the signal, such as volts where the model expects "
            "microvolts, and the scale and offset of the output; or compute in float64: dtype=torch.float64)"
        )
    return Diagnosis("rounding", detail=detail)


def foreign_gradient(left: float, right: float, rise: float, told: float) -> Diagnosis:
    """Of a model whose output changes by `rise` where its gradient says `told`, and so in most places."""
    where = (
        f"between {left:.3g} and {right:.3g} of the path the output changes by {rise:.3g} where "
        f"the gradient says {told:.3g}, and likewise in most other places"
        f"{', close around the nodes too' if told else ''}"
    )
    # Where F moves and the gradient hardly tells, jumps may also be too close to each other to be told apart.
    steps = "; or from steps too steep for its numbers (try dtype=torch.float64)"
    steep = steps if abs(told) <= 0.05 * abs(rise) else ""
    return _of_another(where, steep)


def gradient_beside(place: float, rise: float, told: float) -> Diagnosis:
    """Of a model that shows it beside the path, from which its output changes by `rise` and not `told`."""
    return _of_another(
        f"close beside the path, {place:.3g} of the way from baseline to input, the output changes by "
        f"{rise:.3g} where the gradient says {told:.3g}, and likewise at other distances and places, though "
        "along the path itself the difference cancels"
    )


def gradient_of_others() -> Diagnosis:
    """Of a path that shows nothing, of a model that was convicted at another one."""
    return _of_another("so it was found for other samples, and nothing showed for this one that it is here")


def _of_another(where: str, also: str = "") -> Diagnosis:
    return Diagnosis(
        "gradient",
        detail=f"the gradient of the model is not that of its output: {where}. No "
        "number of nodes mends that. Such gradients come from detach() or stop_gradient (as on the "
        "statistics of a reversible normalisation), torch.no_grad() around a part of the model, rounding "
        "and quantised layers (straight-through or without a gradient), and hooks or custom backward "
        f"passes that change it (remove them for the explanation){also}",
    )

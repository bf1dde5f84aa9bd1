"""Whether there is something to explain between baseline and input, and what is said where there is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..chunks import Chunks
from ..errors import EmptyExplanationWarning, warn
from ..objective.classes import Classes
from ..objective.objective import Objective
from ..result.attributions import Attributions
from ..rows import many_rows, one_row
from .projection import BLOCK_BYTES

DECIDED = 0.05
"""Lead in probability from which a model counts as decided for a class: below, it is as good as a tie."""
NEAR = 0.01
"""F rises by less than this part of itself where it is said to be near."""


@dataclass(frozen=True)
class Standing:
    """How sure the model is of the targets at one end of the path; N samples, T targets.

    Parameters
    ----------
    probability : torch.Tensor
        Of the target, shape (N, T).
    predicted : torch.Tensor
        Whether the target is the class that the model predicts, bool, shape (N, T).
    lead : torch.Tensor
        By how much its probability exceeds that of the likeliest other class, shape (N, T).
    """

    probability: Tensor
    predicted: Tensor
    lead: Tensor

    @classmethod
    def of(cls, raw: Tensor, indices: Tensor, classes: Classes) -> Standing:
        """Read off raw outputs of shape (N, *axes) for output indices of shape (N, T, len(axes))."""
        scores, chosen = classes.last(raw.float(), indices)
        scores = scores if scores.ndim == 3 else scores.unsqueeze(1).expand(-1, chosen.shape[1], -1)
        if scores.shape[-1] == 1:
            # One output is the probability of "yes" against "no".
            p = (scores.sigmoid() if classes.values == "logits" else scores).squeeze(-1)
            return cls(p, p > 0.5, 2 * p - 1)
        logits = classes.values == "logits" and not classes.normalised
        p = scores.softmax(-1) if logits else scores
        probability = p.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
        return cls(probability, p.argmax(-1) == chosen, _lead(p, chosen))

    @classmethod
    def mean(cls, several: Sequence[Standing]) -> Standing:
        """Of several baselines: means, and whether most are predicted as the target."""
        if len(several) == 1:
            return several[0]
        probability, predicted, lead = (
            torch.stack(parts).float().mean(0) for parts in zip(*map(Standing.parts, several), strict=True)
        )
        return cls(probability, predicted > 0.5, lead)

    def parts(self) -> tuple[Tensor, ...]:
        """Its tensors."""
        return self.probability, self.predicted, self.lead


def _lead(values: Tensor, chosen: Tensor) -> Tensor:
    """By how much the value of a class exceeds the largest of the others."""
    index = chosen.unsqueeze(-1)
    others = values.scatter(-1, index, -torch.inf).amax(-1)
    return values.gather(-1, index).squeeze(-1) - others


def tell_of_contrast(
    found: Attributions,
    x: Tensor,
    baselines: Tensor,
    at_x: Standing | None,
    starts: Sequence[Standing],
    *,
    sums: bool = True,
) -> None:
    """Say once where an explanation has nothing to tell, or its baseline is the class itself.

    Parameters
    ----------
    found : Attributions
        Those of N samples.
    x : torch.Tensor
        Signals, shape (N, *shape).
    baselines : torch.Tensor
        Shape (B, N, *shape).
    at_x : Standing or None
        How sure the model is at the input; None where the explained outputs are not those of classes.
    starts : sequence of Standing
        The same at each baseline.
    sums : bool, default True
        Whether attributions are made to sum to F(x) - F(x'); what ranks coefficients tells nothing of that.
    """
    moves = (x.unsqueeze(0) != baselines).flatten(2).any(2).any(0).cpu()
    said = [_of_equal_ends(moves, sums)]
    if sums:
        said.append(_of_nothing(found, moves, torch.finfo(x.dtype).eps))
    if sums and at_x is not None and not said[1]:
        said.append(_of_classes(found, moves, at_x, Standing.mean(starts)))
    if any(said):
        warn(". ".join(filter(None, said)), EmptyExplanationWarning)


def standing(objective: Objective, raw: Tensor) -> Standing | None:
    """How sure the model is of the targets; None where the explained outputs are not those of classes.

    Parameters
    ----------
    objective : Objective
        What is explained.
    raw : torch.Tensor
        Raw outputs at one point per sample, shape (N, *axes).
    """
    classes = objective.classes
    if callable(objective.scale) or classes.axis is None or objective.targets is None:
        return None
    several = raw.shape[classes.axis] > 1
    if several or classes.values != "logits" or objective.scale in ("log_prob", "probability"):
        return Standing.of(raw, objective.targets, classes)
    return None


REMEDY = (
    "explain against a baseline that the model takes for something else, such as "
    "baseline=freqig.baselines.data(...) with series of other classes"
)


def _of_equal_ends(moves: Tensor, sums: bool) -> str:
    same = _rows(~moves)
    if not same:
        return ""
    return (
        f"x equals its baseline for {many_rows(same, len(moves))}, so there is nothing to explain"
        f"{' and all attributions are 0' if sums else ''}: leave out series without signal, or pass another "
        "baseline"
    )


def _of_nothing(found: Attributions, moves: Tensor, eps: float) -> str:
    sizes = torch.stack([_norms(values) for values in found.values]).amax(0)
    largest = torch.maximum(found.output.abs(), found.baseline_output.abs())
    known = found.gap.isfinite().all(1)
    rows = _rows((sizes <= eps * largest).all(1) & moves & known)
    if not rows:
        return ""
    first = rows[0]
    ends = float(found.output[first, 0]), float(found.baseline_output[first, 0])
    return (
        "all attributions are 0, or less than the rounding of the output, for "
        f"{many_rows(rows, len(moves))}: the output does not move on the path from the baseline, "
        f"F(x) = {ends[0]:.6g} and F(x') = {ends[1]:.6g} for {one_row(first)}. Where it is saturated, "
        f"explain what comes before (the logits, or output='log_prob' or 'margin'); else {REMEDY}"
    )


def _norms(values: Tensor) -> Tensor:
    """L1 norms by sample and target, float64, shape (N, T), some samples at a time: results may be large.

    Places without a coefficient, which are NaN, count for nothing.
    """
    # There before the first block: what is allocated behind one would keep its place from being used again.
    norms = values.new_empty(values.shape[:2], dtype=torch.float64)
    for rows in Chunks(BLOCK_BYTES // max(1, 8 * values[:1].numel())).split(len(values)):
        norms[rows] = values[rows].flatten(2).abs().nansum(-1, dtype=torch.float64)
    return norms


def _of_classes(found: Attributions, moves: Tensor, at_x: Standing, at_baseline: Standing) -> str:
    p, q = at_x.probability.cpu(), at_baseline.probability.cpu()
    explained, before = at_x.predicted.cpu(), at_baseline.predicted.cpu()
    # Of every class at once, only the one that is decided for is asked about.
    asked = explained if explained.shape[1] > 1 else torch.ones_like(explained)
    itself = before & asked & (at_baseline.lead.cpu() >= DECIDED)
    rise = found.output - found.baseline_output
    size = torch.maximum(found.output.abs(), found.baseline_output.abs())
    lower = explained & (at_x.lead.cpu() >= DECIDED) & (rise <= NEAR * size)
    flagged = (itself | lower) & moves.unsqueeze(1)
    rows = _rows(flagged.any(1))
    if not rows:
        return ""
    i, t = rows[0], int(flagged[rows[0]].int().argmax())
    ends = float(found.output[i, t]), float(found.baseline_output[i, t])
    why, remedy = "is itself predicted as the target", REMEDY
    if not bool(before[i, t]):
        why = "has nearly as high an output, or a higher one,"
        remedy = f"explain output='log_prob' or 'margin', which compare the classes, or {REMEDY}"
    return (
        f"the baseline {why} for {many_rows(rows, len(moves))}: for {one_row(i)} "
        f"p = {float(q[i, t]):.2f} and F(x') = {ends[1]:.4g} at the baseline, p = {float(p[i, t]):.2f} and "
        f"F(x) = {ends[0]:.4g} at the input. Attributions tell what makes up F(x) - F(x'), and "
        f"so not why it is this class: {remedy}"
    )


def _rows(flags: Tensor) -> list[int]:
    rows: list[int] = flags.nonzero().flatten().tolist()
    return rows

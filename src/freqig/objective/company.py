"""Decides whether the output for a point depends on its company in the batch, or on rounding alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..rows import one_row
from .chance import of_chance
from .rounding import LARGEST, apart, differences, distance, rounding_of

Evaluate = Callable[[Tensor, Tensor], Tensor]
"""From P points and the samples they belong to, to outputs, shape (P, *axes)."""

EXAMINED = 4
"""How many suspects are examined; one that is guilty will do."""

ULPS, PERTURBED = 4, 4
SENSITIVITY = 8.0
"""Rounding inside the model may be this many times as large as what ULPS of its input make of the output."""


@dataclass(frozen=True)
class Company:
    """A batch that the model was called with.

    Parameters
    ----------
    points : torch.Tensor
        Shape (P, *shape).
    rows : torch.Tensor
        Samples they belong to, int64, shape (P,).
    outputs : torch.Tensor
        What the model returned, shape (P, *axes).
    """

    points: Tensor
    rows: Tensor
    outputs: Tensor

    @classmethod
    def of(cls, evaluate: Evaluate, points: Tensor, rows: Tensor) -> Company:
        """Call the model with a batch."""
        return cls(points, rows, evaluate(points, rows))


def find_dependent(
    evaluate: Evaluate, one: Company, places: Tensor, other: Company, others: Tensor
) -> tuple[int, float] | None:
    """Find a point whose output differs between two companies by more than rounding can explain.

    Points that differ by little are left alone. Of the others the suspects that differ most are
    called once more in a batch of the same size, in the same place, with copies of the point for company.
    A kernel adds in the order that the size of the batch asks for, so outputs that change with what
    the neighbours are, at one size, are no matter of rounding. What changes with size or place only is
    compared with what a few ulps of the input change.

    Parameters
    ----------
    evaluate : callable
        The model.
    one, other : Company
        Two batches that have points in common.
    places, others : torch.Tensor
        Where the common points are in `one` and in `other`, int64, shape (Q,).

    Returns
    -------
    tuple of int and float, or None
        Which of the Q points, and by how much its output changes.

    Raises
    ------
    ValueError
        If outputs have another shape in another batch, or change without another batch.
    """
    check_shapes(one.outputs, other.outputs)
    a, b = one.outputs[places], other.outputs[others]
    differ = apart(a, b)
    if not bool(differ.any()):
        return None
    suspects = differ.nonzero().flatten()
    again = evaluate(other.points, other.rows)
    if apart(again, other.outputs).any():
        raise ValueError(
            "model must give the same output for the same input, but two calls with one batch differ by "
            f"{distance(again, other.outputs):.3g}: {of_chance(', or counts its calls')}"
        )
    change = differences(a, b).flatten(1).amax(1)
    for i in suspects[change[suspects].argsort(descending=True)][:EXAMINED].tolist():
        place, its_place = int(places[i]), int(others[i])
        by_itself = [_by_itself(evaluate, one, place), _by_itself(evaluate, other, its_place)]
        point, row = one.points[place], one.rows[place]
        sensitivity = SENSITIVITY * _sensitivity(evaluate, point, row)
        for mixed, pure in zip((a[i], b[i]), by_itself, strict=True):
            if _exceeds(mixed, pure, sensitivity, float(pure.abs().nan_to_num().max()), 0.25):
                return i, distance(mixed, pure)
        # Rounding may be that of the largest term, which cancels in this point's own output: of a bias and
        # what it offsets, for one. Outputs of others tell of its size, and their median not of a loud few.
        sizes = one.outputs.detach().flatten(1).double().abs().nan_to_num().amax(1)
        scale = max(float(torch.stack([a, b]).double().abs().nan_to_num().max()), float(sizes.median()))
        if _exceeds(by_itself[0], by_itself[1], 4 * sensitivity, scale, 1.0):
            return i, distance(*by_itself)
    return None


def compare(evaluate: Evaluate, together: Company, places: Tensor, offset: int = 0) -> None:
    """Call some points of a batch again without the others.

    Parameters
    ----------
    evaluate : callable
        The model.
    together : Company
        The batch.
    places : torch.Tensor
        Where these points are in it, int64, shape (Q,).
    offset : int, default 0
        Number of the first sample.

    Raises
    ------
    ValueError
        If an output changes by more than rounding.
    """
    if len(places) == 0:
        return
    other = Company.of(evaluate, together.points[places], together.rows[places])
    found = find_dependent(evaluate, together, places, other, torch.arange(len(places), device=places.device))
    if found is not None:
        which, change = found
        sample = offset + int(together.rows[places[which]])
        raise ValueError(
            f"model must treat the series of a batch independently, but the output for {one_row(sample)} "
            f"changes by {change:.3g} with the others in its batch (BatchNorm in train mode, a "
            "standardisation over the batch, a clamp at the largest value of the batch, a branch on it). "
            "Mend the model, or pass batch_independent=False to Explainer, which runs one point per call"
        )


def check_shapes(a: Tensor, b: Tensor) -> None:
    """ValueError where outputs for two batches have another shape beyond the batch axis."""
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(
            "the model must return outputs of one shape whatever the batch, got shape "
            f"{tuple(a.shape)} for {len(a)} series and {tuple(b.shape)} for {len(b)}: a series must not be "
            "compared with others of its batch, nor padded to the longest of them"
        )


def _by_itself(evaluate: Evaluate, company: Company, place: int) -> Tensor:
    """Output for a point in a batch of that size that holds nothing else."""
    size = len(company.points)
    copies = company.points[place].expand(size, *company.points.shape[1:])
    outputs = evaluate(copies, company.rows[place].expand(size))
    check_shapes(company.outputs, outputs)
    return outputs[place]


def _sensitivity(evaluate: Evaluate, point: Tensor, row: Tensor) -> float:
    """Largest change of the output through changes of the input by its own rounding."""
    generator, changes = torch.Generator().manual_seed(0), [0.0]
    lone = row.reshape(1)
    here = evaluate(point.unsqueeze(0), lone)
    for _ in range(PERTURBED):
        signs = torch.randint(0, 2, point.shape, generator=generator).to(point) * 2 - 1
        moved = point * (1 + ULPS * torch.finfo(point.dtype).eps * signs)
        # Alone each, for a model may treat the second point of a batch otherwise than the first.
        changes.append(float((evaluate(moved.unsqueeze(0), lone) - here).double().abs().nan_to_num().max()))
    return max(changes)


def _exceeds(a: Tensor, b: Tensor, sensitivity: float, scale: float, allowed: float) -> bool:
    return distance(a, b) > max(sensitivity, min(allowed * rounding_of(a), LARGEST) * max(scale, 1e-30))

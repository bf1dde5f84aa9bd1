"""Looks whether a model stays independent of the batch, and of chance, while it is integrated."""

from __future__ import annotations

import torch
from torch import Tensor

from .chance import Generators, of_chance
from .company import Company, compare
from .objective import Objective
from .rounding import apart, distance


class Witness:
    """Looks into chunks of the path while it is integrated: the first, second, fourth, eighth, …."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, objective: Objective, points: Tensor, rows: Tensor, values: Tensor) -> None:
        """Recompute some points of a chunk alone.

        Parameters
        ----------
        objective : Objective
            Explained scalars.
        points, rows : torch.Tensor
            The chunk.
        values : torch.Tensor
            Explained scalars that were found for it, shape (P, T).

        Raises
        ------
        ValueError
            If one differs alone, or gradients from call to call.
        """
        self.seen += 1
        if self.seen & (self.seen - 1):
            return
        loudness = points.flatten(1).abs().amax(1)
        # The loudest are near the inputs, which were compared in advance. Of short paths one will do.
        chosen = {int(loudness.argmin()), *([self.seen * 7919 % len(points)] if self.seen > 1 else [])}
        places = torch.tensor(sorted(chosen), device=points.device)
        generators = Generators() if self.seen == 1 else None
        together = Company(points.detach(), rows, values.detach())
        if objective.alone or len(points) == 1:
            _check_again(objective, together)
        else:
            for place in torch.split(places, 1):
                _compare_alone(objective, together, place)
        if generators is not None and generators.moved():
            _check_gradients(objective, points[places], rows[places])


def _compare_alone(objective: Objective, together: Company, place: Tensor) -> None:
    """Suspect by the explained scalar, which is at hand, and convict by what the model returns.

    log p of a sure class is rounding of logits that cancel: next to zero, and as large as itself.
    """
    points, rows = together.points, together.rows
    if not apart(objective.value_in_dtype(points[place], rows[place]), together.outputs[place]).any():
        return
    outputs = Company.of(objective.raw, points, rows)
    compare(objective.raw, outputs, place, objective.offset)
    _check_passes(objective, together, outputs.outputs)


def _check_again(objective: Objective, lone: Company) -> None:
    if not apart(objective.value_in_dtype(lone.points, lone.rows), lone.outputs).any():
        return
    once, twice = (objective.raw(lone.points, lone.rows) for _ in range(2))
    if apart(once, twice).any():
        raise ValueError(
            "model must give the same output for the same input, but two calls with one point of the "
            f"path differ by {distance(once, twice):.3g}: {of_chance(', or counts its calls')}"
        )
    _check_passes(objective, lone, once)


def _check_passes(objective: Objective, found: Company, raw: Tensor) -> None:
    """Hold scalars that were found with gradients against those of a call without.

    Parameters
    ----------
    objective : Objective
        Explained scalars.
    found : Company
        A chunk, with scalars that were found along with gradients.
    raw : torch.Tensor
        What the model returns for it without, shape (P, *axes).
    """
    plain = objective.value_in_dtype(found.points, found.rows)
    # Beside the outputs that they come from, so that rounding is measured against these.
    beside = raw.detach().flatten(1).to(plain.dtype)
    if apart(torch.cat([plain, beside], 1), torch.cat([found.outputs, beside], 1)).any():
        raise ValueError(
            "model must give the same output whether gradients are taken or not, but the two differ by "
            f"{distance(plain, found.outputs):.3g} on the path: {of_chance(', or asks for the grad mode')}"
        )


def _check_gradients(objective: Objective, points: Tensor, rows: Tensor) -> None:
    """Take gradients twice, of a model that draws numbers though its outputs do not change.

    Such are straight-through estimators with noise. Only what draws numbers is asked, since a gradient is
    the dearest thing to ask for.
    """
    if objective.alone:
        points, rows = points[:1], rows[:1]
    once, twice = (objective.value_and_gradient(points, rows)[1] for _ in range(2))
    if apart(once, twice).any():
        raise ValueError(
            "model must give the same gradient for the same input, but two calls with one batch differ by "
            f"{distance(once, twice):.3g}: {of_chance()}"
        )

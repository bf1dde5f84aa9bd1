"""Refuses models whose answer for one series depends on its neighbours, or on chance."""

from __future__ import annotations

import torch
from torch import Tensor

from .objective import Objective
from .rounding import differ, distance


def check_independence(objective: Objective, x: Tensor, baseline: Tensor) -> None:
    """Evaluate two points alone and in company, twice over, and compare.

    Explanations put points of several samples and nodes into one batch. Where the model mixes
    the rows of a batch, or draws random numbers, they would depend on the chunk size.

    Parameters
    ----------
    objective : Objective
        The model with its arguments.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape).

    Raises
    ------
    ValueError
        If the outputs differ beyond rounding.
    """
    # A sample that is its own baseline, such as padding with zeros, would be company to itself.
    moving = (i for i in range(len(x) - 1, -1, -1) if not torch.equal(x[i], baseline[i]))
    last = next(moving, len(x) - 1)
    rows = torch.tensor([0, last, 0], device=x.device)
    middle = baseline[last] + 0.5 * (x[last] - baseline[last])
    company = torch.stack([x[0], middle, baseline[0]])
    first = _alone(objective, company[:2], rows[:2])
    again = _alone(objective, company[:2], rows[:2])
    if differ(first, again):
        raise ValueError(
            "model must give the same output for the same input, but two calls with one series "
            f"differ by {distance(first, again):.3g}: it depends on chance. Switch dropout and "
            "other noise off (a network that hides behind a callable is not found and stays in "
            "the mode it is in), or seed the noise inside the model; batch_independent=False does "
            "not help here"
        )
    if objective.alone:
        return
    try:
        mixed = objective.raw(company, rows)[:2]
    except torch.OutOfMemoryError:
        company, rows = company[:2], rows[:2]
        mixed = objective.raw(company, rows)
    if differ(objective.raw(company, rows)[:2], mixed):
        raise ValueError(
            "model must give the same output for the same input, but two calls with one batch "
            "differ: it depends on chance, or counts its calls. Make it deterministic"
        )
    if differ(first, mixed):
        raise ValueError(
            "model must treat the series of a batch independently, but the output for one series "
            f"changes by {distance(first, mixed):.3g} with the others in its batch (BatchNorm in "
            "train mode, a standardisation over the batch axis). Mend the model, or pass "
            "batch_independent=False to Explainer, which runs one point a call"
        )


def _alone(objective: Objective, points: Tensor, rows: Tensor) -> Tensor:
    # raw() hands a lone point over as a pair of equals, which a model that mixes its batch sees
    # as other company than the mixed batch.
    return torch.cat([objective.raw(points[i : i + 1], rows[i : i + 1]) for i in range(len(points))])

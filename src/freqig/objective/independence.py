"""Refuses models whose answer for one series depends on its neighbours in the batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..chunks import Chunks
from .chance import NEAR, Generators, moving, of_chance
from .company import Company, Evaluate, find_dependent
from .objective import Objective
from .rounding import apart, distance

PLACES = (0.5, 0.125, NEAR, 0.0)
"""Where on the path points are compared, beside the input."""

ALONE = 32
"""Samples of which each is called alone; of more, about as many: the loudest, the quietest, and some."""

RUN = 16
"""Samples of like loudness that are called together, where there are too many to call each alone."""


def check_independence(
    objective: Objective, x: Tensor, baseline: Tensor, outputs: Tensor, chunks: Chunks
) -> None:
    """Compare outputs in the company of a batch with outputs alone, or in other company.

    Explanations put points of several samples and nodes into one batch. Where the model mixes
    the rows of a batch, they would depend on the chunk size.

    Parameters
    ----------
    objective : Objective
        The model with its arguments.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape).
    outputs : torch.Tensor
        Raw outputs at the input, in chunks, shape (S, *axes).
    chunks : Chunks
        Points a call, as at the input.

    Raises
    ------
    ValueError
        If an output depends on the company by more than rounding.
    """
    if objective.alone:
        return
    _check_places(objective, x, baseline, max(2, chunks.size))
    for part in chunks.split(len(x)):
        points, rows = x[part], torch.arange(part.start, part.stop, device=x.device)
        together = Company(points, rows, outputs[part])
        for places in _regrouped(points, max(4, ALONE * len(points) // len(x))):
            _compare(objective.raw, together, places)


def _check_places(objective: Objective, x: Tensor, baseline: Tensor, most: int) -> None:
    """Points from all over the paths beside a loud one, then those near the baseline without the others."""
    few = _spread(len(x), RUN, x.device)
    few = torch.unique(torch.cat([few, torch.tensor([moving(x, baseline)], device=x.device)]))
    # Of few samples every place, of many one place each.
    number = torch.arange(len(few) if len(few) >= len(PLACES) else len(few) * len(PLACES), device=x.device)
    turn = (number % len(few) + number // len(few)) % len(PLACES)
    rows = few[number % len(few)]
    steps = torch.tensor(PLACES, device=x.device).to(x.dtype)[turn].reshape(-1, *(1,) * (x.ndim - 1))
    points = baseline[rows] + steps * (x[rows] - baseline[rows])
    loud = few[x[few].flatten(1).abs().amax(1).argmax()].reshape(1)
    begin, size = 0, most - 1
    while begin < len(rows):
        part = slice(begin, begin + size)
        all_rows = torch.cat([loud, rows[part]])
        try:
            together = Company.of(objective.raw, torch.cat([x[loud], points[part]]), all_rows)
        except (torch.OutOfMemoryError, MemoryError):
            if size == 1:
                raise
            size = 1
            continue
        # The last two places lie so close that they keep each other company.
        turns = torch.cat([turn.new_zeros(1), turn[part]])
        for group in (turns == 0, turns == 1, turns > 1):
            _compare(objective.raw, together, group.nonzero().flatten())
        begin += size


def _compare(evaluate: Evaluate, together: Company, places: Tensor, offset: int = 0) -> None:
    """Call some points of a batch again without the others."""
    if len(places) == 0:
        return
    other = Company.of(evaluate, together.points[places], together.rows[places])
    found = find_dependent(evaluate, together, places, other, torch.arange(len(places), device=places.device))
    if found is not None:
        which, change = found
        sample = offset + int(together.rows[places[which]])
        raise ValueError(
            f"model must treat the series of a batch independently, but the output for sample {sample} "
            f"changes by {change:.3g} with the others in its batch (BatchNorm in train mode, a "
            "standardisation over the batch, a clamp at the largest value of the batch, a branch on it). "
            "Mend the model, or pass batch_independent=False to Explainer, which runs one point a call"
        )


def _regrouped(points: Tensor, count: int) -> Iterator[Tensor]:
    """Other companies for the points of a batch, as places in it.

    Each alone where they are no more than `count`. Otherwise neighbours are parted, those of like
    loudness come together, which keeps quiet from loud, and `count` are called alone.
    """
    n = len(points)
    every = torch.arange(n, device=points.device)
    if n == 1:
        return
    alone = every
    if n > count:
        loudness = points.flatten(1).abs().amax(1).argsort()
        yield from (every[::2], every[1::2])
        yield from torch.split(loudness, RUN)
        few = count // 4
        alone = torch.cat([loudness[:few], loudness[-few:], _spread(n, 2 * few, every.device)])
    yield from torch.split(torch.unique(alone), 1)


def _spread(n: int, count: int, device: torch.device) -> Tensor:
    """At most `count` numbers below n, evenly spread, both ends included."""
    numbers: Tensor = torch.unique(torch.linspace(0, n - 1, min(n, count), device=device).round().long())
    return numbers


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
        # The loudest are near the inputs, which were compared in advance.
        chosen = {int(loudness.argmin()), self.seen * 7919 % len(points)}
        places = torch.tensor(sorted(chosen), device=points.device)
        generators = Generators()
        together = Company(points.detach(), rows, values.detach())
        if objective.alone or len(points) == 1:
            _check_again(objective, together)
        else:
            for place in torch.split(places, 1):
                _compare(objective.value_in_dtype, together, place, objective.offset)
        if self.seen == 1 and generators.moved():
            _check_gradients(objective, points[places], rows[places])


def _check_again(objective: Objective, lone: Company) -> None:
    again = objective.value_in_dtype(lone.points, lone.rows)
    if apart(again, lone.outputs).any():
        raise ValueError(
            "model must give the same output for the same input, but two calls with one point of the "
            f"path differ by {distance(again, lone.outputs):.3g}: {of_chance(', or counts its calls')}"
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

"""Refuses models whose answer for one series depends on its neighbours in the batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..chunks import Chunks
from .chance import CHANGES, NEAR, check_repeatable, moving, of_chance
from .company import Company, check_shapes, compare
from .failures import at_the_baseline
from .objective import Objective
from .rounding import apart, distance

PLACES = (0.5, 0.125, NEAR, 0.0)
"""Where on the path points are compared, beside the input."""

ALONE = 32
"""Samples of which each is called alone; of more, about as many: the loudest, the quietest, and some."""

FEW = 64
"""Points that are examined in one call, inputs and places together."""

RUN = 16
"""Samples of like loudness that are called together, where they are not called alone."""


@dataclass(frozen=True)
class Examined:
    """Outputs that the checks of a model found on their way.

    Parameters
    ----------
    raw : torch.Tensor
        Raw outputs at the input, shape (N, *axes).
    places : torch.Tensor
        Raw outputs elsewhere on the paths, shape (M, *axes).
    at_baseline : torch.Tensor or None
        Raw output at the baseline, shape (*axes), where it is one for all samples.
    """

    raw: Tensor
    places: Tensor
    at_baseline: Tensor | None


def examine(objective: Objective, x: Tensor, baseline: Tensor, chunks: Chunks) -> Examined:
    """Outputs at the input, of a model whose answer depends neither on chance nor on other series.

    Explanations put points of several samples and nodes into one batch. Where the model mixes
    the rows of a batch, they would depend on the chunk size. So outputs in the company of a batch are
    compared with outputs alone, or in other company. What is found to differ is looked at more closely,
    since a model that keeps a state, or depends on chance, differs as well.

    Parameters
    ----------
    objective : Objective
        The model with its arguments.
    x, baseline : torch.Tensor
        Ends of the paths, shape (N, *shape).
    chunks : Chunks
        Points per call.

    Raises
    ------
    ValueError
        If an output depends on the company, or on the number of the call, by more than rounding.
    """
    if objective.alone:
        chunks.run(1, lambda _: check_repeatable(objective, x, baseline))
        points = torch.stack([baseline[0], baseline[0] + 0.5 * (x[0] - baseline[0])])
        rows = torch.zeros(2, dtype=torch.int64, device=x.device)
        return Examined(raw_outputs(objective, x, chunks), _one_by_one(objective, points, rows), None)
    places = _Places.of(x, baseline)
    together = _together(objective, x, baseline, places, chunks)
    try:
        if together is not None:
            with suppress(torch.OutOfMemoryError, MemoryError):
                return _examine_few(objective, x, baseline, places, together)
        return _examine_many(objective, x, baseline, places, chunks)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception:
        # Chance, and a state that grows with the calls or has the size of the last batch, look like this too.
        check_repeatable(objective, x, baseline)
        if together is not None:
            again = objective.raw(together.points, together.rows)
            if apart(again, together.outputs).any():
                change = distance(again, together.outputs)
                raise ValueError(CHANGES.format(change) + of_chance(", or counts its calls")) from None
        raise


def examine_first(objective: Objective, x: Tensor, baseline: Tensor, chunks: Chunks, count: int) -> Examined:
    """Examine a model on the first samples alone, with the outputs of all."""
    seen = examine(objective, x[:count], baseline[:count], chunks)
    if len(x) <= count:
        return seen
    return replace(seen, raw=torch.cat([seen.raw, raw_outputs(objective, x[count:], chunks, count)]))


def unexamined(objective: Objective, x: Tensor, chunks: Chunks) -> Examined:
    """The outputs alone, of a model that was examined on these series before."""
    outputs = raw_outputs(objective, x, chunks)
    return Examined(outputs, outputs[:0], None)


@dataclass(frozen=True)
class _Places:
    """Points from all over the paths, of few samples.

    Parameters
    ----------
    points : torch.Tensor
        Shape (M, *shape).
    rows : torch.Tensor
        Sample of each, int64, shape (M,).
    turn : list of int
        Which of `PLACES` each lies at, M of them.
    """

    points: Tensor
    rows: Tensor
    turn: list[int]

    @classmethod
    def of(cls, x: Tensor, baseline: Tensor) -> _Places:
        few = sorted({*_spread(len(x), RUN, x.device).tolist(), moving(x, baseline)})
        # Of few samples every place, of many one place each.
        count = len(few) if len(few) >= len(PLACES) else len(few) * len(PLACES)
        turn = [(i % len(few) + i // len(few)) % len(PLACES) for i in range(count)]
        rows = torch.tensor([few[i % len(few)] for i in range(count)], device=x.device)
        steps = torch.tensor([PLACES[k] for k in turn], dtype=x.dtype, device=x.device)
        steps = steps.reshape(-1, *(1,) * (x.ndim - 1))
        return cls(baseline[rows] + steps * (x[rows] - baseline[rows]), rows, turn)

    def groups(self) -> Iterator[Tensor]:
        """Which of them are called without the others."""
        # The last two places lie so close that they keep each other company.
        for close in ((0,), (1,), (2, 3)):
            group = [i for i, k in enumerate(self.turn) if k in close]
            yield torch.tensor(group, dtype=torch.int64, device=self.rows.device)


def _together(
    objective: Objective, x: Tensor, baseline: Tensor, places: _Places, chunks: Chunks
) -> Company | None:
    """Inputs and places in one call, which is all that few samples need; None where they are many."""
    if len(x) + len(places.rows) > min(chunks.size, FEW):
        return None
    points = torch.cat([x, places.points])
    rows = torch.cat([torch.arange(len(x), device=x.device), places.rows])
    try:
        return Company.of(objective.raw, points, rows)
    except (torch.OutOfMemoryError, MemoryError):
        return None
    except Exception:
        # A state may have the size of an earlier batch; else the error at the baseline says so.
        check_repeatable(objective, x, baseline)
        raise


def _examine_few(
    objective: Objective, x: Tensor, baseline: Tensor, places: _Places, together: Company
) -> Examined:
    """Few samples: what a loud or a quiet point changes for the others of a batch, its absence shows.

    The loudest is called alone, and so meets none that is quieter; those from one place of the paths meet
    none that is louder.
    """
    n = len(x)
    loudness = x.flatten(1).abs().amax(1).argsort(descending=True)
    for group in (loudness[:1], *torch.split(loudness[1:], RUN), *(n + group for group in places.groups())):
        compare(objective.raw, together, group)
    at_baseline = None
    last = len(PLACES) - 1
    if last in places.turn and not any(objective.extra.follows) and _is_one(baseline):
        at_baseline = together.outputs[n + places.turn.index(last)]
    return Examined(together.outputs[:n], together.outputs[n:], at_baseline)


def _examine_many(
    objective: Objective, x: Tensor, baseline: Tensor, places: _Places, chunks: Chunks
) -> Examined:
    # One call of two points, the fewest there are: what does not fit is told as for any chunk.
    chunks.run(1, lambda _: check_repeatable(objective, x, baseline))
    outputs = raw_outputs(objective, x, chunks)
    found = _beside_a_loud_one(objective, x, places, max(2, chunks.size))
    for part in chunks.split(len(x)):
        points, rows = x[part], torch.arange(part.start, part.stop, device=x.device)
        together = Company(points, rows, outputs[part])
        for alone in _regrouped(points, max(4, ALONE * len(points) // len(x))):
            compare(objective.raw, together, alone)
    return Examined(outputs, found, None)


def _beside_a_loud_one(objective: Objective, x: Tensor, places: _Places, most: int) -> Tensor:
    """Raw outputs at places beside the loudest of their samples, compared with those without it."""
    loud = places.rows[x[places.rows].flatten(1).abs().amax(1).argmax()].reshape(1)
    found = list[Tensor]()
    begin, size = 0, most - 1
    while begin < len(places.rows):
        part = slice(begin, begin + size)
        rows = torch.cat([loud, places.rows[part]])
        try:
            together = Company.of(objective.raw, torch.cat([x[loud], places.points[part]]), rows)
        except (torch.OutOfMemoryError, MemoryError):
            if size == 1:
                raise
            size = 1
            continue
        for group in _Places(places.points[part], places.rows[part], places.turn[part]).groups():
            compare(objective.raw, together, 1 + group)
        found.append(together.outputs[1:])
        begin += size
    return torch.cat(found)


def raw_outputs(objective: Objective, points: Tensor, chunks: Chunks, first: int = 0) -> Tensor:
    """Raw outputs, shape (N, *axes), at one point per sample, of which the first has this number."""
    parts: list[Tensor] = []

    def evaluate(part: slice) -> None:
        rows = torch.arange(first + part.start, first + part.stop, device=points.device)
        parts.append(objective.raw(points[part], rows))
        check_shapes(parts[0], parts[-1])

    chunks.run(len(points), evaluate)
    return torch.cat(parts)


def raw_at_baseline(objective: Objective, baseline: Tensor, known: Tensor | None, chunks: Chunks) -> Tensor:
    """Raw outputs at the baselines of N samples, shape (N, *axes).

    Parameters
    ----------
    objective : Objective
        The model with its arguments.
    baseline : torch.Tensor
        Shape (N, *shape).
    known : torch.Tensor or None
        The output, shape (*axes), where one baseline serves all and has been asked.
    chunks : Chunks
        Points per call.
    """
    with at_the_baseline():
        if known is None and (any(objective.extra.follows) or not _is_one(baseline)):
            return raw_outputs(objective, baseline, chunks)
        if known is None:
            # One baseline for all, such as silence, is asked once.
            first = torch.zeros(1, dtype=torch.int64, device=baseline.device)
            known = objective.raw(baseline[:1], first)[0]
    return known.expand(len(baseline), *known.shape)


def _is_one(baseline: Tensor) -> bool:
    """Whether all samples have the same baseline."""
    return baseline.stride(0) == 0 or bool((baseline == baseline[:1]).all())


def _one_by_one(objective: Objective, points: Tensor, rows: Tensor) -> Tensor:
    return torch.cat([objective.raw(points[i : i + 1], rows[i : i + 1]) for i in range(len(points))])


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
    if n <= count:
        return torch.arange(n, device=device)
    numbers: Tensor = torch.unique(torch.linspace(0, n - 1, min(n, count), device=device).round().long())
    return numbers

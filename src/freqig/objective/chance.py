"""Refuses models that answer one input differently from call to call, and tells chance from a state."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..models.torch.draws import same_state
from .failures import at_the_baseline
from .objective import Objective
from .rounding import apart, distance

NEAR = 2.0**-7
"""Where on the path the baseline is near."""

REPEATS = 8

CHANGES = (
    "model must give the same output for the same input, but two calls with one series differ by {:.3g}: "
)
"""How errors begin."""

Call = tuple[Tensor, Tensor]
"""Points of one call, and the samples they belong to."""


def check_repeatable(objective: Objective, x: Tensor, baseline: Tensor) -> None:
    """Call the model twice with the same points, and with others in between.

    The points lie at the input, half-way, near the baseline and at the baseline, since noise may be
    hidden where the model saturates. Every call has two points, or one where points go alone: a model
    that keeps a state of its batch would fail with other sizes before it can be told so.

    Parameters
    ----------
    objective : Objective
        The model with its arguments.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape).

    Raises
    ------
    ValueError
        If an output changes by more than rounding.
    """
    last = moving(x, baseline)
    delta = x[last] - baseline[last]
    rows = torch.tensor([0, last], device=x.device)
    calls = [
        (torch.stack([x[0], baseline[last] + 0.5 * delta]), rows),
        (torch.stack([baseline[0], baseline[last] + NEAR * delta]), rows),
    ]
    first = [_outputs(objective, *calls[0])]
    try:
        first.append(_outputs(objective, *calls[1]))
    except Exception:
        with at_the_baseline():
            objective.raw(baseline[:1], rows[:1])
        raise
    # In the other order: the one is repeated at once, the other after another, and a toggle shows.
    for call, outputs in reversed(list(zip(calls, first, strict=True))):
        again = _outputs(objective, *call, backwards=True)
        if apart(outputs, again).any():
            raise ValueError(_diagnosis(objective, call, calls, distance(outputs, again)))


def moving(x: Tensor, baseline: Tensor) -> int:
    """Last sample that is not its own baseline, such as padding with zeros would be."""
    return next((i for i in range(len(x) - 1, -1, -1) if not torch.equal(x[i], baseline[i])), len(x) - 1)


def _outputs(objective: Objective, points: Tensor, rows: Tensor, backwards: bool = False) -> Tensor:
    """Raw outputs of one call, or of a call for each point where they go alone, `backwards` last first."""
    if not objective.alone:
        return objective.raw(points, rows)
    turns = range(len(points))
    found = {
        i: objective.raw(points[i : i + 1], rows[i : i + 1]) for i in (turns[::-1] if backwards else turns)
    }
    return torch.cat([found[i] for i in turns])


def _diagnosis(objective: Objective, changed: Call, calls: Sequence[Call], change: float) -> str:
    begin = CHANGES.format(change)

    def call() -> Tensor:
        return _outputs(objective, *changed)

    generators, before = Generators(), call()
    points, rows = next(other for other in calls if other is not changed)
    same = True
    # After a call that was another, after one that was the same, and after one more than that.
    for between in (points, points[:0], points[:1]):
        if len(between):
            _outputs(objective, between, rows[: len(between)])
        generators.set_back()
        same = same and not bool(apart(before, call()).any())
    generators.set_back()
    same = same and not bool(apart(before, _outputs(objective, *changed, backwards=True)).any())
    generators.set_back()
    if not same and keeps_a_state([call() for _ in range(REPEATS)]):
        return begin + of_state()
    return begin + of_chance("" if same else ", or counts its calls")


def of_state() -> str:
    """How errors say that a model remembers, and the remedy."""
    return (
        "it keeps a state from one call to the next (a recurrent layer that is stateful, a running "
        "average, a count of calls). Wrap it so that every call starts anew: lambda x: "
        "(model.reset_states(), model(x))[1], with the method or the assignment that clears the state of "
        "your model; batch_independent=False does not help here"
    )


def of_chance(more: str = "") -> str:
    """How errors say what makes the outputs change, and the remedy."""
    return (
        f"it depends on chance{more}. Switch dropout and other noise off "
        "(a network that hides behind a callable is not found and stays in the mode it is in), or seed "
        "the noise inside the model; batch_independent=False does not help here"
    )


def keeps_a_state(outputs: Sequence[Tensor]) -> bool:
    """Whether outputs of one call after the other, for the same input, follow a rule.

    A count makes them rise or fall, a memory that fades makes them settle, and a toggle makes them
    alternate. Of eight random numbers one series in 20,000 is monotone, and one in 5,000 has steps that
    shrink each time.

    Examples
    --------
    >>> keeps_a_state([torch.tensor([0.5**k]) for k in range(8)])
    True
    >>> keeps_a_state(list(torch.tensor([0.3, 0.9, 0.1, 0.4, 0.8, 0.2, 0.9, 0.5]).unsqueeze(1)))
    False
    """
    series = torch.stack(list(outputs)).double().flatten(1)
    moved = (series - series[0]).abs().amax(0)
    if not bool(torch.isfinite(series).all()):
        return False
    steps = series[:, moved.argmax()].diff()
    sizes = (series[1:] - series[:-1]).norm(dim=1)
    monotone = bool((steps > 0).all() or (steps < 0).all())
    shrinks = bool((sizes[1:] <= 0.999 * sizes[:-1]).all())
    settles = shrinks or bool((sizes[-3:] < 1e-2 * sizes.max()).all())
    alternates = bool(torch.equal(series[2:], series[:-2])) and bool((sizes > 0).all())
    return monotone or settles or alternates


class Generators:
    """The generators of random numbers that every library shares, as they were."""

    def __init__(self) -> None:
        self.torch, self.python = torch.get_rng_state(), random.getstate()
        self.numpy = np.random.get_state()  # noqa: NPY002 - what a model draws from, not freqig
        self.cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []

    def moved(self) -> bool:
        """Whether anything has drawn numbers since."""
        numpy = np.random.get_state()  # noqa: NPY002
        cuda = torch.cuda.get_rng_state_all() if self.cuda else []
        return (
            not torch.equal(self.torch, torch.get_rng_state())
            or not same_state(self.python, random.getstate())
            or not same_state(self.numpy, numpy)
            or not all(map(same_state, self.cuda, cuda))
        )

    def set_back(self) -> None:
        torch.set_rng_state(self.torch)
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)

"""Says which arrangement of the axes a model would take, where it fails on that of the caller."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from ..models import Model
from ..objective.arguments import Extra
from ..objective.objective import Objective
from .call import Question
from .settings import Settings

Arrangement = tuple[str, str, Callable[[Tensor], Tensor]]
"""How it is written, what it means, and the change itself."""


def refuse_axes(model: Model, settings: Settings, question: Question, error: Exception) -> None:
    """Raise where the model fails on signals, but takes them with their axes arranged in another way.

    Parameters
    ----------
    model : Model
        The adapter.
    settings : Settings
        How it is asked.
    question : Question
        What it is asked.
    error : Exception
        That of the model, which becomes the cause.

    Raises
    ------
    ValueError
        With every arrangement that the model takes. Nothing is raised where there is none, or where
        it is not the axes that the model fails on.
    """
    x = question.signal.values.movedim(-1, settings.time_axis)
    with model.session() as running:
        extra = Extra.of(question.arguments, len(x), running.device, running.sample_axis)
        # Points come in the caller's layout here, so that none of their axes moves.
        objective = Objective(running, "logit", None, extra, settings.output_key)
        if _takes(objective, x, len(x)):
            return
        tried = ((how, what, change(x)) for how, what, change in _arrangements(x))
        fits = [
            (how, tuple(other.shape), what) for how, what, other in tried if _takes(objective, other, len(x))
        ]
    if fits:
        offers = "; or ".join(f"{how}, of shape {shape}, if {what}" for how, shape, what in fits)
        raise ValueError(
            f"x must have the axes of the model, which fails on shape {tuple(x.shape)} but takes {offers}"
        ) from error


def _takes(objective: Objective, x: Tensor, n_samples: int) -> bool:
    """Whether the model gives one row per sample."""
    few = torch.tensor([0, len(x) - 1])
    points = x[few].to(objective.model.device, objective.model.dtype)
    rows = few.clamp(max=n_samples - 1).to(points.device)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            objective.raw(points, rows)
    except Exception:  # noqa: BLE001 - whatever a model raises, it does not take them
        return False
    return True


def _arrangements(x: Tensor) -> Iterator[Arrangement]:
    """Axes that are often swapped, missing or one too many."""
    if x.ndim == 2:
        yield "x[None]", "it is one series with its channels first", lambda x: x[None]
        yield "x.T[None]", "it is one series with its channels last", lambda x: x.T[None]
        yield "x[:, None]", "its series have one channel", lambda x: x[:, None]
        yield "x[..., None] and time_axis=1", "its series have one channel", lambda x: x[..., None]
        yield "x[:, None, None]", "its series have one channel", lambda x: x[:, None, None]
    if x.ndim == 3:
        yield "x.swapaxes(1, 2)", "time and channels change places", lambda x: x.mT
        yield "x[:, None]", "the model takes channels for the rows of an image", lambda x: x[:, None]
        yield "x[..., None] and time_axis=-2", "the model wants a last axis", lambda x: x[..., None]
        yield "x.swapaxes(1, 2)[:, None]", "time and channels change places", lambda x: x.mT[:, None]
        yield "x[None]", "it is one sample", lambda x: x[None]
    for axis in range(1, x.ndim):
        if x.ndim > 2 and x.shape[axis] == 1:
            index = ", ".join([":"] * axis + ["0"])
            yield f"x[{index}]", "this axis is one too many", partial(torch.squeeze, dim=axis)

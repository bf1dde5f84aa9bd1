"""Decides in which layout a model takes series: (batch, n), (batch, 1, n) or (batch, k, n)."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
from torch import Tensor

from .errors import add_context
from .explain.explainer import Explainer
from .objective.arguments import Extra
from .objective.objective import Objective
from .objective.rounding import differ

# Distinct points of the path; two and three of them, since no layer takes both counts for the
# channels of one unbatched series.
NODES = (1.0, 1 / 3, 2 / 3)
# The three come in another order than the two: the first two have other points before them as well
# as after them, which a recurrent layer that takes the batch for a sequence notices.
ORDER = (1, 2, 0)


def choose_layout(explainer: Explainer, x: Tensor, baseline: Tensor, arguments: Any) -> tuple[int, ...]:
    """Shape of the axes between batch and time that the model takes.

    Tries (batch, n), then (batch, 1, n), or (batch, n, 1) for models with channels last, for
    single-channel series. A layout is taken if two
    and three distinct points give two and three rows that agree; if none is, but one runs at
    all, that one, whose dependence on the batch is then reported.

    Parameters
    ----------
    explainer : Explainer
        Holds the model.
    x, baseline : torch.Tensor
        Ends of the paths, shape (N, k, n), N at least 1.
    arguments : object
        `additional_forward_args`.

    Returns
    -------
    tuple of int
        () for (batch, n), (k,) for (batch, k, n).

    Raises
    ------
    Exception
        The error of the model where it refuses every layout.
    """
    k = x.shape[1]
    if k > 1:
        return (k,)
    model = explainer.model
    start, delta = baseline[0].double(), (x[0] - baseline[0]).double()
    if not bool(delta.any()):
        delta = torch.linspace(0.0, 1.0, x.shape[-1], dtype=torch.float64).expand_as(delta)
    points = torch.stack([start + node * delta for node in NODES])
    runs: list[tuple[int, ...]] = []
    refused: dict[tuple[int, ...], Exception] = {}
    with model.session() as model:
        extra = Extra.of(arguments, len(x), model.device, model.sample_axis)
        for axes, reading in product(((), (1,)), extra.readings()):
            shaped = points.reshape(len(points), *axes, x.shape[-1])
            axis = explainer.settings.counted_time_axis(shaped.ndim)
            objective = Objective(model, "logit", None, reading, explainer.output_key, axis, alone=False)
            rows = torch.zeros(len(points), dtype=torch.int64, device=model.device)
            try:
                objective.settle_dtype(shaped[:2], rows[:2])
                cast = shaped.to(model.device, model.dtype)
                two = objective.raw(cast[:2], rows[:2])
                three = objective.raw(cast[list(ORDER)], rows)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a model raises, it refused
                refused.setdefault(axes, error)
                continue
            if not differ(two, three[[ORDER.index(0), ORDER.index(1)]]):
                runs = [axes]
                break
            runs.append(axes)
    if not runs:
        raise _refusal(refused)
    # An error holds the frame it was caught in, and all tensors of the call with it: a cycle.
    refused.clear()
    return runs[0]


def _refusal(refused: dict[tuple[int, ...], Exception]) -> Exception:
    """The error of the first layout, which tells of that of the second too."""
    first, second = refused.values()
    refused.clear()
    add_context(first, f"and as (batch, 1, n) the model failed with {type(second).__name__}: {second}")
    return first

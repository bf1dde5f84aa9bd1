"""Says which arrangement of the axes a model would take, where it fails on that of the caller."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..errors import add_context
from ..models import Model
from ..models.axes import ModelAxes
from ..models.joined import FURTHER, JoinedInputs
from ..models.outputs import OutputKey
from ..models.torch.inputs import needed_inputs
from ..objective.arguments import Extra
from ..objective.objective import Objective
from .layouts import refuse_layout
from .lengths import length_taken

Arrangement = tuple[str, str, Callable[[Tensor], Tensor]]
"""How it is written, what it means, and the change itself."""

Shape = tuple[int, ...]

Offer = tuple[str, str, Tensor, Tensor]
"""How something is written, what it means, what that is, and what the model gets then."""


def refuse_axes(
    model: Model,
    inputs: Sequence[Tensor],
    arguments: Any,
    output_key: OutputKey,
    error: Exception | None,
    called: str = "x",
    time_axis: int = -1,
    layout: ModelAxes | None = None,
) -> None:
    """Raise where the model fails on signals, but takes them with their axes arranged in another way.

    Parameters
    ----------
    model : Model
        The adapter, not yet told of several inputs.
    inputs : sequence of torch.Tensor
        Every input in the caller's layout; of several, one at a time is arranged in another way.
    arguments : object
        `additional_forward_args`.
    output_key : int, str, tuple of them, or None
        Which part of the outputs counts.
    error : Exception or None
        That of the model, which becomes the cause; None where it was not called.
    called : str, default "x"
        Name of the parameter in errors.
    time_axis : int, default -1
        Axis of time in the caller's layout, of one input.
    layout : ModelAxes, optional
        That of the inputs where their axes have names, as those of a file: then another layout is told.

    Raises
    ------
    ValueError
        With every arrangement that the model takes. Nothing is raised where there is none, or where
        it is not the axes that the model fails on.
    """
    fails = partial(_failure, model, arguments=arguments, output_key=output_key, n_samples=len(inputs[0]))

    def takes(signals: Sequence[Tensor]) -> bool:
        return fails(signals) is None

    if takes(inputs):
        return
    further = Extra.of(arguments, len(inputs[0]), model.device, model.sample_axis)
    needed = needed_inputs(getattr(model, "function", None))
    given = len(inputs) + len(further.values)
    if len(needed) > given:
        names = ", ".join(needed)
        raise TypeError(f"the model takes {len(needed)} inputs, {names}, got {given}: {FURTHER}") from error
    if layout is not None:
        refuse_layout(called, layout.back(inputs[0]), layout, lambda x: takes([x]), model.hints, error)
    for i, x in enumerate(inputs):
        name = f"{called}[{i}]" if len(inputs) > 1 else called
        fits = [
            (re.sub(r"\bx\b", name, how), what, other, other)
            for how, what, change in (_arrangements(x) if layout is None else ())
            # One input of several has the samples, and the axis of time, of the others.
            if len(inputs) == 1 or not ("time_axis" in how or how.endswith("[None]"))
            for other in [change(x)]
            if takes([*inputs[:i], other, *inputs[i + 1 :]])
        ]
        _refuse(name, x, fits, error, further.hints)
        if len(inputs) == 1:
            fitting = [shape for shape in _other_sizes(x, model.sizes()) if takes([_like(x, shape)])]
            fitting = fitting or _other_length(x, lambda one: fails([one]))
            channels = 3 - time_axis % 3 if x.ndim == 3 else None
            if layout is not None:
                channels = layout.channel_axis
            _tell_sizes(name, x, fitting, channels, error)


def refuse_input(
    model: Model, time_axis: int, given: Tensor, x: Tensor, arguments: Any, error: Exception
) -> None:
    """Raise where the model fails on the input of `attribute`, but takes it arranged in another way.

    Parameters
    ----------
    model : Model
        The adapter.
    time_axis : int
        Axis of time in the model's layout.
    given : torch.Tensor
        What the caller passed, shape (n,), (k, n) or (N, k, n).
    x : torch.Tensor
        How that was read, shape (N, k, n).
    arguments : object
        `additional_forward_args`.
    error : Exception
        That of the model, which becomes the cause.

    Raises
    ------
    ValueError
        With every arrangement that the model takes. Nothing is raised where there is none, or where
        it is not the axes that the model fails on.
    """

    def fails(signals: Tensor) -> Exception | None:
        return _failure(model, [signals], arguments=arguments, output_key=None, n_samples=len(signals))

    def takes(signals: Tensor) -> bool:
        return fails(signals) is None

    tried = [x.movedim(-1, time_axis), *([x[:, 0]] if x.shape[1] == 1 else [])]
    if any(map(takes, tried)):
        return
    if given.ndim > 1:
        fits = [offer for offer in _inputs(given, time_axis) if takes(offer[3])]
        _refuse("input", given, fits, error)
    other = _other_sizes(x, model.sizes())
    fitting = [one for one in other if takes(_like(x, one).movedim(-1, time_axis))]
    fitting = fitting or _other_length(x, lambda one: fails(one.movedim(-1, time_axis)))
    _tell_sizes("input", x, fitting, None, error)


def _inputs(given: Tensor, time_axis: int) -> Iterator[Offer]:
    """Axes of the input of `attribute` that are often swapped or missing."""
    swapped, apart = given.mT, given.unsqueeze(1)
    if given.ndim == 2:
        means = "it is one series with its channels last"
        yield "input.T", means, swapped, swapped[None].movedim(-1, time_axis)
        for got in (given, apart.movedim(-1, time_axis)):
            yield "input[:, None]", "its rows are series of one channel", apart, got
    else:
        means = "time and channels change places"
        yield "input.swapaxes(1, 2)", means, swapped, swapped.movedim(-1, time_axis)
        means = "the model takes channels for the rows of an image"
        yield "input[:, None] of an Explainer", means, apart, apart


def _refuse(
    name: str, given: Tensor, fits: Sequence[Offer], error: Exception | None, hints: Sequence[str] = ()
) -> None:
    if fits:
        # What the model takes in two layouts is written in one way.
        once = {how: f"{how}, of shape {tuple(written.shape)}, if {what}" for how, what, written, _ in fits}
        offers = "; or ".join(once.values())
        raise ValueError(
            f"{name} must have the axes of the model, which fails on shape {tuple(given.shape)} but takes "
            f"{offers}{''.join(f'. Or it is a further argument: {hint}' for hint in hints)}"
        ) from error


def _tell_sizes(
    name: str, given: Tensor, shapes: Sequence[Shape], channels: int | None, error: Exception | None
) -> None:
    """Say which sizes a model takes that takes as many axes, one of which has another size.

    Raises
    ------
    ValueError
        If it may be the number of channels; else what it takes is added to the error of the model.
    """
    if error is None or not shapes:
        return
    told = "; or ".join(
        f"{shape}, with {new} in place of {old} in axis {axis}"
        for shape in shapes[:3]
        for axis, (old, new) in enumerate(zip(given.shape, shape, strict=True))
        if old != new
    )
    said = (
        f"{name} must have the sizes that the model was made for, and it takes {told}: pass as many "
        "channels and values as it was trained on"
    )
    # The axis of channels, which files have by name.
    if channels is not None and any(shape[channels] != given.shape[channels] for shape in shapes):
        raise ValueError(f"{said}, of a file by channels= with their names") from error
    add_context(error, said)


def _other_sizes(x: Tensor, sizes: Sequence[int]) -> Iterator[Shape]:
    """Shapes with another size in one axis, which the weights of the model suggest."""
    for axis in range(1, x.ndim):
        beside = math.prod(x.shape[1:]) // max(1, x.shape[axis])
        flat = [size // beside for size in sizes if beside and size % beside == 0]
        for size in dict.fromkeys([*sizes, *flat]):
            if size not in (0, x.shape[axis]):
                yield (*x.shape[:axis], size, *x.shape[axis + 1 :])


def _other_length(x: Tensor, fails: Callable[[Tensor], Exception | None]) -> list[Shape]:
    """The shape with another length in one axis, the last that there is such a length for."""
    for axis in reversed(range(1, x.ndim)):
        n = length_taken(partial(_at, x, axis, fails), x.shape[axis])
        if n is not None:
            return [(*x.shape[:axis], n, *x.shape[axis + 1 :])]
    return []


def _at(x: Tensor, axis: int, fails: Callable[[Tensor], Exception | None], n: int) -> Exception | None:
    """How signals of another size in one axis fail."""
    return fails(_like(x, (*x.shape[:axis], n, *x.shape[axis + 1 :])))


def _like(x: Tensor, shape: Shape) -> Tensor:
    return x.new_zeros((2, *shape[1:]))


def _failure(
    model: Model, inputs: Sequence[Tensor], *, arguments: Any, output_key: OutputKey, n_samples: int
) -> Exception | None:
    """Why the model does not give one row per sample; None where it does."""
    few = torch.tensor([0, len(inputs[0]) - 1])
    try:
        points = [x[few] for x in inputs]
        if len(inputs) > 1:
            shapes = tuple(tuple(x.shape[1:]) for x in points)
            model = model.of_inputs(JoinedInputs(shapes, (-1,) * len(points)))
            points = [torch.cat([x.flatten(1).to(points[0].dtype) for x in points], 1)]
        with model.session() as running, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            extra = Extra.of(arguments, n_samples, running.device, running.sample_axis)
            # Points come in the caller's layout here, so that none of their axes moves.
            objective = Objective(running, "logit", None, extra, output_key)
            rows = few.clamp(max=n_samples - 1).to(running.device)
            objective.raw(points[0].to(running.device, running.dtype), rows)
    except Exception as error:  # noqa: BLE001 - whatever a model raises, it does not take them
        return error
    return None


def _arrangements(x: Tensor) -> Iterator[Arrangement]:
    """Axes that are often swapped, missing or one too many."""
    if x.ndim == 2:
        yield "x[None]", "it is one series", lambda x: x[None]
        yield "x.T[None]", "it is one series, time and channels changed", lambda x: x.T[None]
        yield "x[:, None]", "its series have one channel", lambda x: x[:, None]
        yield "x[..., None] and time_axis=1", "its series have one channel", lambda x: x[..., None]
        yield "x[:, None, None]", "its series have one channel", lambda x: x[:, None, None]
    if x.ndim == 3:
        yield "x.swapaxes(1, 2)", "time and channels change places", lambda x: x.mT
        yield "x[:, None]", "the model takes channels for the rows of an image", lambda x: x[:, None]
        yield "x[..., None] and time_axis=-2", "the model wants a last axis", lambda x: x[..., None]
        yield "x.swapaxes(1, 2)[:, None]", "time and channels change places", lambda x: x.mT[:, None]
        yield "x[None]", "it is one sample", lambda x: x[None]
    if x.ndim > 2 and len(x) == 1:
        yield "x[0]", "the first axis is one too many", lambda x: x[0]
    elif x.ndim > 3 and x.shape[1] > 1:
        yield "x.reshape(-1, *x.shape[2:])", "its first two axes are samples", lambda x: x.flatten(0, 1)
    for axis in range(1, x.ndim):
        if x.ndim > 2 and x.shape[axis] == 1:
            index = ", ".join([":"] * axis + ["0"])
            yield f"x[{index}]", "this axis is one too many", partial(torch.squeeze, dim=axis)

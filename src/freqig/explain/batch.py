"""One batch: signals are read and held against the model, explained, and labelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import xarray as xr

from ..baselines.drawn import Drawn
from ..baselines.reading import describe_baseline, draw_baselines
from ..domains import Domain
from ..models import Model
from ..models.joined import BeginningOfInput, JoinedInputs
from ..models.outputs import ROWS
from ..objective.failures import left_the_model
from ..objective.targets import Target
from ..result.attributions import Attributions
from ..result.dataset import label
from ..signals import Signal, aligned_rows, hint_at_unit, in_one_order, is_pair_with_rate
from ..signals.axes import Axes
from .call import Question, explain
from .class_names import numbered, tells_names
from .fitting import refuse_axes
from .kept import Kept
from .layouts import misfit, with_layout
from .other_unit import rise_if_scaled
from .projection import working_dtype
from .reading import read_input, refuse_reading
from .samples import TRUTH, told_truth, with_known
from .settings import Settings
from .several_inputs import join

LENGTH = "n_times"
"""Coordinate of samples that are shorter than the longest: how many values in time each of them has."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a batch, by the names and with the meaning of the arguments of an Explainer's call.

    `reading` holds those that are about files and recordings, by name; `domains`, of samples that come in
    pieces, those of the settings for the samples of this piece.
    """

    target: Any = None
    baseline: Any = None
    arguments: Any = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    truth: Any = None
    names: Any = None
    domains: tuple[Domain, ...] | None = None


def explain_batch(
    model: Model, settings: Settings, kept: Kept, x: Any, asked: Asked, length: int | None = None
) -> xr.Dataset:
    """Explain a batch of signals.

    Parameters
    ----------
    model : Model
        The adapter.
    settings : Settings
        How to explain.
    kept : Kept
        What is known from earlier calls; what this one finds out is added.
    x : object
        Signals, as `Explainer.__call__` takes them.
    asked : Asked
        What is asked.
    length : int, optional
        Values in time of the longest of several batches: this one is explained with zeros behind, which the
        model does not see, so that its domains have the coordinates of all.

    Returns
    -------
    xarray.Dataset
        The result.
    """
    settings = _for_piece(settings, asked)
    if isinstance(x, tuple) and not is_pair_with_rate(x):
        refuse_reading(x, asked.reading)
        return _several(model, settings, kept, x, asked)
    question, settings = question_of(model, settings, x, asked)
    if length is None:
        return _labelled(model, settings, kept, question)
    n = question.signal.values.shape[-1]
    shown, filled = _filled(model, settings, question, length) if n < length else (model, question)
    result = _labelled(shown, settings, kept, filled, model)
    # Beyond its end a series has no values, whatever the model was not shown there.
    result["signal"] = result.signal.where(np.arange(length) < n)
    return result.assign_coords({LENGTH: ("sample", np.full(len(result.signal), n))})


def _for_piece(settings: Settings, asked: Asked) -> Settings:
    return settings if asked.domains is None else replace(settings, domains=asked.domains)


def question_of(model: Model, settings: Settings, x: Any, asked: Asked) -> tuple[Question, Settings]:
    """What is asked of signals of one input, and settings with names of classes that these bring along."""
    signal = read_input(x, model.hints, settings, asked.reading)
    signal = with_known(signal, asked.truth, asked.names)
    settings = with_layout(settings, model.hints, signal)
    inputs = [settings.arranged(signal.values)]
    misfits = misfit(model.hints, settings, signal) if len(signal.values) else ""
    if misfits:
        _refuse_axes(model, settings, signal, inputs, asked.arguments, None)
        raise ValueError(f"x must have the shape that the model declares, {misfits}")
    target, settings = _aimed(settings, asked.target, signal)
    return Question(signal, target, asked.baseline, asked.arguments, inputs), settings


def told_settings(
    settings: Settings, model: Model, question: Question, found: Attributions
) -> dict[str, Any]:
    """What was asked for, as the attributes of a result tell it."""
    target = question.target
    return {
        **settings.described(),
        "baseline": describe_baseline(question.baseline, question.signal.values),
        "class_axis": found.classes.axis,
        "classes": found.names,
        "dtype": str(model.dtype).removeprefix("torch."),
        "fs": question.signal.fs,
        "input_shape": list(question.signal.values.movedim(-1, settings.time_axis).shape[1:]),
        "probabilities": found.classes.values != "logits",
        "target": "predicted" if target is None else "all" if isinstance(target, str) else "given",
    }


def unit_of(settings: Settings, question: Question, found: Attributions) -> str:
    """What explained values are called. An output that was picked out by its number may be a horizon."""
    return found.classes.unit(settings.output, question.target is None or found.names is not None)


def _filled(model: Model, settings: Settings, question: Question, length: int) -> tuple[Model, Question]:
    """A question with zeros behind signals and baselines, and a model that does not see them."""
    signal, x = question.signal, question.signal.values
    starts = draw_baselines(question.baseline, x, settings.time_axis, signal.fs, signal)
    more = (0, length - x.shape[-1])
    filled = replace(signal, values=torch.nn.functional.pad(x, more))
    start = Drawn(torch.nn.functional.pad(starts, more), describe_baseline(question.baseline, x))
    seen = BeginningOfInput(x.shape[1:], settings.counted_time_axis(x.ndim))
    return model.of_inputs(seen), replace(question, signal=filled, baseline=start)


def _several(model: Model, settings: Settings, kept: Kept, x: tuple[Any, ...], asked: Asked) -> xr.Dataset:
    """Explain a model of several inputs along one path for all of them."""
    if settings.layout is not None:
        raise ValueError(
            f"layout must be left out for several inputs, which come in the layouts of the model, got "
            f"{settings.layout!r}"
        )
    read = [read_input(one, model.hints, settings, {}, f"x[{i}]") for i, one in enumerate(x)]
    signals = in_one_order(read, "x")
    signals[0] = with_known(signals[0], asked.truth, asked.names)
    target, settings = _aimed(settings, asked.target, signals[0])
    joined = join(signals, asked.baseline, settings.domains, settings.time_axis, working_dtype(model.dtype))
    places = JoinedInputs(
        tuple(tuple(signal.values.shape[1:]) for signal in signals),
        tuple(settings.counted_time_axis(signal.values.ndim) for signal in signals),
    )
    inputs = [signal.values.movedim(-1, settings.time_axis) for signal in signals]
    first = Signal(joined.values, coords=signals[0].coords, classes=signals[0].classes)
    question = Question(first, target, joined.baseline, asked.arguments, inputs)
    settings = replace(settings, domains=joined.domains, time_axis=-1, fs=None)
    return joined.relabel(_labelled(model.of_inputs(places), settings, kept, question, model))


def _aimed(settings: Settings, target: Any, signal: Signal) -> tuple[Target, Settings]:
    """The target by numbers; where it was told by names that the signals bring along, these must fit."""
    names = settings.classes or signal.classes
    by_number = numbered(aligned_rows(target, signal, "target"), names)
    named = names is not None and tells_names(target)
    return by_number, replace(settings, classes=names) if named else settings


def _refuse_axes(
    model: Model,
    settings: Settings,
    signal: Signal,
    inputs: Sequence[torch.Tensor],
    arguments: Any,
    error: Exception | None,
) -> None:
    """Raise where the model takes its inputs arranged in another way."""
    axis, layout = settings.time_axis, settings.layout_of(signal)
    refuse_axes(model, inputs, arguments, settings.output_key, error, time_axis=axis, layout=layout)


def may_be_axes(error: Exception, settings: Settings) -> bool:
    """Whether the model may have failed on the axes of the signals."""
    # Where a part of the outputs is asked for, it may be this part that does not fit.
    return left_the_model(error) or (str(error).startswith(ROWS) and settings.output_key is None)


@contextmanager
def fitting_axes(model: Model, settings: Settings, question: Question) -> Iterator[None]:
    """Where the model fails on the axes of the signals, say which it would take."""
    try:
        yield
    except Exception as error:
        if may_be_axes(error, settings):
            _refuse_axes(model, settings, question.signal, question.inputs, question.arguments, error)
        raise


def _labelled(
    model: Model, settings: Settings, kept: Kept, question: Question, alone: Model | None = None
) -> xr.Dataset:
    """The result with its labels; `alone` is the model as it is, where that is told of its inputs."""
    axes = Axes.of(question.signal)
    # What is known of the samples is checked before the model runs, and told once all classes are known.
    if TRUTH in axes.along:
        told_truth(axes.along, settings.classes)
    with fitting_axes(alone or model, settings, question):
        found = explain(model, settings, kept, question, axes)
    if settings.unit is None:
        hint_at_unit(
            question.signal,
            found.output - found.baseline_output,
            rise_in=lambda _, by: rise_if_scaled(model, settings, kept, question, found, by),
        )
    return label(
        found,
        replace(axes, along=told_truth(axes.along, found.names)),
        question.signal.values,
        settings=told_settings(settings, model, question, found),
        description={**model.description, **model.fingerprint()},
        unit=unit_of(settings, question, found),
    )

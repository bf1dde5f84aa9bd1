"""The Explainer that made a result, for a model: from the settings of the result, or from the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from .._check import shown
from ..coalitions import Shapley
from ..coalitions.rebuilding import is_of_players
from ..coalitions.rebuilding import rebuilt as shapley_of
from ..domains.rebuilding import rebuilt_by_name
from ..explain.batch import Asked, question_of
from ..explain.explainer import Explainer
from ..explain.pieces import is_stream, is_uneven
from ..explain.settings import ENGINES
from ..methods.rebuilding import rebuilt as method_of
from ..objective.scales import SCALE_NAMES
from ..result.reading import attributions_of, one_target, rows_by_length, settings_of
from ..resynthesis.outcome import layout_of
from ..resynthesis.source import Layout

SHARED = ("fs", "unit", "output", "engine", "n_steps", "tol", "max_evaluations", "n_initial")
"""Settings that a result tells by the names of an Explainer's parameters."""
OF_METHODS = ("fs", "unit", "output", "tol")
"""The same of a method of `freqig.methods`, which knows of no nodes."""
SAME = 1e-5
"""By how much a value of x may be off the signal, as a share of the largest: rounding and units."""


def refuse_other_kinds(result: xr.Dataset) -> None:
    """ValueError for several inputs."""
    signals = [str(name) for name, own in result.data_vars.items() if own.attrs.get("kind") == "signal"]
    if len(signals) > 1:
        raise ValueError(
            f"result must be of a model with one input, got {', '.join(signals)}: explain a function of "
            "one of them, with the others as additional_forward_args="
        )


def refuse_other_results(others: Any, result: xr.Dataset, names: Sequence[str]) -> None:
    """TypeError or ValueError unless others are results of the same variables, by name."""
    if others is None:
        return
    if not isinstance(others, Mapping):
        raise TypeError(f"others must be a mapping of names to results, got {shown(others)}")
    for key, other in others.items():
        shared = [name for name in names if isinstance(other, xr.Dataset) and name in other]
        if not shared:
            raise ValueError(
                f"others[{key!r}] must be a result with {' or '.join(names)}, got {shown(other)}"
            )
        for name in shared:
            one_target(attributions_of(other, name))
            if dict(other[name].sizes) != dict(result[name].sizes):
                raise ValueError(
                    f"others[{key!r}].{name} must have the sizes of the result's, "
                    f"{dict(result[name].sizes)}, got {dict(other[name].sizes)}"
                )


def settings_for(result: xr.Dataset, names: Sequence[str], explainer: Any) -> dict[str, Any]:
    """Arguments of an Explainer or a Shapley, without its model, that explains as a result was explained.

    Parameters
    ----------
    result : xarray.Dataset
        The explanation.
    names : sequence of str
        Variables whose domains are needed.
    explainer : Explainer, Shapley or None
        What made it, where the caller has it.

    Raises
    ------
    TypeError, ValueError
        If `explainer` is something else, has not these domains, or is missing where the settings do not hold
        the domains or the explained output.
    """
    if explainer is not None:
        if not isinstance(explainer, (Explainer, Shapley)):
            raise TypeError(
                "explainer must be the freqig.Explainer or freqig.Shapley that made the result, got "
                f"{shown(explainer)}"
            )
        own = {domain.name: domain for domain in explainer.domains}
        if lacking := [name for name in names if name not in own]:
            raise ValueError(
                f"explainer must be the one that made {', '.join(lacking)}, got one with the domains "
                f"{', '.join(own)}"
            )
        return {
            **vars(explainer.settings),
            "domains": [own[name] for name in names],
            # Those of the signals, where the Explainer was told none.
            "classes": explainer.settings.classes or settings_of(result).get("classes"),
            **layout_of(settings_of(result)),
            "dtype": explainer.model.dtype,
            "device": explainer.model.device,
            "progress": False,
        }
    told = settings_of(result)
    if told["output"] not in SCALE_NAMES:
        raise ValueError(
            f"explainer must be given, as the explained output was the callable {told['output']!r}, which "
            "settings do not hold: pass the explainer= that made the result"
        )
    key = told.get("output_key")
    return {
        # Of another method no nodes are told, and its engine is none of an Explainer.
        **{name: told[name] for name in (SHARED if told["engine"] in ENGINES else OF_METHODS)},
        **(
            {}
            if is_of_players(told)
            else {"domains": [rebuilt_by_name(told["domains"], name) for name in names]}
        ),
        "classes": told.get("classes"),
        **layout_of(told),
        "class_axis": told.get("class_axis"),
        "probabilities": told.get("probabilities"),
        "output_key": tuple(key) if isinstance(key, list) else key,
        "batch_independent": told.get("batch_independent", True),
        "dtype": getattr(torch, told["dtype"]) if "dtype" in told else None,
        "progress": False,
    }


def remade(told: Mapping[str, Any], model: Any, settings: Mapping[str, Any]) -> Explainer | Any:
    """What made a result, for a model.

    Parameters
    ----------
    told : mapping
        Settings of the result.
    model : object
        Any that it takes.
    settings : mapping
        As `settings_for` gives them.
    """
    return (
        shapley_of(told, model, settings) or method_of(told, model, settings) or Explainer(model, **settings)
    )


def refuse_other_signals(
    explainer: Explainer, result: xr.Dataset, layout: Layout, held: Tensor, x: Any
) -> None:
    """ValueError unless x is the signal of the result.

    Parameters
    ----------
    explainer : Explainer
        What reads x, as it was read for the result.
    result : xarray.Dataset
        The explanation.
    layout : Layout
        How the input lay.
    held : torch.Tensor
        Signals of the result, float64, shape (N, *axes, n), zero beyond their ends.
    x
        What the caller gave.
    """
    if is_stream(x):
        raise TypeError(
            f"x must be the signals as one array, as in result.signal, got pieces, {shown(x)}: put them "
            "together"
        )
    if is_uneven(x):
        _refuse_other_series(result, layout, held, x)
        return
    question, _ = question_of(explainer.model, explainer.settings, x, Asked())
    values = question.signal.values.to(torch.float64)
    shape = (len(held), *layout.between, held.shape[-1])
    if tuple(values.shape) != shape:
        raise ValueError(
            f"x must be the signal that was explained, of shape {shape} with time last, got "
            f"{tuple(values.shape)}"
        )
    _compare(values.reshape(held.shape), held)


def _refuse_other_series(result: xr.Dataset, layout: Layout, held: Tensor, x: Any) -> None:
    if len(x) != len(held):
        raise ValueError(f"x must be the {len(held)} series that were explained, got {len(x)}")
    for n, rows in rows_by_length(result):
        for row in rows:
            values = torch.from_numpy(np.array(x[row], dtype=np.float64)).movedim(layout.time_axis - 1, -1)
            own = held[row, ..., :n]
            if values.numel() != own.numel():
                raise ValueError(
                    f"x must be the series that were explained: sample {row} has {n} values in time in the "
                    f"result, got shape {tuple(np.shape(x[row]))}"
                )
            _compare(values.reshape(own.shape)[None], own[None], row)


def _compare(values: Tensor, held: Tensor, first: int = 0) -> None:
    slack = SAME * float(held.abs().max()) if held.numel() else 0.0
    off = (values - held).abs().flatten(1).amax(1) if held.numel() else held.new_zeros(len(held))
    wrong = (~(off <= slack)).nonzero().flatten().tolist()
    if wrong:
        raise ValueError(
            f"x must be the signal that was explained: sample {first + wrong[0]} differs from result.signal "
            f"by up to {float(off[wrong[0]]):.3g} ({len(wrong)} such samples): pass the same x, in the same "
            "order"
        )

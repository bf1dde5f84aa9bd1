"""From what a model returns to the one tensor of scores that is explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

import numpy as np
from torch import Tensor

from .._check import shown

Selector = int | str
OutputKey = Selector | tuple[Selector, ...] | None
MOST_WAYS, DEEPEST = 8, 6
"""Selectors that an error lists, and levels of nested outputs that are looked into for them."""
ROWS = "the model must return one row per series"
"""Start of the message where outputs do not belong to the points one by one."""


def read_output_key(output_key: Any) -> OutputKey:
    """A selector of outputs as plain ints and strings.

    Parameters
    ----------
    output_key : int, str, tuple of them, or None
        As `Explainer` takes it; integers and strings of NumPy too.

    Returns
    -------
    int, str, tuple of them, or None
        What settings can hold.

    Raises
    ------
    TypeError
        If it is something else.

    Examples
    --------
    >>> import numpy as np
    >>> read_output_key(np.int64(1)), read_output_key(("heads", 0))
    (1, ('heads', 0))
    """
    if output_key is None:
        return None
    if isinstance(output_key, (tuple, list)) and output_key:
        way = tuple(_selector(one, output_key) for one in output_key)
        return way if len(way) > 1 else way[0]
    return _selector(output_key, output_key)


def _selector(one: Any, output_key: Any) -> Selector:
    if isinstance(one, str):
        return str(one)
    if isinstance(one, (int, np.integer)) and not isinstance(one, (bool, np.timedelta64)):
        return int(one)
    raise TypeError(
        "output_key must be an int or a str, or a tuple of them that leads into nested outputs, got "
        f"{shown(output_key)}"
    )


def tidy_outputs(outputs: Any, output_key: OutputKey, n_points: int) -> Tensor:
    """Select one tensor of shape (P, *axes) from what a model returns.

    Parameters
    ----------
    outputs : torch.Tensor, tuple, list, dict or object with attributes
        What the model returned.
    output_key : int, str, tuple of them, or None
        Which part to take; a tuple leads into nested outputs, from the outermost inwards. What holds one
        tensor and no other needs none.
    n_points : int
        Number of points P that the model was called with.

    Returns
    -------
    torch.Tensor
        Floating outputs; one output per point has shape (P, 1).

    Raises
    ------
    TypeError
        If the output is no floating tensor.
    ValueError
        If a selector is needed, does not fit, or the first axis is not that of points.
    """
    way = () if output_key is None else output_key if isinstance(output_key, tuple) else (output_key,)
    chosen = outputs
    for key in way:
        chosen = _part(chosen, key, output_key)
    selected, way = _only_tensor(chosen, way)
    if selected.is_complex():
        raise TypeError(
            f"the model must return real scores, got dtype {selected.dtype}: of two complex numbers "
            "none is the larger. Explain their size or a part, lambda x: model(x).abs(), or .real"
        )
    if not selected.is_floating_point():
        raise TypeError(
            f"the model must return floating scores, got dtype {selected.dtype}: class indices "
            "have no gradient, explain the logits they come from"
        )
    if n_points == 1 and selected.ndim == 0:
        selected = selected.reshape(1)
    if selected.ndim == 0 or len(selected) != n_points:
        raise ValueError(
            f"{ROWS}, batch axis first: for a batch of {n_points} it returned shape "
            f"{tuple(selected.shape)}{_at(way)}"
        )
    return selected.reshape(n_points, 1) if selected.numel() == n_points else selected


def _only_tensor(chosen: Any, way: tuple[Selector, ...]) -> tuple[Tensor, tuple[Selector, ...]]:
    """What was chosen, or the one tensor in it, and the way there."""
    if isinstance(chosen, Tensor):
        return chosen, way
    ways = list(islice(_ways(chosen, way), 2))
    if len(ways) != 1:
        raise _no_tensor(chosen, way)
    part = chosen
    for key in ways[0][len(way) :]:
        part = _part(part, key, key)
    only: Tensor = part
    return only, ways[0]


def _no_tensor(selected: Any, way: tuple[Selector, ...]) -> Exception:
    keys = _keys(selected)
    if keys is None:
        numpy = isinstance(selected, (np.ndarray, np.generic))
        remedy = (
            ": NumPy knows no gradients, write all of the model in PyTorch, or explain it without them by "
            "freqig.Shapley(model)"
            if numpy
            else ""
        )
        return TypeError(f"the model must return a tensor, got {type(selected).__name__}{_at(way)}{remedy}")
    ways = list(islice(_ways(selected, way), MOST_WAYS + 1)) or [(*way, keys[0] if keys else 0)]
    told = [repr(one[0] if len(one) == 1 else one) for one in ways[:MOST_WAYS]]
    more = ", …" if len(ways) > MOST_WAYS else ""
    such = f"such as output_key={told[0]}" + (f", of {', '.join(told)}{more}" if len(told) > 1 else "")
    return ValueError(
        f"the model returns {_describe(selected)}{_at(way)}: pass output_key= to Explainer to choose "
        f"the one to explain, {such}"
    )


def _ways(outputs: Any, way: tuple[Selector, ...]) -> Iterator[tuple[Selector, ...]]:
    """Selectors of every tensor in nested outputs."""
    for key in (_keys(outputs) or []) if len(way) < DEEPEST else []:
        part = _part(outputs, key, key) if isinstance(key, (int, str)) else None
        if isinstance(part, Tensor):
            yield *way, key
        elif part is not None:
            yield from _ways(part, (*way, key))


def _part(outputs: Any, key: Selector, output_key: OutputKey) -> Any:
    try:
        # Mappings have names as keys, and everything else as attributes: also the outputs of
        # libraries that are both.
        by_name = isinstance(key, str) and not isinstance(outputs, Mapping)
        return getattr(outputs, str(key)) if by_name else outputs[key]
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise ValueError(
            f"output_key={output_key!r} does not fit the model's output: {_describe(outputs)}"
        ) from None


def _keys(outputs: Any) -> list[Any] | None:
    """What may select a part of outputs; None where they have no parts."""
    if isinstance(outputs, Mapping) or hasattr(outputs, "keys"):
        return list(outputs.keys())
    if isinstance(outputs, (tuple, list)):
        return list(range(len(outputs)))
    if is_dataclass(outputs) and not isinstance(outputs, type):
        return [field.name for field in fields(outputs)]
    return None


def _at(way: tuple[Selector, ...]) -> str:
    return f" at output_key={way[0] if len(way) == 1 else way!r}" if way else ""


def _describe(outputs: Any) -> str:
    if isinstance(outputs, Tensor):
        return f"a tensor of shape {tuple(outputs.shape)}"
    keys, kind = _keys(outputs), type(outputs).__name__
    if keys is None:
        return f"a {kind}"
    if isinstance(outputs, (tuple, list)):
        named = f", named {', '.join(outputs._fields)}" if hasattr(outputs, "_fields") else ""
        return f"a {kind} of {len(outputs)} (output_key 0..{len(outputs) - 1}{named})"
    listed = ", ".join(map(repr, keys))
    return f"a {kind} with {'keys' if hasattr(outputs, 'keys') else 'fields'} {listed}"

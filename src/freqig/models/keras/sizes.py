"""Sizes of what a Keras model computes, inferred without computing it; none may be too large."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..content import NOT_TRUST
from ..exchanged import exchanged

# Bytes of one value that a model makes of two series, and values that it makes.
MAX_VALUE = 1 << 29
MAX_VALUES = 20_000


class SizeError(ValueError):
    """A model of a file asks for more time or memory than it may.

    Examples
    --------
    >>> issubclass(SizeError, ValueError)
    True
    """


@contextmanager
def bounded_sizes(name: str) -> Iterator[None]:
    """Let Keras infer values of a bounded size, and not too many, in this thread.

    Parameters
    ----------
    name : str
        What errors call the file.

    Raises
    ------
    SizeError
        Once a value is inferred that is too large. Keras hides what is raised inside it.
    """
    import keras

    thread = threading.get_ident()
    found: list[str] = []
    count = 0

    def counting(make: Callable[..., None]) -> Callable[..., None]:
        def counted(self: Any, shape: Any, *more: Any, **named: Any) -> None:
            nonlocal count
            if threading.get_ident() == thread:
                sizes = shape if isinstance(shape, (tuple, list)) else ()
                size, count = 4 * math.prod(2 if one is None else int(one) for one in sizes), count + 1
                if size > MAX_VALUE:
                    what = f"a value {tuple(sizes)} has {size} bytes for two series, more than {MAX_VALUE}"
                    found.append(what)
                elif count > MAX_VALUES:
                    found.append(f"it makes more than {MAX_VALUES} values")
                if found:
                    raise SizeError(found[0])
            make(self, shape, *more, **named)

        return counted

    try:
        with exchanged(keras.KerasTensor, "__init__", counting):
            yield
    except Exception as error:
        if found:
            raise SizeError(f"{name} is not run: {found[0]}; {NOT_TRUST}") from error
        raise


def bounded_calls(model: Any, name: str) -> None:
    """Let a model look at the sizes of every first call of a shape before it computes it.

    Parameters
    ----------
    model : keras.Model
        Of a file. Its `call` is replaced.
    name : str
        What errors call the file.

    Raises
    ------
    SizeError
        If it calls so many layers, those of models inside counted at every use.
    """
    if _operations(model, {}) > MAX_VALUES:
        raise SizeError(f"{name} is not run: it makes more than {MAX_VALUES} values; {NOT_TRUST}")
    shape = getattr(model, "input_shape", None)
    if isinstance(shape, tuple) and None not in shape[1:]:
        return  # all sizes were looked at when it was built
    call: Callable[..., Any] = model.call
    seen: set[Any] = set()

    def looked_at(inputs: Any, *more: Any, **named: Any) -> Any:
        keras = sys.modules["keras"]
        flat = keras.tree.flatten(inputs)
        key = tuple(tuple(one.shape)[1:] for one in flat)
        if key not in seen and not any(isinstance(one, keras.KerasTensor) for one in flat):
            seen.add(key)
            with bounded_sizes(name):
                _infer(model, inputs)
        return call(inputs, *more, **named)

    model.call = looked_at


def _infer(model: Any, inputs: Any) -> None:
    keras = sys.modules["keras"]
    like = keras.tree.map_structure(lambda one: keras.KerasTensor((2, *tuple(one.shape)[1:])), inputs)
    try:
        model.compute_output_spec(like)
    except SizeError:
        raise
    except Exception:  # noqa: BLE001 - said by the call itself
        return


def _operations(model: Any, known: dict[int, int]) -> int:
    """Layers that a model calls, with those of models inside at every use of them."""
    inner = getattr(model, "_functional", None) or model
    if not hasattr(inner, "_nodes_by_depth"):
        return 1
    if id(inner) not in known:
        nodes = [node for level in inner._nodes_by_depth.values() for node in level]
        known[id(inner)] = sum(_operations(node.operation, known) for node in nodes)
    return known[id(inner)]

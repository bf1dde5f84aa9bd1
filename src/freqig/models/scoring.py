"""Models whose outputs are enough: estimators, sessions of onnxruntime, functions, and all others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .adapters import adapter_name, as_model
from .array_model import ArrayModel, as_scores
from .base import NOT_DIFFERENTIABLE, Explained, Model
from .hints import Hints
from .joined import BeginningOfInput, JoinedInputs
from .onnx.model import session_of
from .onnx.parity import ConversionError
from .onnx.values import DTYPES, FLOATING, Declared
from .refused import METHODS


@dataclass(frozen=True)
class Scorer:
    """A model by its outputs, and what is known of them.

    Parameters
    ----------
    model : Model
        Gives outputs; whether it gives gradients does not matter.
    classes : tuple of str or None
        Names of the classes, where the model says them.
    probabilities : bool or None
        Whether the outputs are probabilities, where the model says it.
    """

    model: Model
    classes: tuple[str, ...] | None = None
    probabilities: bool | None = None


def as_scorer(
    model: Any,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    trust: bool = False,
) -> Scorer:
    """Find out how a model scores series; gradients are not needed.

    Parameters
    ----------
    model : object
        Whatever `as_model` takes; an estimator of scikit-learn, LightGBM, XGBoost or CatBoost, or another
        object with `predict_proba`, `decision_function` or `predict`, or one of these methods; an
        `onnxruntime.InferenceSession`; or a callable from an array to an array.
    dtype, device, trust : optional
        As of `as_model`.

    Raises
    ------
    TypeError
        If it scores nothing.

    Examples
    --------
    >>> as_scorer(lambda x: x.sum(-1)).model.outputs(torch.ones(2, 3), ()).tolist()
    [3.0, 3.0]
    """
    if isinstance(model, (str, os.PathLike)):
        return _of_file(os.fspath(model), dtype, device, trust)
    if isinstance(model, (Model, torch.nn.Module)):
        return Scorer(as_model(model, dtype=dtype, device=device, trust=trust))
    adapter = None if isinstance(model, type) else adapter_name(model)
    if adapter == "refused":
        return _of_session(model) if _is_session(model) else _of_estimator(model, dtype)
    if adapter is None and not isinstance(model, type) and any(hasattr(model, one) for one in METHODS):
        return _of_estimator(model, dtype)
    plain = isinstance(model, (FunctionType, MethodType)) or not hasattr(model, "__array_namespace__")
    if adapter in ("torch.model", "jax_model", "tensorflow_model") and plain and _is_plain(model):
        return Scorer(_of_callable(model, adapter, dtype, device))
    return Scorer(as_model(model, dtype=dtype, device=device, trust=trust))


class TriedModel(Model):
    """A callable that may take arrays or tensors: the first reading that gives scores is kept.

    Parameters
    ----------
    readings : sequence of Model
        The same callable, given arrays or tensors of one dtype or another.
    hints : Hints
        What the callable says of its input.
    """

    dtype = torch.float64

    def __init__(self, readings: list[Model], hints: Hints) -> None:
        self.readings = readings
        self.device = readings[0].device
        self.description = dict(readings[0].description)
        self.hints = hints
        # One for all copies: what is found out in a session is known after it.
        self._settled: list[int] = []

    @property
    def rounding(self) -> torch.dtype | None:  # type: ignore[override]
        """Dtype of the points in the reading that is kept; None before that."""
        return self.readings[self._settled[0]].dtype if self._settled else None

    def of_inputs(self, inputs: JoinedInputs | BeginningOfInput) -> TriedModel:
        return self._of([one.of_inputs(inputs) for one in self.readings])

    @contextmanager
    def session(self) -> Iterator[TriedModel]:
        """Context in which modules that the callable holds are in eval."""
        with ExitStack() as stack:
            yield self._of([stack.enter_context(one.session()) for one in self.readings])

    def outputs(self, points: Tensor, extra: tuple[Any, ...]) -> Any:
        if self._settled:
            return self._read(self._settled[0], points, extra)
        failures = []
        for place in range(len(self.readings)):
            try:
                found = self._read(place, points, extra)
            except (torch.OutOfMemoryError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - of the model, which may raise what it likes
                failures.append(error)
            else:
                self._settled.append(place)
                return found
        raise failures[0]

    def value_and_gradient(
        self, points: Tensor, extra: tuple[Any, ...], explained: Explained
    ) -> tuple[Tensor, Tensor]:
        raise ValueError(NOT_DIFFERENTIABLE)

    def _read(self, place: int, points: Tensor, extra: tuple[Any, ...]) -> Any:
        reading = self.readings[place]
        return as_tensors(reading.outputs(points.to(reading.dtype), extra))

    def _of(self, readings: list[Model]) -> TriedModel:
        twin = copy(self)
        twin.readings = readings
        return twin


def as_tensors(found: Any) -> Any:
    """Arrays that a callable gave for tensors are scores as well."""
    return found if isinstance(found, Tensor) else as_scores(found)


def _of_callable(
    model: Any, adapter: str, dtype: torch.dtype | None, device: torch.device | str | None
) -> TriedModel:
    hints = Hints.of(model)
    tensors = as_model(model, dtype=dtype, device=device)
    arrays: list[Model] = [ArrayModel(model, one, hints=hints) for one in _dtypes(dtype)]
    # What names no framework computes with NumPy, most likely.
    first = [tensors, *arrays] if _names_framework(model, adapter) else [arrays[0], tensors, *arrays[1:]]
    return TriedModel(first, hints)


def _dtypes(dtype: torch.dtype | None) -> list[torch.dtype]:
    """Of which dtypes arrays are tried, the first first."""
    return [torch.float64, torch.float32] if dtype is None else [dtype]


def _names_framework(model: Any, adapter: str) -> bool:
    from .torch.modules import find_modules
    from .uses import packages_used

    return adapter != "torch.model" or "torch" in packages_used(model) or bool(find_modules(model))


def _is_plain(model: Any) -> bool:
    """Whether a callable is of no framework itself: a function, a partial, an object with `__call__`."""
    packages = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    return not packages & {"torch", "jax", "jaxlib", "equinox", "flax", "tensorflow", "keras", "tf_keras"}


def _of_estimator(model: Any, dtype: torch.dtype | None) -> Scorer:
    owner = getattr(model, "__self__", model) if isinstance(model, MethodType) else model
    method: Callable[..., Any] | None
    if owner is not model:
        method, name = model, model.__name__
    else:
        name = next((one for one in METHODS if callable(getattr(model, one, None))), "")
        method = getattr(model, name) if name else None
    kind = f"{type(owner).__module__.partition('.')[0]}.{type(owner).__qualname__}"
    classes = getattr(owner, "classes_", None)
    if method is None or (name == "predict" and classes is not None):
        raise TypeError(
            f"model must score series, got a {kind}, "
            + ("whose predict gives labels only" if method is not None else "which has no predict_proba")
            + ": pass an estimator with predict_proba or decision_function, or a function from an array of "
            "series to scores, one row per series"
        )
    described = {"framework": kind.partition(".")[0], "class": f"{kind}.{name}"}
    # Of two classes a decision function gives the score of the second alone.
    one_column = name == "predict" or (
        name == "decision_function" and classes is not None and len(classes) == 2
    )
    names = None if classes is None or one_column else _names(classes)
    hints = Hints.of(owner)
    # Networks in wrappers take what their weights are of, most often float32.
    readings: list[Model] = [ArrayModel(method, one, described, hints) for one in _dtypes(dtype)]
    return Scorer(TriedModel(readings, hints), names, True if name == "predict_proba" else None)


def _names(classes: Any) -> tuple[str, ...] | None:
    """Names of an estimator's classes; None where they are the numbers of its outputs anyway."""
    listed = np.asarray(classes)
    if listed.ndim != 1 or (listed.dtype.kind in "iu" and np.array_equal(listed, np.arange(len(listed)))):
        return None
    return tuple(map(str, listed.tolist()))


def _is_session(model: Any) -> bool:
    return any(base.__module__.partition(".")[0] == "onnxruntime" for base in type(model).__mro__)


def _of_session(session: Any) -> Scorer:
    inputs = session.get_inputs()
    only = Declared.of(inputs[0]) if len(inputs) == 1 else None
    if only is None or only.type not in FLOATING:
        got = ", ".join(f"{one.name!r} of {one.type}" for one in inputs)
        raise TypeError(
            f"model must have one floating input, got a session with {got}: pass a function that fills in "
            "the others, such as lambda x: session.run(None, {'x': x, 'other': value})[0]"
        )
    described: dict[str, str | int | float] = {"framework": "onnxruntime", "class": "InferenceSession"}
    if only.shape and only.shape[0] is not None:
        described["fixed_batch"] = only.shape[0]
    floating = [one for one in session.get_outputs() if "string" not in one.type and "int" not in one.type]
    # Of a converted classifier the labels stand before the scores.
    wanted = [one.name for one in floating]

    def run(x: np.ndarray) -> Any:
        found = session.run(wanted, {only.name: x})
        return found[0] if len(found) == 1 else dict(zip(wanted, found, strict=True))

    hints = Hints(shape=(None, *only.shape[1:])) if len(only.shape) > 1 else Hints()
    return Scorer(ArrayModel(run, DTYPES[only.type], described, hints))


def _of_file(path: str, dtype: torch.dtype | None, device: torch.device | str | None, trust: bool) -> Scorer:
    try:
        return Scorer(as_model(path, dtype=dtype, device=device, trust=trust))
    except ConversionError:
        # Trees, and other operators that have no gradient, run all the same; what a file may not do, it may
        # not do either.
        return _of_session(session_of(path, path))

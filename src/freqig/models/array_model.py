"""Models that score arrays of NumPy, and of which nothing but their outputs is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from ..errors import CALLED, add_context
from .base import NOT_DIFFERENTIABLE, Explained, Model
from .hints import Hints
from .joined import BeginningOfInput, JoinedInputs


class ArrayModel(Model):
    """A function from arrays to scores, without gradients.

    Arrays are copied on the way in, so that a function that works in place changes nothing.

    Parameters
    ----------
    function : callable
        Takes an array of shape (P, *shape) and the further arguments; returns an array of floating
        scores with P first, or a tuple, list or dict of such.
    dtype : torch.dtype, default torch.float64
        Dtype of the arrays.
    description : mapping of str to str or int, optional
        What the attributes of results call the model.
    hints : Hints, optional
        What the model says of its input.

    Examples
    --------
    >>> ArrayModel(lambda x: x.mean(-1)).outputs(torch.ones(2, 5), ()).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        dtype: torch.dtype = torch.float64,
        description: Mapping[str, str | int | float] | None = None,
        hints: Hints | None = None,
    ) -> None:
        self.function = function
        self.dtype = dtype
        self.device = torch.device("cpu")
        name = str(getattr(function, "__qualname__", type(function).__qualname__))
        self.description = {"framework": f"numpy {np.__version__}", "class": name, **(description or {})}
        self.hints = hints or Hints()
        self._inputs: JoinedInputs | BeginningOfInput | None = None

    def of_inputs(self, inputs: JoinedInputs | BeginningOfInput) -> ArrayModel:
        twin = copy(self)
        twin._inputs = inputs
        return twin

    def outputs(self, points: Tensor, extra: tuple[Any, ...]) -> Any:
        inputs = (points,) if self._inputs is None else self._inputs(points)
        arrays = [_array(one) for one in inputs]
        further = [_array(one) if isinstance(one, Tensor) else one for one in extra]
        try:
            found = self.function(*arrays, *further)
        except Exception as error:
            add_context(error, f"{CALLED} shape {arrays[0].shape}, a NumPy array of {arrays[0].dtype}")
            raise
        return as_scores(found)

    def value_and_gradient(
        self, points: Tensor, extra: tuple[Any, ...], explained: Explained
    ) -> tuple[Tensor, Tensor]:
        raise ValueError(NOT_DIFFERENTIABLE)


def as_scores(found: Any) -> Any:
    """What a function returned, with tensors for its arrays.

    Parts of a tuple, list or dict that are no scores, such as labels beside them, stay what they are.

    Raises
    ------
    TypeError
        If it is one thing, and no array of floating scores.

    Examples
    --------
    >>> as_scores({"scores": np.ones(2)})
    {'scores': tensor([1., 1.], dtype=torch.float64)}
    """
    parts = _converted(found)
    if isinstance(parts, Tensor | Mapping | tuple | list):
        if isinstance(parts, Tensor) and not parts.is_floating_point():
            _refuse(f"a tensor of {parts.dtype}")
        return parts
    dtype = f" of dtype {parts.dtype}" if isinstance(parts, np.ndarray) else ""
    return _refuse(f"{type(found).__name__}{dtype}")


def _converted(found: Any) -> Any:
    if isinstance(found, Tensor):
        return found.detach().clone()
    if isinstance(found, Mapping):
        return {key: _converted(value) for key, value in found.items()}
    if isinstance(found, tuple):
        return tuple(map(_converted, found))
    if isinstance(found, list) and any(isinstance(one, (np.ndarray, list, Mapping)) for one in found):
        rows = _rows_of_numbers(found)
        return [_converted(one) for one in found] if rows is None else _converted(rows)
    try:
        array = np.asarray(found)
    except Exception:  # noqa: BLE001 - whatever an object raises that is no array
        return found
    if array.dtype.kind != "f":
        return array if array.dtype.kind in "biuOUS" and array.ndim else found
    # A copy: a model may write the outputs of its next call to the same memory. NumPy's longdouble is none
    # of PyTorch's.
    wide = np.float64 if array.dtype.itemsize > 8 else array.dtype.newbyteorder("=")
    return torch.from_numpy(np.array(array, wide, order="C"))


def _rows_of_numbers(found: list[Any]) -> np.ndarray | None:
    """Rows of scores as lists, or as dicts of classes as ONNX writes them, in one array; None for others."""
    first = found[0]
    if isinstance(first, Mapping) and all(isinstance(one, Mapping) for one in found):
        return np.array([[one[key] for key in first] for one in found])
    if isinstance(first, list) and all(isinstance(value, float) for value in first):
        return np.array(found)
    return None


def _refuse(got: str) -> NoReturn:
    raise TypeError(
        f"the model must return floating scores, got {got}: labels of classes cannot be explained. Return "
        "probabilities or scores of the classes, or numbers that mean amounts as .astype(float)"
    )


def _array(tensor: Tensor) -> np.ndarray:
    return np.array(tensor.detach().cpu().numpy(), order="C")

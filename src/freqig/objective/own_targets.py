"""Numbers of a target, and what is said of targets that are no class numbers."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import shown


def own_target(target: Any, n_samples: int) -> Tensor:
    """What a callable scale gets: its targets are its own, and only their number is checked.

    Parameters
    ----------
    target : number, tuple, sequence, array or tensor
        A number or a tuple (nested, if need be): one thing for all samples. A list, array or
        tensor: one thing per sample, along its first axis.
    n_samples : int
        Number of samples N.

    Returns
    -------
    torch.Tensor
        Shape (N, 1, ...): the axis of one is that of several targets. Integers are int64.

    Raises
    ------
    ValueError
        If there is not one thing per sample, or a tuple of N sequences can be read in two ways.
    TypeError
        If it is not numeric.

    Examples
    --------
    >>> own_target([[10, 60], [20, 70]], 2).tolist(), own_target((10, 60), 2).tolist()
    ([[[10, 60]], [[20, 70]]], [[[10, 60]], [[10, 60]]])
    """
    values = as_array(target)
    if values.dtype.kind not in "biuf":
        raise TypeError(
            "target of a callable output must be numeric, since tensors follow the samples to it, got "
            f"{shortened(target)}: let the callable hold anything else, for example by functools.partial"
        )
    if values.dtype.kind in "iu":
        values = values.astype(np.int64)
    elif values.dtype.kind == "f" and values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    values = np.array(values, values.dtype.newbyteorder("="), order="C")
    tensor = torch.from_numpy(values)
    if isinstance(target, tuple) and tensor.ndim > 1 and len(tensor) == n_samples > 1:
        raise ValueError(
            f"target as a tuple is one thing for all samples, but a tuple of {n_samples} sequences may also "
            "mean one per sample: pass a list for one per sample, or [target] * len(x) for one for all"
        )
    if isinstance(target, tuple) or tensor.ndim == 0:
        tensor = tensor.expand(n_samples, *tensor.shape)
    elif len(tensor) != n_samples:
        raise ValueError(
            f"target as a list, array or tensor must hold one thing per sample, {n_samples}, got "
            f"{len(tensor)} (shape {tuple(tensor.shape)}): for one thing for all samples pass a number "
            "or a tuple"
        )
    return tensor.unsqueeze(1)


def about_table(array: np.ndarray, n_samples: int, axes: tuple[int, ...]) -> str:
    """What to do with tables that are often at hand where targets are."""
    if array.ndim == 2 and len(array) == n_samples and len(axes) == 1:
        if array.shape[1] == axes[0] and _is_one_hot(array):
            return "It looks one-hot: pass np.argmax(target, -1)"
        if array.shape[1] == 3:
            return (
                "If these are the events of Epochs, their codes are events[:, 2]: pass class numbers for them"
            )
    return ""


def _is_one_hot(array: np.ndarray) -> bool:
    return bool(np.isin(array, (0, 1)).all() and (array.sum(-1) == 1).all())


def about_codes(values: np.ndarray) -> str:
    """What to do with codes of events, or labels that do not begin at 0."""
    codes = np.unique(values)
    listed = ", ".join(map(str, codes[:5])) + (", …" if len(codes) > 5 else "")
    return (
        f". The targets are {listed}: if these are codes of events or labels, turn them into the class "
        "numbers that the model was trained on, such as target=[classes.index(code) for code in codes]"
    )


def as_integers(target: Any, n_samples: int, axes: tuple[int, ...]) -> np.ndarray:
    """Target as an int64 array of any shape; TypeError or ValueError with advice where it has no integers."""
    array = as_array(target)
    kind = array.dtype.kind
    whole = kind == "O" and array.size and all(_is_integer(value) for value in array.flat)
    if kind in "iu" or array.size == 0 or whole:
        try:
            return array.astype(np.int64)
        except OverflowError:
            raise ValueError(f"target must be numbers of classes, got {shortened(target)}") from None
    first = array.flat[0]
    if isinstance(first, (str, bytes)):
        raise ValueError(  # noqa: TRY004 - a name is a wrong value of what selects a class
            f"target must consist of integers, got {about_name(str(first), axes)}"
        )
    if array.shape == (n_samples, *axes) and array.ndim == 2 and kind in "bf" and _is_one_hot(array):
        advice = ": it looks one-hot, pass np.argmax(target, -1)"
    elif kind == "f":
        remedy = "int(target)" if array.ndim == 0 else "target.astype(int)"
        advice = f": class numbers are integers, such as {remedy}"
    elif kind == "b" or any(isinstance(value, (bool, np.bool_)) for value in array.flat):
        advice = (
            ": a truth value is no class number. Pass it as int for the classes 0 and 1; samples are chosen "
            "by x[mask]"
        )
    else:
        advice = ""
    raise TypeError(f"target must consist of integers, got {shortened(target)} (dtype {array.dtype}){advice}")


def as_array(target: Any) -> np.ndarray:
    """Target as an array; mixed kinds keep their own types, so that True is not taken for 1."""
    if isinstance(target, Tensor):
        return _values(target)
    if isinstance(target, Sequence) and not isinstance(target, (str, bytes)):
        parts = [_values(part) if isinstance(part, Tensor) else part for part in target]
        try:
            kinds = (
                {np.asarray(part).dtype.kind for part in parts if np.ndim(part) == 0}
                if _flat(parts)
                else set()
            )
            return np.array(parts, dtype=object if "b" in kinds and len(kinds) > 1 else None)
        except ValueError:
            raise ValueError("target must hold indices of one length, got a ragged sequence") from None
        except Exception:  # noqa: BLE001 - as below
            kinds_of = ", ".join(sorted({type(part).__name__ for part in parts}))
            raise TypeError(
                f"target must be class numbers, got {kinds_of}, which NumPy cannot read"
            ) from None
    try:
        return np.asarray(target)
    except Exception:  # noqa: BLE001 - whatever an object raises that is no array
        kind = type(target).__name__
        raise TypeError(f"target must be class numbers, got {kind}, which NumPy cannot read") from None


def _values(target: Tensor) -> np.ndarray:
    try:
        values: np.ndarray = target.detach().cpu().numpy()
    except (TypeError, RuntimeError) as error:
        kind = f"a tensor of layout {target.layout} on {target.device}"
        raise TypeError(f"target must be class numbers that NumPy can read, got {kind}: {error}") from None
    return values


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_, np.timedelta64))


def _flat(parts: list[Any]) -> bool:
    return not any(isinstance(part, (list, tuple, np.ndarray)) and np.ndim(part) > 0 for part in parts)


def about_name(name: str, axes: tuple[int, ...]) -> str:
    """What to do with the name of a class."""
    if name.lower() in ("predicted", "argmax", "auto"):
        return f"{name!r}: the predicted class is target=None, the default"
    highest = f"0..{axes[0] - 1} here" if len(axes) == 1 else "see the order of the model's outputs"
    return (
        f"{name!r}: classes are numbers, {highest}. Look its number up in the list of names with which "
        f"the model was trained, such as target=names.index({name!r})"
    )


def shortened(target: Any) -> str:
    """A target as errors show it."""
    text = shown(target)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""From what a caller may write as `target` to one output index per sample."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..rows import one_row
from .classes import possible_readings
from .own_targets import about_codes, about_name, about_table, as_integers, shortened


@runtime_checkable
class ArrayLike(Protocol):
    """What NumPy can read: a column of a table, a variable of a Dataset."""

    def __array__(self) -> np.ndarray: ...


Target = float | Sequence[Any] | ArrayLike | Tensor | None
"""Numbers of classes; floats, which only a callable scale takes, are told so where they are read."""


def resolve_target(target: Target, outputs: Tensor, class_axis: int | None = None) -> Tensor:
    """One output index per sample.

    Parameters
    ----------
    target : int, tuple, sequence, array, tensor, "all" or None
        An int: one class for all samples. A tuple: one index for all samples, for outputs
        with more axes; its numbers are in the order of the output axes, wherever the classes are.
        A list, array or tensor: one per sample (a list of tuples or a 2-D array: one index per
        sample). None: the predicted class of each sample. "all": every class. Where the axis of
        the classes is known, a tuple may hold None or "all" in its place.
    outputs : torch.Tensor
        Raw outputs at the input, shape (N, *axes); models with one output have axes (1,).
    class_axis : int, optional
        Axis of `outputs` that holds the classes, the batch axis being 0. Default: that of outputs
        with two axes; else not known.

    Returns
    -------
    torch.Tensor
        Indices, int64, shape (N, T, len(axes)); T is 1 unless every class is asked for.

    Raises
    ------
    ValueError
        If an index is out of range or negative, or the number of targets is not that of
        samples, or the class or the place in outputs with more than two axes is not said.
    TypeError
        If an index is not an integer.

    Examples
    --------
    >>> resolve_target(None, torch.tensor([[0.1, 0.9], [0.7, 0.3]])).flatten().tolist()
    [1, 0]
    """
    n_samples, axes = len(outputs), tuple(outputs.shape[1:])
    axis = 1 if class_axis is None and len(axes) == 1 else class_axis
    word, index = _split(target, axes, axis)
    indices = _checked(_as_indices(index, n_samples, axes, axis), axes, index).unsqueeze(1)
    if word == "given" or axis is None:
        return indices
    if word == "all":
        classes = torch.arange(axes[axis - 1])
        indices = indices.repeat(1, len(classes), 1)
    else:
        classes = predicted_class(outputs, indices, axis).cpu().unsqueeze(1)
    indices[..., axis - 1] = classes
    return indices


def _split(
    target: Any, axes: tuple[int, ...], class_axis: int | None
) -> tuple[Literal["given", "predicted", "all"], Any]:
    """What of a target says how the class is chosen, and an index, with 0 where the class is open."""
    if isinstance(target, (np.ndarray, Tensor)) and target.ndim == 0:
        target = target.item()
    if isinstance(target, str) and target != "all":
        raise ValueError(
            f'target must be an index, a sequence of them, "all" or None, got {about_name(target, axes)}'
        )
    only_class = _is_open(target) or (isinstance(target, Integral) and len(axes) > 1)
    if only_class and class_axis is not None and _one_place(axes, class_axis):
        # Where there is only one place, a class is enough.
        target = tuple(target if a == class_axis - 1 else 0 for a in range(len(axes)))
    if _is_open(target):
        raise ValueError(_where_is_missing(target, axes, class_axis))
    places = [a for a, part in enumerate(target) if _is_open(part)] if isinstance(target, tuple) else []
    if not places:
        return "given", target
    if class_axis is None or places != [class_axis - 1]:
        raise ValueError(
            f"target may hold None or 'all' in the place of the classes only, got {target!r} for outputs of "
            f"shape {('N', *axes)}, {_known(axes, class_axis)}"
        )
    word: Literal["predicted", "all"] = "predicted" if target[class_axis - 1] is None else "all"
    return word, tuple(0 if _is_open(part) else part for part in target)


def predicted_class(outputs: Tensor, targets: Tensor, class_axis: int = -1) -> Tensor:
    """Class with the largest raw output, int64, shape (N,).

    Parameters
    ----------
    outputs : torch.Tensor
        Raw outputs, shape (N, *axes).
    targets : torch.Tensor
        Output indices, int64, shape (N, T, len(axes)). The axes beside that of the classes are
        taken where the first target of the sample says.
    class_axis : int, default -1
        Axis of `outputs` that holds the classes.
    """
    outputs = outputs.movedim(class_axis, -1)
    sample = torch.arange(len(outputs), device=outputs.device)
    place = list(targets[:, 0].to(outputs.device).unbind(-1))
    del place[class_axis if class_axis < 0 else class_axis - 1]
    return outputs[(sample, *place)].argmax(-1)


def _one_place(axes: tuple[int, ...], class_axis: int) -> bool:
    """Whether there are no other axes, or of one place only."""
    return all(size == 1 for a, size in enumerate(axes) if a != class_axis - 1)


def _is_open(part: Any) -> bool:
    return part is None or (isinstance(part, str) and part == "all")


def _known(axes: tuple[int, ...], class_axis: int | None) -> str:
    if class_axis is not None:
        return f"whose classes are on axis {class_axis}"
    return f"which may be {possible_readings(axes)}: pass class_axis= to Explainer"


def _where_is_missing(target: str | None, axes: tuple[int, ...], class_axis: int | None) -> str:
    """Error of a target that names no place in outputs with more axes."""
    shape = ("N", *axes)
    if class_axis is not None:
        example = ", ".join(repr(target) if a == class_axis - 1 else "step" for a in range(len(axes)))
        return (
            f"target must be given for outputs of shape {shape}, whose classes are on axis {class_axis}: "
            "say which place is explained, by a tuple in the order of the output axes, such as "
            f"target=({example})"
        )
    if target == "all":
        says = 'target="all" explains every class of outputs of shape (N, classes)'
    else:
        says = (
            f"target must be given for a model with outputs of shape {shape}: with more than two output axes "
            "there is no one predicted class"
        )
    axis = " or ".join(f"class_axis={a + 1}" for a in range(len(axes)))
    return (
        f"{says}, and outputs of shape {shape} may be {possible_readings(axes)}. Pass {axis} to "
        "Explainer, and one index for all samples as a tuple in the order of the output axes, such as target="
        f"({', '.join('0' * len(axes))})"
    )


def _checked(indices: np.ndarray, axes: tuple[int, ...], target: Any) -> Tensor:
    """Indices of shape (N, len(axes)) as a tensor, ValueError where one is out of range."""
    wrong = (indices < 0) | (indices >= np.array(axes))
    if wrong.any():
        sample, axis = np.argwhere(wrong)[0]
        value = indices[sample, axis]
        where = f" on output axis {axis + 1}" if len(axes) > 1 else ""
        codes = "" if len(axes) > 1 or not (indices != indices[0]).any() else about_codes(indices[:, 0])
        if value < 0:
            codes += ". Classes are counted from 0: leave samples without one out"
        raise ValueError(
            f"target must be in 0..{axes[axis] - 1}{where} (the model has {axes[axis]} "
            f"output{'s' if axes[axis] > 1 else ''}), got {_as_given(target, int(sample), int(axis), value)}"
            + (f" for {one_row(int(sample))}" if len(indices) > 1 else "")
            + codes
        )
    return torch.from_numpy(indices)


def _with_place(target: Any, axes: tuple[int, ...], class_axis: int | None) -> str:
    """An index of outputs with more axes, of the class that was given, or of the first axis."""
    own = (class_axis or 1) - 1
    return f"({', '.join(repr(target) if a == own else '0' for a in range(len(axes)))})"


def _as_given(target: Any, sample: int, axis: int, value: Any) -> Any:
    """A number as the caller wrote it, which may be the name of a class."""
    one = target[sample] if isinstance(target, list) else target
    one = one[axis] if isinstance(one, (list, tuple)) else one
    return one if isinstance(one, int) else value


def _as_indices(target: Any, n_samples: int, axes: tuple[int, ...], class_axis: int | None) -> np.ndarray:
    """Target as an int64 array of shape (n_samples, len(axes)); ranges are not checked."""
    if isinstance(target, dict):
        raise TypeError(f"target must be a class number or one per sample, got a dict: {shortened(target)}")
    array = as_integers(target, n_samples, axes)
    if array.ndim == 0:
        if len(axes) > 1:
            raise ValueError(
                f"target must be a tuple of {len(axes)} numbers, in the order of the output axes, for "
                f"outputs of shape {('N', *axes)}, got {target!r}: say which place is explained, too, such "
                f"as target={_with_place(target, axes, class_axis)}"
            )
        return np.tile(array.reshape(1, 1), (n_samples, 1))
    if isinstance(target, tuple):
        if array.shape != (len(axes),):
            raise ValueError(
                f"target as a tuple is one index for all samples and needs {len(axes)} "
                f"number{'s' if len(axes) > 1 else ''} for outputs of shape {('N', *axes)}, "
                f"got {target}. For one target per sample pass a list"
            )
        return np.tile(array, (n_samples, 1))
    shape = (*array.shape, 1) if array.ndim == 1 and len(axes) == 1 else array.shape
    if shape != (n_samples, len(axes)):
        needed = f"({n_samples},)" if len(axes) == 1 else f"({n_samples}, {len(axes)})"
        raise ValueError(
            f"target must hold one index per sample, shape {needed}, got shape {array.shape}. "
            + (
                about_table(array, n_samples, axes)
                or "For one index for all samples pass an int, or a tuple for outputs with more axes"
            )
        )
    return array.reshape(shape)

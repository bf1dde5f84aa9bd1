"""From what a caller may write as `target` to one output index a sample."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor


@runtime_checkable
class ArrayLike(Protocol):
    """What NumPy can read: a column of a table, a variable of a Dataset."""

    def __array__(self) -> np.ndarray: ...


Target = int | Sequence[Any] | ArrayLike | Tensor | None


def resolve_target(target: Target, outputs: Tensor) -> Tensor:
    """One output index a sample.

    Parameters
    ----------
    target : int, tuple, sequence, array, tensor, "all" or None
        An int: one class for all samples. A tuple: one index for all samples, for outputs
        with more axes. A list, array or tensor: one a sample (a list of tuples or a 2-D array:
        one index a sample). None: the predicted class of each sample. "all": every class.
    outputs : torch.Tensor
        Raw outputs at the input, shape (N, *axes); models with one output have axes (1,).

    Returns
    -------
    torch.Tensor
        Indices, int64, shape (N, T, len(axes)); T is 1 unless `target` is "all".

    Raises
    ------
    ValueError
        If an index is out of range or negative, or the number of targets is not that of
        samples, or None or "all" is asked for outputs with more than two axes.
    TypeError
        If an index is not an integer.

    Examples
    --------
    >>> resolve_target(None, torch.tensor([[0.1, 0.9], [0.7, 0.3]])).flatten().tolist()
    [1, 0]
    """
    n_samples, axes = len(outputs), tuple(outputs.shape[1:])
    if target is None:
        if len(axes) > 1:
            raise ValueError(
                f"target must be given for a model with outputs of shape {('N', *axes)}: with more "
                "than two output axes there is no one predicted class. Pass one index for all "
                "samples as a tuple, such as target=(step, class)"
            )
        return outputs.argmax(-1).reshape(n_samples, 1, 1)
    if isinstance(target, str):
        return _every_class(target, n_samples, axes)
    indices = _as_indices(target, n_samples, axes)
    limits = np.array(axes)
    wrong = (indices < 0) | (indices >= limits)
    if wrong.any():
        sample, axis = np.argwhere(wrong)[0]
        where = f" on output axis {axis + 1}" if len(axes) > 1 else ""
        raise ValueError(
            f"target must be in 0..{axes[axis] - 1}{where} (the model has {axes[axis]} "
            f"output{'s' if axes[axis] > 1 else ''}), got {indices[sample, axis]}"
            + (f" for sample {sample}" if n_samples > 1 else "")
        )
    return torch.from_numpy(indices).unsqueeze(1)


def _every_class(target: str, n_samples: int, axes: tuple[int, ...]) -> Tensor:
    if target != "all":
        raise ValueError(f'target must be an index, a sequence of them, "all" or None, got {target!r}')
    if len(axes) > 1:
        raise ValueError(
            f'target="all" explains every class of outputs of shape (N, classes), got outputs of '
            f"shape {('N', *axes)}. Select one with output_key, or pass target=(step, class)"
        )
    return torch.arange(axes[0]).reshape(1, -1, 1).repeat(n_samples, 1, 1)


def _as_indices(target: Any, n_samples: int, axes: tuple[int, ...]) -> np.ndarray:
    """Target as an int64 array of shape (n_samples, len(axes)); ranges are not checked."""
    if isinstance(target, Tensor):
        target = target.detach().cpu().numpy()
    elif isinstance(target, ArrayLike):
        target = np.asarray(target)
    if isinstance(target, np.ndarray) and target.ndim == 0:
        target = target.item()
    if isinstance(target, tuple):
        index = _integers(target)
        if index.shape != (len(axes),):
            raise ValueError(
                f"target as a tuple is one index for all samples and needs {len(axes)} "
                f"number{'s' if len(axes) > 1 else ''} for outputs of shape {('N', *axes)}, "
                f"got {target}. For one target a sample pass a list"
            )
        return np.tile(index, (n_samples, 1))
    if isinstance(target, (Sequence, np.ndarray)):
        indices = _integers(target if isinstance(target, np.ndarray) else list(target))
        if indices.ndim == 1 and len(axes) == 1:
            indices = indices[:, None]
        if indices.shape != (n_samples, len(axes)):
            needed = f"({n_samples},)" if len(axes) == 1 else f"({n_samples}, {len(axes)})"
            raise ValueError(
                f"target must hold one index a sample, shape {needed}, got shape {indices.shape}. "
                "For one index for all samples pass an int, or a tuple for outputs with more axes"
            )
        return indices
    if len(axes) > 1:
        raise ValueError(
            f"target must be a tuple of {len(axes)} numbers for outputs of shape {('N', *axes)}, "
            f"got {target!r}"
        )
    return np.tile(_integers([target]), (n_samples, 1))


def _integers(values: Any) -> np.ndarray:
    if isinstance(values, (list, tuple)):
        for value in values:
            if isinstance(value, (bool, np.bool_)) or not isinstance(
                value, (Integral, tuple, list, np.ndarray, Tensor)
            ):
                raise TypeError(f"target must consist of integers, got {value!r}")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError("target must hold indices of one length, got a ragged sequence") from None
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"target must consist of integers, got dtype {array.dtype}")
    return array.astype(np.int64)


def predicted_class(outputs: Tensor, targets: Tensor) -> Tensor:
    """Class with the largest raw output, int64, shape (N,).

    For outputs with more axes the class axis is the last, and the others are taken where the
    first target of the sample says.
    """
    sample = torch.arange(len(outputs), device=outputs.device)
    *leading, _ = targets[:, 0].to(outputs.device).unbind(-1)
    return outputs[(sample, *leading)].argmax(-1) if leading else outputs.argmax(-1)

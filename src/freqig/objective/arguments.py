"""Further arguments of a model: which hold one entry per sample, and on which axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, SupportsIndex

import numpy as np
import torch
from torch import Tensor

from .._check import check_integer, check_unmasked
from ..models.base import first_axis

NAME = "additional_forward_args"
SampleAxis = Callable[[int, tuple[int, ...], int], int | None]
"""Axis on which a further argument, by position and shape, may follow so many samples; None for none."""
MOST_UNDECIDED = 6


@dataclass(frozen=True, eq=False)
class PerSample:
    """What `per_sample` returns: an argument that follows the samples.

    Parameters
    ----------
    value : torch.Tensor
        The argument.
    axis : int
        Axis of samples, counted from 0.
    """

    value: Tensor
    axis: int


@dataclass(frozen=True, eq=False)
class Shared:
    """What `shared` returns: an argument that is the same for all samples.

    Parameters
    ----------
    value : object
        The argument.
    """

    value: Any


def per_sample(values: Any, axis: SupportsIndex = 0) -> PerSample:
    """Say that a further argument of the model holds one entry per sample.

    freqig calls the model with batches of its own, in which a sample comes many times. The entries of
    this argument are repeated and put in order along with them.

    Parameters
    ----------
    values : torch.Tensor or array-like
        The argument, with at least one axis.
    axis : int, default 0
        Axis that counts the samples: 1 for the state of a recurrent layer, (layers, N, units).

    Returns
    -------
    PerSample
        For `additional_forward_args`, alone or in a tuple.

    Raises
    ------
    TypeError
        If the values are not numbers, or `axis` is no integer.
    ValueError
        If there is no such axis.

    Examples
    --------
    >>> import freqig, numpy as np
    >>> gain = freqig.per_sample(np.array([1.0, 2.0]))
    >>> model = lambda x, gain: x.mean(-1) * gain
    >>> result = freqig.Explainer(model)(np.ones((2, 8)), target=0, additional_forward_args=gain)
    >>> result.output.values
    array([1., 2.])
    """
    if isinstance(values, (PerSample, Shared)):
        raise TypeError("values must be said to be per_sample or shared once, got what was said already")
    tensor = _as_numbers(values)
    axis = check_integer(axis, "axis")
    if not -tensor.ndim <= axis < tensor.ndim:
        raise ValueError(
            f"axis must be an axis of the values, which have shape {tuple(tensor.shape)}, got {axis}"
        )
    return PerSample(tensor, axis % tensor.ndim)


def shared(value: Any) -> Shared:
    """Say that a further argument of the model is the same for all samples.

    Needed only where its first axis happens to be as long as the batch, and the model accepts it in parts
    as well as whole: an electrode adjacency (4, 4) beside 4 samples.

    Parameters
    ----------
    value : object
        The argument. Arrays reach the model as tensors, everything else as it is.

    Returns
    -------
    Shared
        For `additional_forward_args`, alone or in a tuple.

    Raises
    ------
    TypeError
        If it was said already.

    Examples
    --------
    >>> import freqig, numpy as np
    >>> weights = freqig.shared(np.array([1.0, 2.0], dtype=np.float32))
    >>> model = lambda x, weights: x @ weights
    >>> result = freqig.Explainer(model)(np.ones((2, 2)), target=0, additional_forward_args=weights)
    >>> result.output.values
    array([3., 3.])
    """
    if isinstance(value, (PerSample, Shared)):
        raise TypeError("value must be said to be per_sample or shared once, got what was said already")
    return Shared(value)


@dataclass(frozen=True)
class Extra:
    """Further arguments of the model, and how they follow the points.

    Parameters
    ----------
    values : tuple
        The arguments.
    axes : tuple of int or None
        Axis of samples of each; None for what is the same for all.
    undecided : tuple of int
        Positions of tensors of which nothing was said, and which have an axis as long as the batch where
        samples may be. Until a reading is chosen they follow the samples.
    hints : tuple of str
        What may be meant by other tensors of which nothing was said, for errors of the model.
    """

    values: tuple[Any, ...] = ()
    axes: tuple[int | None, ...] = ()
    undecided: tuple[int, ...] = ()
    hints: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        arguments: Any,
        n_samples: int,
        device: torch.device,
        sample_axis: SampleAxis | None = None,
    ) -> Extra:
        """Read `additional_forward_args`: None, one object, or a tuple or list of them.

        `sample_axis` is what the model says of arguments of which the caller said nothing; by default
        samples are on the first axis.

        Raises
        ------
        TypeError
            If `per_sample` or `shared` is hidden inside a dict or list.
        ValueError
            If what is `per_sample` has another number of entries than there are samples.
        """
        if arguments is None:
            return cls()
        given = tuple(arguments) if isinstance(arguments, (tuple, list)) else (arguments,)
        values, axes, undecided, hints = [], list[int | None](), [], []
        for i, one in enumerate(given):
            name = NAME if len(given) == 1 else f"{NAME}[{i}]"
            said = isinstance(one, (PerSample, Shared))
            value = _usable(one.value if isinstance(one, (PerSample, Shared)) else one, device)
            axis = one.axis if isinstance(one, PerSample) else None
            _check(value, axis, n_samples, name)
            if not said and isinstance(value, Tensor):
                axis = (sample_axis or first_axis)(i, tuple(value.shape), n_samples)
                if axis is not None:
                    undecided.append(i)
                elif n_samples in value.shape[1:]:
                    hints.append(
                        f"{name}, of shape {tuple(value.shape)}, goes whole to every call: where an axis "
                        f"holds the {n_samples} samples, pass freqig.per_sample(value, axis="
                        f"{value.shape.index(n_samples)})"
                    )
            elif not said and _counts(value, n_samples):
                hints.append(
                    f"{name}, a {type(value).__name__}, goes as it is to every call: what holds an entry for "
                    f"each of the {n_samples} samples, pass by itself, as freqig.per_sample(values)"
                )
            values.append(value)
            axes.append(axis)
        return cls(tuple(values), tuple(axes), tuple(undecided), tuple(hints))

    @property
    def follows(self) -> tuple[bool, ...]:
        """Which arguments follow the samples."""
        return tuple(axis is not None for axis in self.axes)

    def at(self, rows: Tensor) -> tuple[Any, ...]:
        """Arguments for points that belong to the samples `rows`."""
        return tuple(
            value if axis is None else value.index_select(axis, rows)
            for value, axis in zip(self.values, self.axes, strict=True)
        )

    def block(self, start: int, stop: int) -> Extra:
        """Arguments of the samples start..stop alone, counted from zero."""
        values = tuple(
            value if axis is None else value.narrow(axis, start, stop - start)
            for value, axis in zip(self.values, self.axes, strict=True)
        )
        return replace(self, values=values)

    def readings(self) -> Iterator[Extra]:
        """What the arguments can mean: all that is undecided per sample first, all of it shared last.

        Raises
        ------
        ValueError
            If there are too many to be tried.
        """
        if len(self.undecided) > MOST_UNDECIDED:
            raise ValueError(
                f"{NAME} must say which tensors hold one entry per sample, for {len(self.undecided)} of them "
                "are as long as the batch: wrap each in freqig.per_sample(value) or freqig.shared(value)"
            )
        for chosen in product(*((self.axes[i], None) for i in self.undecided)):
            axes = list(self.axes)
            for i, axis in zip(self.undecided, chosen, strict=True):
                axes[i] = axis
            yield replace(self, axes=tuple(axes), undecided=())

    def named(self, i: int) -> str:
        """Argument `i` with its shape, as errors call it."""
        name = NAME if len(self.values) == 1 else f"{NAME}[{i}]"
        return f"{name}, of shape {tuple(self.values[i].shape)},"


def _counts(value: Any, n_samples: int) -> bool:
    """Whether an object that is no tensor, or one inside it, has as many entries as there are samples."""
    sized = [one for one in (value, *_inside(value)) if isinstance(one, Sized) and not isinstance(one, str)]
    return any(getattr(one, "shape", (1,)) != () and len(one) == n_samples for one in sized)


def _inside(value: Any) -> list[Any]:
    held = value.values() if isinstance(value, dict) else value
    return [*held] if isinstance(value, (dict, list, tuple)) else []


def _check(value: Any, axis: int | None, n_samples: int, name: str) -> None:
    if any(isinstance(part, (PerSample, Shared)) for part in _inside(value)):
        raise TypeError(
            f"{name} must be an argument of the model as a whole where it is per_sample or shared, got one "
            f"inside a {type(value).__name__}: make it an argument of its own"
        )
    if axis is not None and value.shape[axis] != n_samples:
        raise ValueError(
            f"{name} must have one entry per sample on axis {axis}, as per_sample says, got shape "
            f"{tuple(value.shape)} for {n_samples} samples: pass axis= of the axis that counts the samples"
        )


def _as_numbers(values: Any) -> Tensor:
    """Tensor of what is per sample; lists are read as NumPy reads them."""
    tensor = values
    check_unmasked(values, "values")
    if isinstance(values, (list, tuple)) and values and all(isinstance(part, Tensor) for part in values):
        tensor = torch.stack(list(values))
    elif not isinstance(values, Tensor):
        try:
            tensor = _usable(np.asarray(values), torch.device("cpu"))
        except Exception as error:  # noqa: BLE001 - whatever an object raises that is no array
            raise TypeError(
                f"values must be numbers, one entry per sample, got {type(values).__name__}: {error}"
            ) from None
    if not isinstance(tensor, Tensor):
        raise TypeError(f"values must be numbers, one entry per sample, got {type(values).__name__}")
    return tensor


def _usable(value: Any, device: torch.device) -> Any:
    """Arrays of numbers as tensors, like the input; tensors on the device; other objects as they are."""
    check_unmasked(value, NAME)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        # PyTorch takes neither negative strides nor the other byte order.
        value = torch.from_numpy(np.array(value, value.dtype.newbyteorder("="), order="C"))
    if not isinstance(value, Tensor):
        return value
    if value.is_meta:
        raise ValueError(f"{NAME} must hold values, got a tensor on the device 'meta'")
    value = value.detach().to(device)
    # Autograd saves no tensor made under inference_mode; a copy made outside it, as here, will do.
    return value.clone() if value.is_inference() else value

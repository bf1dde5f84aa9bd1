"""Reads signals of many kinds: values with their labels, then axes in their places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .._tensor_check import check_real
from .arrays import as_tensor
from .dataarrays import CHANNEL, SAMPLE, batch_of, is_dataarray, read_dataarray, time_of
from .recordings import is_recording, read_recording
from .signal import Signal
from .tables import is_table, read_table


def labelled(x: Any, name: str) -> Signal:
    """Whatever holds signals, axes as they come.

    Parameters
    ----------
    x : array-like, torch.Tensor, pandas.DataFrame, xarray.DataArray, or MNE Raw, Epochs or Evoked
        Real signals.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    Signal
        Values, and the labels that `x` had. Finiteness is not checked.

    Raises
    ------
    TypeError
        If `x` holds no numbers.
    ValueError
        If it is not rectangular, or contradicts itself.

    Examples
    --------
    >>> labelled([[1.0, 2.0]], "x").values.shape
    torch.Size([1, 2])
    """
    if is_recording(x):
        return read_recording(x, name)
    if is_dataarray(x):
        return read_dataarray(x, name)
    if is_table(x):
        labels = {SAMPLE: tuple(x.index.tolist())} if x.ndim > 1 else {}
        return Signal(torch.as_tensor(read_table(x, name)), labels=labels)
    return Signal(as_tensor(x, name))


def read_signal(x: Any, time_axis: int, name: str = "x") -> Signal:
    """Read a batch of signals, time last.

    Parameters
    ----------
    x : array-like, torch.Tensor, pandas.DataFrame, xarray.DataArray, or MNE Raw, Epochs or Evoked
        Batch first. A DataArray is read by the names `sample`, `channel` and `time` of its
        dimensions, where it has them, and its sampling rate is that of the time coordinate; MNE
        objects carry theirs in `info`.
    time_axis : int
        Axis of time, moved to the end.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    Signal
        Values of shape (N, *axes, n), and labels.

    Raises
    ------
    TypeError
        If `x` is not numeric, or complex.
    ValueError
        If `x` has no batch axis, no samples in time, or holds NaN or infinity.

    Examples
    --------
    >>> read_signal([[1.0, 2.0, 3.0]], -1).values.shape
    torch.Size([1, 3])
    """
    signal = placed(labelled(x, name), time_axis, name)
    check_shape(signal.values, name)
    # Names tell which axis is time in `x`, and not which the model takes for it.
    _check_axis(time_axis, signal.values, name)
    check_real(signal.values, name)
    # Of several inputs the model is asked which one has another layout.
    if signal.dims is None and not name.endswith("]"):
        _refuse_no_time(signal.values, time_axis, name)
    return signal


def placed(signal: Signal, time_axis: int, name: str) -> Signal:
    """The signal with its samples first and time last.

    Parameters
    ----------
    signal : Signal
        As `labelled` returns it.
    time_axis : int
        Axis of time, where no dimension is called so.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    Signal
        One sample without a batch axis, as dimensions (channel, time) show it, gets one.
    """
    if signal.dims is None:
        return replace(signal, values=_time_last(signal.values, time_axis, name))
    batch = batch_of(signal.dims)
    time = time_of(signal.dims, time_axis, name)
    between = [dim for dim in signal.dims if dim not in (batch, time)]
    if batch is None:
        values = signal.values.permute(*(signal.dims.index(dim) for dim in (*between, time))).unsqueeze(0)
        return replace(signal, values=values, dims=(SAMPLE, *between, time))
    if batch == CHANNEL or time == batch:
        raise ValueError(
            f"{name} must have a dimension of samples, {SAMPLE!r}, got {signal.dims}: rename one, "
            f"{name}.rename(...), or add it for one sample, {name}.expand_dims({SAMPLE!r})"
        )
    dims = (batch, *between, time)
    return replace(signal, values=signal.values.permute(*(signal.dims.index(dim) for dim in dims)), dims=dims)


def check_shape(values: Tensor, name: str) -> None:
    """ValueError unless there is a batch axis, and at least one value in every sample."""
    if values.ndim < 2:
        if name.endswith("[1]") and not values.dtype.is_floating_point:
            raise ValueError(
                f"{name} must be signals like {name[:-3]}[0], got {len(values) if values.ndim else 1} whole "
                f"numbers: labels are no input. Pass {name[:-3]}[0] alone, with target= or truth="
            )
        raise ValueError(
            f"{name} must have a batch axis first, shape (samples, ..., time), got shape "
            f"{tuple(values.shape)}: for one series pass {name}[None], or {name}[None, None] where the model "
            "takes (batch, channel, time)"
        )
    if 0 in values.shape[1:]:
        raise ValueError(
            f"{name} must have at least one channel and one sample in time, got shape {tuple(values.shape)}"
        )


def _refuse_no_time(values: Tensor, time_axis: int, name: str) -> None:
    """ValueError where the axis that was taken for time has one value, and another has more."""
    n_others = max(values.shape[1:-1], default=1)
    if values.shape[-1] == 1 and n_others > 1:
        given = tuple(values.movedim(-1, time_axis).shape)
        axis = next(axis for axis in range(1, len(given)) if given[axis] == n_others)
        raise ValueError(
            f"time_axis must be the axis of time in {name}, got {time_axis}, which has a single value of "
            f"shape {given}: pass time_axis={axis} where series are {n_others} values long"
        )


def _time_last(values: Tensor, time_axis: int, name: str) -> Tensor:
    if values.ndim < 2:
        return values
    _check_axis(time_axis, values, name)
    return values.movedim(time_axis, -1)


def _check_axis(time_axis: int, values: Tensor, name: str) -> None:
    """ValueError unless signals have such an axis beside that of the batch."""
    if not -values.ndim <= time_axis < values.ndim:
        raise ValueError(
            f"time_axis must be an axis of {name}, which has shape {tuple(values.shape)}, got {time_axis}"
        )
    if time_axis % values.ndim == 0:
        raise ValueError("time_axis must not be 0, the batch axis")

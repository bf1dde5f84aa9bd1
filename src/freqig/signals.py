"""Reads signals of many kinds into a tensor, with what they say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._check import check_fs, check_real


@dataclass(frozen=True)
class Signal:
    """Signals with time on the last axis, and labels where the caller's object had some.

    Parameters
    ----------
    values : torch.Tensor
        Real signals, shape (N, *axes, n), any floating or integer dtype.
    fs : float or None
        Sampling rate in Hz that the object carried.
    channels : tuple of str or None
        Names of the channels.
    """

    values: Tensor
    fs: float | None = None
    channels: tuple[str, ...] | None = None


def read_signal(x: Any, time_axis: int, name: str = "x") -> Signal:
    """Read a batch of signals.

    Parameters
    ----------
    x : array-like, torch.Tensor, xarray.DataArray, or MNE Raw or Epochs
        Batch first. A DataArray with a `time` dimension is read along it, and its sampling
        rate is that of the time coordinate; MNE objects carry theirs in `info`.
    time_axis : int
        Axis of time, moved to the end.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    Signal
        Values and labels.

    Raises
    ------
    TypeError
        If `x` is not numeric, or complex.
    ValueError
        If `x` has no batch axis, no samples in time, or holds NaN or infinity.
    """
    if hasattr(x, "get_data") and hasattr(x, "info"):
        signal = _from_mne(x)
    elif hasattr(x, "dims") and hasattr(x, "coords"):
        signal = _from_xarray(x, time_axis, name)
    else:
        signal = Signal(_move_time(as_tensor(x, name), time_axis, name))
    values = signal.values
    if values.ndim < 2:
        raise ValueError(
            f"{name} must have a batch axis first, shape (samples, ..., time), got shape "
            f"{tuple(values.shape)}: for one series pass {name}[None]"
        )
    if 0 in values.shape[1:]:
        raise ValueError(
            f"{name} must have at least one channel and one sample in time, got shape {tuple(values.shape)}"
        )
    check_real(values, name)
    return signal


def as_tensor(x: Any, name: str) -> Tensor:
    """Array-likes as a real tensor; complex and non-numeric input is refused."""
    if isinstance(x, Tensor):
        tensor = x.detach()
    else:
        if isinstance(x, (list, tuple)) and any(isinstance(part, Tensor) for part in x):
            x = [part.detach().cpu().numpy() if isinstance(part, Tensor) else part for part in x]
        if np.ma.is_masked(x):
            raise ValueError(f"{name} must have no masked values: fill or drop them before explaining")
        try:
            array = np.asarray(x)
        except ValueError:
            raise ValueError(
                f"{name} must be rectangular, got series of different lengths: explain them one by one"
            ) from None
        if array.dtype.kind not in "biufc":
            raise TypeError(f"{name} must be numeric, got dtype {array.dtype}")
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        # PyTorch knows neither negative strides, nor the other byte order, nor large unsigned.
        if array.dtype.kind == "u" and array.dtype.itemsize > 1:
            array = array.astype(np.int64 if array.dtype.itemsize < 8 else np.float64)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if not array.flags.writeable or any(stride < 0 for stride in array.strides):
            array = array.copy()
        tensor = torch.as_tensor(array)
    if tensor.dtype == torch.bool:
        # PyTorch cannot subtract truth values.
        tensor = tensor.to(torch.uint8)
    if tensor.is_complex():
        raise TypeError(f"{name} must be real, got {tensor.dtype}: pass the signal, not its spectrum")
    if tensor.is_inference():
        with torch.inference_mode(False):
            tensor = tensor.clone()
    return tensor


def _move_time(values: Tensor, time_axis: int, name: str) -> Tensor:
    if not -values.ndim <= time_axis < values.ndim:
        raise ValueError(
            f"time_axis must be an axis of {name}, which has shape {tuple(values.shape)}, got {time_axis}"
        )
    if values.ndim > 1 and time_axis % values.ndim == 0:
        raise ValueError("time_axis must not be 0, the batch axis")
    return values.movedim(time_axis, -1)


def _from_mne(x: Any) -> Signal:
    values = torch.as_tensor(np.asarray(x.get_data()))
    # Raw is (channel, time): one sample. Epochs are (sample, channel, time).
    batch = values.unsqueeze(0) if values.ndim == 2 else values
    return Signal(batch, check_fs(float(x.info["sfreq"])), tuple(map(str, x.ch_names)))


def _from_xarray(x: Any, time_axis: int, name: str) -> Signal:
    axis = x.dims.index("time") if "time" in x.dims else time_axis
    values = _move_time(as_tensor(x.values, name), axis, name)
    if tuple(x.dims) in (("channel", "time"), ("time", "channel")):
        # One sample: the dimensions say that the first axis is no batch.
        values = as_tensor(x.transpose("channel", "time").values, name).unsqueeze(0)
    channels = None
    if "channel" in x.coords and x.coords["channel"].ndim == 1:
        channels = tuple(map(str, x.coords["channel"].values))
    return Signal(values, _xarray_fs(x), channels)


def _xarray_fs(x: Any) -> float | None:
    if "fs" in x.attrs:
        return check_fs(x.attrs["fs"])
    if "time" not in x.coords or x.sizes["time"] < 2:
        return None
    times = x.coords["time"]
    seconds = times.values
    if seconds.dtype.kind in "mM":
        seconds = (seconds - seconds[0]) / np.timedelta64(1, "s")
    steps = np.diff(seconds.astype(float))
    if not np.allclose(steps, steps[0], rtol=1e-3) or steps[0] <= 0:
        raise ValueError("x must be sampled evenly, but the steps of its time coordinate differ: resample it")
    if times.attrs.get("units", "s") not in ("s", "second", "seconds"):
        return None
    # Rounded, since times are: 25 Hz shall not become 24.999999999999996.
    return float(f"{1 / steps.mean():.10g}")

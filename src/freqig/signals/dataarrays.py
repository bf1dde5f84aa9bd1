"""DataArrays of xarray: which axis is which, and what the coordinates say."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from .arrays import as_tensor
from .rates import CLOSE, in_seconds, rate_of_times, read_rate
from .signal import Signal

SAMPLE, CHANNEL, TIME = "sample", "channel", "time"
RATES = ("fs", "sfreq", "sampling_rate", "sampling_frequency")
"""Attributes in which people keep the sampling rate."""
UNNAMED = re.compile(r"dim_\d+")


def is_dataarray(x: Any) -> bool:
    """Whether this is a DataArray."""
    return any(
        base.__module__.partition(".")[0] == "xarray" and base.__name__ == "DataArray"
        for base in type(x).__mro__
    )


def read_dataarray(x: Any, name: str) -> Signal:
    """A DataArray with its labels, axes as they come.

    Parameters
    ----------
    x : xarray.DataArray
        Real numbers.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    Signal
        `dims` are those of `x`, or None where it has no names for them.

    Raises
    ------
    ValueError
        If times are not even, or rates in it contradict each other.
    """
    values = as_tensor(np.asarray(x.values), name)
    dims = tuple(map(str, x.dims))
    if dims and all(UNNAMED.fullmatch(dim) for dim in dims):
        return Signal(values, unit=_unit(x))
    fs, error = _rate(x, name)
    labels = _labels(x)
    channels = tuple(map(str, labels.pop(CHANNEL))) if CHANNEL in labels else None
    start = 0.0 if fs is None else _first_time(x)
    return Signal(
        values, fs, channels, dims, labels, coords_along(x, batch_of(dims)), _unit(x), error, start=start
    )


def batch_of(dims: tuple[str, ...]) -> str | None:
    """Dimension of samples: that of the name, else the first one; None where the names say one sample.

    Examples
    --------
    >>> batch_of(("channel", "time")), batch_of(("time", "trial", "channel"))
    (None, 'trial')
    """
    if SAMPLE in dims:
        return SAMPLE
    if set(dims) in ({CHANNEL, TIME}, {TIME}):
        return None
    return next((dim for dim in dims if dim != TIME), None)


def time_of(dims: tuple[str, ...], time_axis: int, name: str) -> str:
    """Dimension of time: that of the name, else the one at `time_axis`.

    Raises
    ------
    ValueError
        If there is no such axis.
    """
    if TIME in dims:
        return TIME
    if not -len(dims) <= time_axis < len(dims):
        raise ValueError(f"time_axis must be an axis of {name}, which has dimensions {dims}, got {time_axis}")
    return dims[time_axis]


def coords_along(x: Any, batch: str | None) -> dict[str, np.ndarray]:
    """Coordinates along the samples.

    Parameters
    ----------
    x : xarray.DataArray
        As `read_dataarray` takes it.
    batch : str or None
        Its dimension of samples; None where it is one sample, of which scalar coordinates tell.

    Returns
    -------
    dict of str to numpy.ndarray
        One value per sample each.
    """
    along = () if batch is None else (batch,)
    return {
        str(key): _storable(np.atleast_1d(coordinate.values))
        for key, coordinate in x.coords.items()
        if coordinate.dims == along and key != TIME and not _holds_tuples(coordinate)
    }


def _labels(x: Any) -> dict[str, tuple[object, ...]]:
    return {
        str(dim): tuple(x.coords[dim].values.tolist())
        for dim in x.dims
        if dim != TIME and dim in x.coords and x.coords[dim].dims == (dim,)
    }


def _holds_tuples(coordinate: Any) -> bool:
    # Those of several levels, which stand beside it by themselves.
    return coordinate.dtype == object and any(isinstance(value, tuple) for value in coordinate.values.flat)


def _storable(values: np.ndarray) -> np.ndarray:
    """Values that a netCDF file can hold: objects other than text become text."""
    if values.dtype.kind != "O":
        return np.array(values)
    return np.array([str(value) for value in values])


def _unit(x: Any) -> str | None:
    unit = x.attrs.get("units")
    return str(unit).strip() or None if unit is not None else None


def _first_time(x: Any) -> float:
    """Time of the first value in s; 0 where times are dates, or numbers of values."""
    if TIME not in x.coords or x.coords[TIME].dims != (TIME,) or not x.sizes[TIME]:
        return 0.0
    times = x.coords[TIME]
    unit, kind = times.attrs.get("units"), times.dtype.kind
    if kind != "f" and not (kind in "iu" and unit is not None):
        return 0.0
    return float(times.values[0]) * (in_seconds(unit) or 0.0)


def _rate(x: Any, name: str) -> tuple[float | None, float]:
    """Sampling rate of attributes and times, which must agree."""
    found: dict[str, tuple[float, float]] = {}
    for key in RATES:
        if key in x.attrs:
            found[f"attribute {key!r}"] = read_rate(x.attrs[key], key, name), 0.0
    if TIME in x.coords and x.coords[TIME].dims == (TIME,):
        times = x.coords[TIME]
        fs, error = rate_of_times(np.asarray(times.values), times.attrs.get("units"), name)
        if fs is not None:
            found["time coordinate"] = fs, error
    if not found:
        return None, 0.0
    first, (fs, error) = next(iter(found.items()))
    for other, (rate, slack) in found.items():
        if not math.isclose(fs, rate, rel_tol=CLOSE + slack):
            raise ValueError(
                f"{name} must have one sampling rate, got {fs:g} Hz from its {first} and {rate:g} Hz from "
                f"its {other}: correct one of them"
            )
    return fs, error

"""netCDF and Zarr, read by xarray: a DataArray with dimensions channel and time, and sample where cut."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..signals.dataarrays import read_dataarray
from .formats import pick
from .limits import refuse_hdf5
from .recording import Recording, UnclearRateError
from .zarr_folders import refuse_folder

MOST_VARIABLES = 500
"""Variables and groups: xarray takes a millisecond for each, and results have twenty."""
HDF5 = b"\x89HDF\r\n\x1a\n"


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The only variable over time, with what is known of its samples.

    Raises
    ------
    ValueError
        If there are several, or none.
    """
    import xarray as xr

    if path.is_dir():
        refuse_folder(path)
    elif _starts_as_hdf5(path):
        refuse_hdf5(path, MOST_VARIABLES)
    with _opened(xr, path) as data:
        over_time = [name for name in data.data_vars if "time" in data[name].dims]
        if len(over_time) > 1 and "signal" in over_time:
            over_time = ["signal"]
        if len(over_time) != 1:
            found = ", ".join(map(str, over_time)) or "none"
            raise ValueError(
                f"{path.name} must have one variable over time, or one called signal, got {found}: "
                'open it, and pass one of them, xr.open_dataset(path)["NAME"], over sample, channel and time'
            )
        array = data[over_time[0]].load()
    if "channel" not in array.dims:
        array = array.expand_dims("channel", -2)
    order = [dim for dim in ("sample", "channel", "time") if dim in array.dims]
    if len(order) != array.ndim:
        raise ValueError(f"{path.name} must have dimensions sample, channel and time, got {array.dims}")
    signal = read_dataarray(array.transpose(*order), path.name)
    places = pick(signal.channels, channels, array.sizes["channel"], path.name)
    names = None if signal.channels is None else tuple(signal.channels[i] for i in places)
    coords = signal.coords if "sample" in array.dims else {}
    values = np.asarray(signal.values)[..., places, :]
    held = Recording(values, signal.fs, names, signal.unit, coords=coords)
    if signal.fs is not None and math.isinf(signal.fs_error):
        what, remedy = f"the time coordinate of {path.name}", "give it the attribute units"
        raise UnclearRateError.of(what, signal.fs, remedy, held)
    return held


def _starts_as_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == HDF5


def _opened(xr: Any, path: Path) -> Any:
    try:
        return xr.open_dataset(path, engine="zarr" if path.is_dir() else None)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{path.name} must be netCDF or Zarr, which xarray cannot read: {error}") from None

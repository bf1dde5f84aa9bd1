"""netCDF and Zarr, read by xarray: a DataArray with dimensions channel and time, and sample where cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..signals.dataarrays import read_dataarray
from .formats import pick
from .recording import Recording


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The only variable over time.

    Raises
    ------
    ValueError
        If there are several, or none.
    """
    import xarray as xr

    with xr.open_dataset(path, engine="zarr" if path.suffix == ".zarr" else None) as data:
        over_time = [name for name in data.data_vars if "time" in data[name].dims]
        if len(over_time) > 1 and "signal" in over_time:
            over_time = ["signal"]
        if len(over_time) != 1:
            found = ", ".join(map(str, over_time)) or "none"
            raise ValueError(
                f"{path.name} must have one variable over time, or one called signal, got {found}"
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
    return Recording(np.asarray(signal.values)[..., places, :], signal.fs, names, signal.unit)

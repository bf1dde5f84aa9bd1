"""Time axes: seconds, minutes or hours, and where the series begins and ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr


class TimeAxis(NamedTuple):
    """A unit in which numbers on a time axis are short.

    Examples
    --------
    >>> time_axis(8 * 3600.0, "s")
    TimeAxis(divisor=3600.0, label='time (h)')
    """

    divisor: float
    label: str


def time_axis(length: float, units: str | None) -> TimeAxis:
    """Unit for a stretch of time: hours from two hours on, minutes from three minutes on.

    Parameters
    ----------
    length : float
        Length of what is drawn.
    units : str or None
        Its unit; only "s" is converted.

    Examples
    --------
    >>> time_axis(600.0, "s"), time_axis(600.0, "samples").label
    (TimeAxis(divisor=60.0, label='time (min)'), 'time (samples)')
    """
    if units == "turns":
        return TimeAxis(1.0, "angle (turns)")
    if units != "s":
        return TimeAxis(1.0, f"time ({units})" if units else "time")
    divisor, name = next(
        (d, name)
        for limit, d, name in ((7200, 3600.0, "h"), (180, 60.0, "min"), (-np.inf, 1.0, "s"))
        if length >= limit
    )
    return TimeAxis(divisor, f"time ({name})")


def span_of(one: xr.Dataset, cells: np.ndarray, units: str | None = None) -> tuple[float, float]:
    """Begin and end of the series; of the cells where its times are not in the result.

    Parameters
    ----------
    one : xarray.Dataset
        One sample, with a coordinate ``time`` of the signal where it is known.
    cells : numpy.ndarray
        Borders of what is drawn.
    units : str, optional
        Their unit: cells over turns of a shaft have no times of the series.

    Examples
    --------
    >>> span_of(xr.Dataset(coords={"time": [0.0, 0.5, 1.0]}), np.array([-1.0, 3.0]))
    (0.0, 1.5)
    """
    if units != "turns" and "time" in one.coords and one.sizes.get("time", 0) > 1:
        time = one["time"].values.astype(np.float64)
        return float(time[0]), float(time[-1] + (time[1] - time[0]))
    return float(np.nanmin(cells)), float(np.nanmax(cells))

"""Series over time: one line, or the lines of several channels above each other."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from freqig.plots._style import SMALL, label_with_units

# More names than this along the vertical axis would touch each other.
_MOST_NAMES = 12


def draw_signal(axes: Axes, signal: xr.DataArray) -> None:
    """Draw a series over time.

    Channels are drawn above each other in their order, the first at the top, each about the
    middle of its range. All have the same scale; the label of the vertical axis says how far
    apart they are.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    signal : xarray.DataArray
        Dimension ``time`` with a coordinate, and any others, whose entries are lines of their own.
        ``attrs["units"]``, where given, are named in the label.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._signal import draw_signal
    >>> axes = Figure().subplots()
    >>> time = ("time", np.arange(4) / 2, {"units": "s"})
    >>> signal = xr.DataArray(np.eye(2, 4), dims=("channel", "time"), coords={"time": time})
    >>> draw_signal(axes, signal.assign_coords(channel=["Fz", "Oz"]))
    >>> [label.get_text() for label in axes.get_yticklabels()], axes.get_xlabel()
    (['Fz', 'Oz'], 'time (s)')
    """
    time = signal.time.values
    others = [dim for dim in signal.dims if dim != "time"]
    lines = signal.transpose(*others, "time").values.reshape(-1, time.size).astype(np.float64)
    if len(lines) == 1:
        axes.set_ylabel(label_with_units("signal", signal))
    elif len(lines):
        step = float(np.ptp(lines, axis=1).max()) or 1.0
        middles = (lines.max(axis=1) + lines.min(axis=1)) / 2
        levels = -step * np.arange(len(lines))
        lines = lines - middles[:, None] + levels[:, None]
        every = -(-len(lines) // _MOST_NAMES)
        axes.set_yticks(levels[::every], _names(signal, others)[::every], fontsize=SMALL)
        axes.set_ylim(levels[-1] - 0.6 * step, levels[0] + 0.6 * step)
        units = signal.attrs.get("units")
        distance = f"{step:.3g} {units}" if units else f"{step:.3g}"
        axes.set_ylabel(f"channels\n({distance} apart)")
    # A line through fewer than three points does not show where they are.
    marker = "." if time.size < 3 else ""
    axes.plot(
        time,
        lines.T,
        color="0.25",
        linewidth=0.8 if len(lines) <= _MOST_NAMES else 0.4,
        marker=marker,
    )
    axes.set_xlabel(label_with_units("time", signal.time))
    if time.size > 2:
        axes.set_xlim(time[0], time[-1])


def _names(signal: xr.DataArray, dims: list[object]) -> list[str]:
    """Names of the lines, in the order of the entries of `dims`."""
    names = [""]
    for dim in dims:
        size = signal.sizes[dim]
        labels = signal[dim].values.tolist() if dim in signal.coords else range(size)
        names = [f"{before} {label}".lstrip() for before in names for label in labels]
    return names

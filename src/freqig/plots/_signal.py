"""Series over time: one line, the lines of several channels above each other, or a map of many."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ..known_values import known, largest
from ._labels import fit_label, scaled
from ._names import name_rows
from ._style import ROBUST, letters, root_of, settle, size_in_points, units_of
from ._time import time_axis

LEAST_HEIGHT = 5.0
"""Points that a line needs among others; where there are fewer, channels become rows of a map."""


def draw_signal(axes: Axes, signal: xr.DataArray, like: xr.DataArray | None = None) -> None:
    """Draw a series over time.

    Channels are drawn above each other in their order, the first at the top, each about the
    middle of its range. All have the same scale; the label of the vertical axis says how far
    apart they are. Where the axes are too low for that, every channel is a row of a map in shades
    of grey, whose colour bar has the units; each is drawn less its median.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    signal : xarray.DataArray
        Dimension ``time`` with a coordinate, and any others, whose entries are lines of their own.
        ``attrs["units"]``, where given, are named in the label.
    like : xarray.DataArray, optional
        A series of the same channels, whose scale and distances are used. Default `signal`.

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
    time = signal.time.values.astype(np.float64)
    unit = time_axis(float(np.ptp(time)), signal.time.attrs.get("units"))
    time = time / unit.divisor
    others = [dim for dim in signal.dims if dim != "time"]
    lines = _lines(signal, others)
    model = lines if like is None else _lines(like, others)
    axes.set_xlabel(unit.label)
    if len(lines) > 1 and size_in_points(axes)[1] < LEAST_HEIGHT * len(lines):
        _draw_map(axes, time, lines, model, signal, others)
        return
    if len(lines) == 1:
        fit_label(axes, axes.yaxis, ["signal", scaled(axes.yaxis, largest(lines), units_of(signal))])
    elif len(lines):
        # A series that ends before the longest of its result has no values there.
        ranges = known(np.nanmax, model, 1) - known(np.nanmin, model, 1)
        widest = largest(ranges)
        # A channel with an artefact may reach over its neighbours, which would else be flat.
        step = min(widest, 3 * float(known(np.nanmedian, ranges))) or widest or 1.0
        middles = (known(np.nanmax, lines, 1) + known(np.nanmin, lines, 1)) / 2
        levels = -step * np.arange(len(lines))
        lines = lines - middles[:, None] + levels[:, None]
        axes.set_ylim(levels[-1] - 0.6 * step, levels[0] + 0.6 * step)
        _name_channels(axes, levels, _names(signal, others))
        fit_label(axes, axes.yaxis, ["channels"], [f"({f'{step:.3g} {units_of(signal)}'.strip()} apart)"])
        # Names take width, which titles are fitted to.
        settle(axes)
    # A line through fewer than three points does not show where they are.
    marker = "." if time.size < 3 else ""
    axes.plot(time, lines.T, color="0.25", linewidth=0.8 if len(lines) == 1 else 0.6, marker=marker)
    if time.size > 2:
        axes.set_xlim(time[0], time[-1])


def _lines(signal: xr.DataArray, others: list[Hashable]) -> np.ndarray:
    """A line for each entry of the other dimensions, shape (lines, time), float64."""
    lines = signal.transpose(*others, "time").values
    return np.asarray(lines.reshape(-1, signal.sizes["time"]).astype(np.float64))


def _draw_map(
    axes: Axes,
    time: np.ndarray,
    lines: np.ndarray,
    model: np.ndarray,
    signal: xr.DataArray,
    others: list[Hashable],
) -> None:
    lines, model = (one - np.median(one, axis=1, keepdims=True) for one in (lines, model))
    # Two digits, so that the tick labels are exact.
    limit = float(f"{np.percentile(np.abs(model), ROBUST):.1e}") or 1.0
    step = float(time[1] - time[0]) if time.size > 1 else 1.0
    image = axes.imshow(
        lines,
        cmap="gray",
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        extent=(float(time[0]), float(time[-1]) + step, len(lines), 0),
    )
    _name_channels(axes, np.arange(len(lines)) + 0.5, _names(signal, others))
    fit_label(axes, axes.yaxis, ["channels,"], ["less medians"])
    # No label beside the bar, which would cost width; its ticks have the units.
    bar = root_of(axes).colorbar(image, ax=axes, pad=0.01, aspect=15, extend="both")
    ends = f"{limit:g} {units_of(signal)}".strip()
    bar.set_ticks([-limit, 0.0, limit], labels=[f"\N{MINUS SIGN}{ends}", "0", ends], fontsize="small")
    settle(axes)


def _name_channels(axes: Axes, levels: np.ndarray, names: list[str]) -> None:
    """Write as many names as there is room for, evenly."""
    room = size_in_points(axes)[1] / (1.25 * letters())
    every = -(-len(names) // max(int(room), 1))
    name_rows(axes, levels[::every], names[::every])


def _names(signal: xr.DataArray, dims: list[Hashable]) -> list[str]:
    """Names of the lines, in the order of the entries of `dims`."""
    names = [""]
    for dim in dims:
        size = signal.sizes[dim]
        labels = signal[dim].values.tolist() if dim in signal.coords else range(size)
        names = [f"{before} {label}".lstrip() for before in names for label in labels]
    return names

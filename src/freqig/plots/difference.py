"""What two groups differ by: the mean difference with its interval, and the clusters that are significant."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from ._axes import axes_for, new_axes
from ._bars import bar_borders, finish_bars, hide_upper_labels, legend_above
from ._labels import label_frequency, name_spans
from ._limits import frequency_scale, set_scale
from ._map import borders, cells_note, draw_grid, finish_map, pooled, visible_cells
from ._names import name_rows
from ._options import documented
from ._select import check_variable, dim_of
from ._style import PLACEHOLDER, letters, root_of, settle, signed_norm, size_in_points
from ._time import time_axis
from ._title import check_title, draw_title, leave_room, named_channel, write_head
from ._view import View, look_at

PANELS = 4
"""Channels that are drawn below each other; more are rows of a map."""

SHADE, INTERVAL = "#fde3c8", "0.72"
"""Colours of significant stretches and of the interval: the first is the lighter one in grey, too."""


@documented
def difference(
    result: xr.Dataset,
    *,
    name: str = "rfft",
    channel: Hashable | None = None,
    max_frequency: float | int | None = None,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    axes: Any = None,
) -> Axes | tuple[Axes, ...]:
    """Draw what two groups differ by, as `freqig.compare` found it.

    The line is the mean difference over frequency, the band around it the interval at each frequency by
    itself. Clusters that are significant are shaded, with a bar below and their p value above. Up to four
    channels are drawn below each other, on one scale. More channels are rows of a map, and so are times,
    with significant clusters outlined.

    Parameters
    ----------
    result : xarray.Dataset
        A comparison, as `freqig.compare` returns it.
    name : str, default "rfft"
        Variable to draw, named as its domain is.
    channel : hashable, optional
        Name of the one channel to draw, or its position where names are not integers. Default all; a map
        over time needs one.
    {max_frequency}
    {scale}
    {title}
    vmax : float, optional
        Where the axis of differences, or the colours, end, above and below. Default where the values do.
    axes : matplotlib.axes.Axes or sequence of them, optional
        Where to draw, one per channel. Default new ones of a new pyplot figure.

    Returns
    -------
    matplotlib.axes.Axes or tuple of them
        The axes drawn on: one for one channel and for a map, else one per channel.

    Raises
    ------
    {type}
    ValueError
        If `result` is no comparison, or lacks the variable or a frequency; if there is no such channel, or no
        frequency up to `max_frequency`; if there are times and several channels.

    Examples
    --------
    >>> import numpy as np, xarray as xr, freqig
    >>> from matplotlib.figure import Figure
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(60, 33)) + 2 * np.outer(np.arange(60) < 30, np.arange(33) // 4 == 2)
    >>> result = xr.Dataset(
    ...     {"rfft": (("sample", "frequency"), values, {"kind": "attribution", "units": "logit"})},
    ...     coords={
    ...         "frequency": ("frequency", np.arange(33.0), {"units": "Hz"}),
    ...         "stage": ("sample", np.repeat(["N2", "W"], 30)),
    ...     },
    ... )
    >>> found = freqig.compare(result, by="stage", paired=False)
    >>> axes = freqig.plots.difference(found, axes=Figure(layout="constrained").subplots())
    >>> axes.get_title(loc="left")
    'N2 − W: 30 and 30 samples'
    """
    check_title(title)
    check_variable(result, name, ("frequency",), "freqig.RFFT()")
    missing = [key for key in ("lower", "upper", "significant", "cluster") if f"{name}_{key}" not in result]
    if missing or "cluster_p" not in result:
        raise ValueError(
            "result must be a comparison, as freqig.compare returns it, got a Dataset without "
            f"{name}_{missing[0] if missing else 'cluster'}"
        )
    view = look_at(result, 0, name, ("frequency",), "freqig.RFFT()", channel)
    dim = view.dims[0]
    chosen = frequency_scale(scale, "linear", "scale", view.one[dim])
    view = view.up_to(dim, max_frequency, scale=chosen[0])
    others = [str(own) for own in view.variable.dims if own != dim]
    made = ", ".join(filter(None, [_title_of(view.one), named_channel(channel)]))
    text = made if title is None else title
    if others not in ([], ["channel"]) or (others and view.one.sizes["channel"] > PANELS):
        return _draw_map(view, chosen, text, vmax, axes)
    return _draw_lines(view, chosen, text, vmax, axes)


def _title_of(one: xr.Dataset) -> str:
    """Who is compared, and how many of them there are."""
    units = f"{one.attrs.get('unit', 'unit')}s"
    first, second = (one.attrs.get(key, "") for key in ("n_first", "n_second"))
    many = f"{first} {units} in pairs" if one.attrs.get("paired") else f"{first} and {second} {units}"
    return f"{one.attrs.get('first', 'a')} \N{MINUS SIGN} {one.attrs.get('second', 'b')}: {many}"


def _draw_lines(
    view: View, chosen: tuple[str, str], title: str, vmax: Any, axes: Any
) -> Axes | tuple[Axes, ...]:
    dim, one, name = view.dims[0], view.one, view.name
    several = "channel" in view.variable.dims
    parts = [one.isel(channel=i) for i in range(one.sizes["channel"])] if several else [one]
    panels = axes_for(axes, len(parts), "channel", 1.6 + 1.6 * len(parts))
    edges = bar_borders(one[dim])
    at, drawn = one[dim].values, []
    for panel, part in zip(panels, parts, strict=True):
        mean, low, high = (part[name + ending].values for ending in ("", "_lower", "_upper"))
        panel.fill_between(at, low, high, color=INTERVAL, linewidth=0)
        # A line through one frequency would not be seen.
        panel.plot(at, mean, color="0.1", linewidth=1.2, marker="." * (at.size < 3))
        panel.axhline(0, color="0.3", linewidth=0.6)
        set_scale(panel.xaxis, *chosen, edges)
        panel.set_ylabel(PLACEHOLDER)
        drawn += [mean, low, high]
        leave_room(panel)
    for panel in panels[:-1]:
        hide_upper_labels(panel)
    panels[-1].set_xlabel("frequency")
    patches = [Patch(color=INTERVAL), Patch(color=SHADE)]
    share, alpha = (float(one.attrs.get(key, 0)) for key in ("interval", "alpha"))
    legend_above(panels[0], patches, [f"{100 * share:g} % interval", f"cluster, p < {alpha:g}"], 1)
    taken = 1.6 * letters()
    if several:
        # Above the name of the channel, which is beside it on wide panels only.
        lift = ScaledTranslation(0, taken / 72, root_of(panels[0]).dpi_scale_trans)
        legend = panels[0].get_legend()
        assert legend is not None
        legend.set_bbox_to_anchor((1, 1), transform=panels[0].transAxes + lift)
        taken *= 2
    panels[0].set_title(PLACEHOLDER, loc="left", pad=taken)
    settle(panels[0])
    label_frequency(panels[-1], panels[-1].xaxis, one[dim], view.in_view)
    # All have room for the same names, so that they keep one scale.
    rooms = []
    for panel, part in zip(panels, parts, strict=True):
        finish_bars(panel, np.concatenate(drawn), view.variable, quantity="mean difference", vmax=vmax)
        rooms.append(_shade(panel, part, name, edges))
    bottom, top = panels[0].get_ylim()
    room = min(max(rooms) / size_in_points(panels[0])[1], 0.5)
    for panel, part in zip(panels, parts, strict=True):
        panel.set_ylim(bottom, bottom + (top - bottom) / (1 - room))
        if several:
            write_head(panel, str(part["channel"].values) if "channel" in part.coords else "")
    draw_title(panels[0], xr.Dataset({name: view.variable}), name, None, None, title=title, pad=taken)
    return tuple(panels) if several else panels[0]


def _shade(panel: Axes, part: xr.Dataset, name: str, edges: np.ndarray) -> float:
    """Shade significant stretches, with their p values above; the height of these in points."""
    number = np.where(part[f"{name}_significant"].values.astype(bool), part[f"{name}_cluster"].values, 0)
    spans = []
    starts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), number.size]
    left, right = panel.get_xlim()
    for first, after in pairwise(starts):
        if number[first] > 0 and edges[after] > left:
            low, high = max(float(edges[first]), left), min(float(edges[after]), right)
            panel.axvspan(low, high, color=SHADE, linewidth=0, zorder=0)
            bar = panel.axvspan(low, high, 0, 0.025, color="0.1", linewidth=0)
            bar.set_gid("cluster")
            spans.append((low, high, _p_of(float(part["cluster_p"].sel(cluster=number[first])))))
    return name_spans(panel, spans, 2.0) + 2.0 if spans else 0.0


def _p_of(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _draw_map(view: View, chosen: tuple[str, str], title: str, vmax: Any, axes: Any) -> Axes:
    """Frequency and time, or channels and frequency, in colours, with significant cells outlined."""
    dim, one, name = view.dims[0], view.one, view.name
    time = dim_of(view.variable, "time")
    rows, columns = (dim, time) if time is not None else ("channel", dim)
    if set(view.variable.dims) != {rows, columns}:
        rest = [str(own) for own in view.variable.dims if own not in (rows, columns)]
        raise ValueError(
            f"result.{name} must be over two dimensions to be drawn, got {', '.join(rest)} besides: "
            + ("pass channel=" if "channel" in rest else "select one")
        )
    panel = new_axes(axes)
    values = view.variable.transpose(rows, columns).values.astype(np.float64)
    inside = one[f"{name}_significant"].transpose(rows, columns).values.astype(np.float64)
    if time is not None:
        x, y = (
            borders(one[time].values.astype(np.float64)),
            borders(one[dim].values.astype(np.float64), low=0.0),
        )
    else:
        x, y = bar_borders(one[dim]), np.arange(one.sizes["channel"] + 1.0)
    most = visible_cells(panel)
    values, x_drawn, across = pooled(values, x, 1, most[0])
    values, y_drawn, up = pooled(values, y, 0, most[1])
    marked = pooled(pooled(inside, x, 1, most[0])[0], y, 0, most[1])[0] > 0
    norm = signed_norm(values, vmax)
    divisor = 1.0
    if time is not None:
        unit = time_axis(float(x[-1] - x[0]), one[time].attrs.get("units"))
        divisor = unit.divisor
        panel.set_xlabel(unit.label)
    else:
        panel.set_xlabel("frequency")
        _name_rows(panel, [str(own) for own in one["channel"].values] if "channel" in one.coords else [])
    draw_grid(panel, x_drawn / divisor, y_drawn, values, norm)
    _outline(panel, x_drawn / divisor, y_drawn, marked)
    set_scale(panel.xaxis, *(("linear", "xscale") if time is not None else chosen), x / divisor)
    set_scale(panel.yaxis, *(chosen if time is not None else ("linear", "yscale")), y)
    alpha = float(one.attrs.get("alpha", 0))
    notes = "mean difference", f"outlined: cluster, p < {alpha:g}", cells_note(across, up)
    finish_map(panel, view, norm, *notes, title=title)
    label_frequency(panel, panel.yaxis if time is not None else panel.xaxis, one[dim], view.in_view)
    return panel


def _name_rows(panel: Axes, names: list[str]) -> None:
    """Names of channels beside their rows, as many as there is room for; the first at the bottom."""
    most = max(int(size_in_points(panel)[1] / (1.2 * letters())), 1)
    each = -(-len(names) // most) or 1
    name_rows(panel, np.arange(len(names))[::each] + 0.5, names[::each])


def _outline(panel: Axes, x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> None:
    """A line around the cells that are inside, black on white, so that it is seen on every colour."""
    wide = np.pad(inside, 1).astype(int)
    lines = []
    for row, column in np.argwhere(np.diff(wide, axis=1)[1:-1] != 0):
        lines.append([(x[column], y[row]), (x[column], y[row + 1])])
    for row, column in np.argwhere(np.diff(wide, axis=0)[:, 1:-1] != 0):
        lines.append([(x[column], y[row]), (x[column + 1], y[row])])
    for color, width in (("white", 2.6), ("black", 1.2)):
        panel.add_collection(LineCollection(lines, colors=color, linewidths=width, capstyle="projecting"))

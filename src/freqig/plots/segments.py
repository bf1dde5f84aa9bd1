"""Segments × frequency, such as the epochs of a night, under a row of their classes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.transforms import Affine2D, ScaledTranslation, blended_transform_factory

from .._check import check_entries, shown
from ..groupings import class_names, in_order
from ._axes import new_axes
from ._labels import label_frequency
from ._limits import frequency_scale, set_scale
from ._map import borders, cells_note, draw_grid, finish_map, pooled, total_over, visible_cells
from ._markers import mark_map, read_markers
from ._names import name_rows
from ._options import documented
from ._style import letters, signed_norm
from ._time import span_of, time_axis
from ._view import look_at


@documented
def segments(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "segments",
    classes: Any = None,
    order: Sequence[Hashable] | None = None,
    channel: Hashable | None = None,
    max_frequency: float | int | None = None,
    markers: Any = None,
    harmonics: int = 1,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    xscale: str = "linear",
    yscale: str = "linear",
    axes: Any = None,
) -> Axes:
    """Draw the attributions of segments, and above them the class of each.

    A column is a segment, as wide as it lasts, and a cell one of its frequencies. Red raises the
    explained output; blue lowers it, and is hatched where it is strong. Cells too small to be
    seen are summed, and the label of the colour bar says how many. Time is in seconds, minutes or
    hours, whichever is short.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over segment and
        frequency.
    {sample}
    name : str, default "segments"
        Variable to draw, named as its domain is.
    classes : sequence or str, optional
        Class of every segment, such as stages of sleep, None where there is none; or the name of
        a variable or coordinate of the result which holds them over segments. Default: the
        variable ``{name}_class`` where there is one, else no row.
    order : sequence, optional
        Classes from top to bottom of the row. Default: sorted numbers, or names in the order of the
        model's classes, or else as they first occur.
    {channel or sum}
    {max_frequency}
    {markers}
    {harmonics}
    {scale}
    {title}
    {vmax of colours}
    {robust}
    {xscale of time}
    {yscale}
    axes : matplotlib.axes.Axes, optional
        Where to draw. Default those of a new pyplot figure. The row of classes is an inset above
        them, among their `child_axes`.

    Returns
    -------
    {map}

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, its dimensions or the sample, or holds several targets; if
        there is no such channel, or no frequency up to `max_frequency`; if classes are not one a
        segment, or not all in `order`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {"segments": (("segments_segment", "segments_frequency"), np.eye(4, 3))},
    ...     coords={
    ...         "segments_segment": ("segments_segment", 30.0 * np.arange(4), {"units": "s"}),
    ...         "segments_frequency": ("segments_frequency", np.arange(3.0), {"units": "Hz"}),
    ...     },
    ... )
    >>> axes = Figure(layout="constrained").subplots()
    >>> axes = plots.segments(result, classes=["W", "N1", "N2", "N2"], axes=axes)
    >>> [label.get_text() for label in axes.child_axes[0].get_yticklabels()]
    ['W', 'N1', 'N2']
    """
    view = look_at(result, sample, name, ("segment", "frequency"), "freqig.Segments()", channel)
    column, row = view.dims
    labels = _read_classes(view.one, name, column, classes)
    rows_of_classes = _read_order(order, labels, class_names(result))
    lines = read_markers(markers, harmonics, float(view.one[row].max()))
    chosen = frequency_scale(scale, yscale, "yscale", view.one[row])
    view = view.up_to(row, max_frequency, max((line.at for line in lines), default=0.0), scale=chosen[0])
    variable = view.variable
    panel = new_axes(axes, 4.8 if labels else 4.0)
    values, summed = total_over(variable, (row, column))

    x = _borders(view.one, variable[column])
    y = borders(variable[row].values.astype(np.float64), low=0.0)
    unit = time_axis(x[-1] - x[0], variable[column].attrs.get("units"))
    x = x / unit.divisor
    columns, rows = visible_cells(panel)
    # A shorter last segment has fewer frequencies, further apart: drawn by itself, without gaps.
    whole = len(x) - 1 - int(len(x) > 2 and bool(np.isnan(values[:, -1]).any()))
    parts = []
    for start, stop in ((0, whole), (whole, len(x) - 1)):
        if start < stop:
            there = np.isfinite(values[:, start:stop]).any(axis=1)
            at = variable[row].values[there].astype(np.float64)
            parts.append((x[start : stop + 1], borders(at, low=0.0), values[there, start:stop]))
    notes, drawn = [], []
    for across, up, cells in parts:
        cells, across, n_columns = pooled(cells, across, 1, columns)
        cells, up, n_rows = pooled(cells, up, 0, rows)
        notes.append(cells_note(n_columns, n_rows))
        drawn.append((across, up, cells))
    norm = signed_norm(np.concatenate([cells.ravel() for *_, cells in drawn]), vmax, robust)
    for across, up, cells in drawn:
        if cells.size:
            draw_grid(panel, across, up, cells, norm)
    set_scale(panel.xaxis, xscale, "xscale", x)
    set_scale(panel.yaxis, *chosen, y)
    panel.set_xlabel(unit.label)
    pad = _draw_classes(panel, x, labels, rows_of_classes) if labels else 0.0
    finish_map(panel, view, norm, summed, notes[0], title=title, pad=pad)
    label_frequency(panel, panel.yaxis, variable[row], view.in_view)
    mark_map(panel, lines)
    return panel


def _borders(one: xr.Dataset, starts: xr.DataArray) -> np.ndarray:
    """Begin of every segment, and the end of the last."""
    begin = starts.values.astype(np.float64)
    key = f"{str(starts.name).removesuffix('segment')}length"
    if key in one.coords:
        return np.append(begin, begin[-1] + float(one[key].values[-1]))
    end = begin[-1] + (begin[-1] - begin[-2] if begin.size > 1 else 1.0)
    _, last = span_of(one, np.append(begin, end))
    return np.append(begin, last if begin[-1] < last < end else end)


def _read_classes(one: xr.Dataset, name: str, dim: str, classes: Any) -> list[Any] | None:
    if classes is None:
        classes = f"{name}_class"
        if classes not in one:
            return None
    if isinstance(classes, str):
        if classes not in one or one[classes].dims != (dim,):
            raise ValueError(
                f"classes must be one per segment, or the name of a variable of the result over {dim!r}, "
                f"got {shown(classes)}"
            )
        classes = one[classes]
    labels = check_entries(classes, "classes", "classes, one per segment")
    if len(labels) != one.sizes[dim]:
        raise ValueError(f"classes must be one per segment, so {one.sizes[dim]} of them, got {len(labels)}")
    return [None if isinstance(label, float) and np.isnan(label) else label for label in labels]


def _read_order(order: Any, labels: list[Any] | None, classes: Sequence[Any]) -> list[Any]:
    """Classes from the top of their row down."""
    if not labels:
        if order is not None:
            raise ValueError(
                f"order must be None where there are no classes, got {shown(order)}: pass classes="
            )
        return []
    found = list(dict.fromkeys(label for label in labels if label is not None))
    if order is None:
        numbers = all(isinstance(label, int | float) for label in found)
        return in_order(found, classes) if numbers or classes else found
    rows = check_entries(order, "order", "classes from top to bottom")
    if missing := [label for label in found if label not in rows]:
        raise ValueError(f"order must hold every class, got {shown(rows)} without {shown(missing)}")
    return rows


def _draw_classes(axes: Axes, x: np.ndarray, labels: list[Any], order: list[Any]) -> float:
    """The row of classes, a step line with the first of `order` at the top; how high it ends, in points."""
    below, height = 5.0, 1.3 * letters() * len(order)
    figure = axes.get_figure()
    assert figure is not None
    # Points above the upper edge. Any transform will do for ScaledTranslation, but its stubs are narrower.
    top: Any = axes.transAxes
    points_above = Affine2D().scale(1 / 72) + figure.dpi_scale_trans + ScaledTranslation(0, 1, top)
    place = blended_transform_factory(axes.transAxes, points_above)
    row = axes.inset_axes((0, below, 1, height), transform=place, sharex=axes)
    places = np.array([np.nan if label is None else order.index(label) for label in labels], dtype=float)
    row.stairs(places, x, baseline=None, color="0.55", linewidth=0.8)
    row.hlines(places, x[:-1], x[1:], color="0.1", linewidth=2.5)
    name_rows(row, np.arange(len(order)), [str(label) for label in order])
    row.set_ylim(len(order) - 0.5, -0.5)
    row.tick_params(axis="x", labelbottom=False, length=0)
    row.tick_params(axis="y", length=0)
    row.grid(axis="y", color="0.9", linewidth=0.5)
    row.set_axisbelow(True)
    row.spines[:].set_visible(False)
    return below + height

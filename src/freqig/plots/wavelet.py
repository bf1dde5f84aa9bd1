"""Wavelet coefficients: octaves or packets × time, each as long as it lasts."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ._axes import new_axes
from ._labels import fit_label, label_frequency
from ._limits import set_scale
from ._map import borders, cells_note, draw_grid, finish_map, pooled, total_over, visible_cells
from ._options import documented
from ._select import dim_of
from ._style import letters, signed_norm, units_of
from ._time import span_of, time_axis
from ._view import look_at


@documented
def wavelet(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "wavelet",
    channel: Hashable | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    xscale: str = "linear",
    axes: Any = None,
) -> Axes:
    """Draw the attributions of wavelet coefficients.

    A row is a level, the lowest frequencies at the bottom, or a packet. A cell is a coefficient,
    about the time on which its wavelet is centred and as wide as the step to the next: the finer
    the level, the narrower its cells. Red raises the explained output; blue lowers it, and is
    hatched where it is strong. Coefficients that are centred beyond the ends of the series are
    not in view; the label of the time axis says what share of the attributions they hold, if
    that is at least 0.1 %.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over level (or
        frequency, for packets) and position.
    {sample}
    name : str, default "wavelet"
        Variable to draw, named as its domain is.
    {channel or sum}
    {title}
    {vmax of colours}
    {robust}
    {xscale of time}
    {axes}

    Returns
    -------
    {map}

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, its dimensions, its times or the sample, or holds several
        targets; if there is no such channel.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> over = ("wavelet_level", "wavelet_position")
    >>> result = xr.Dataset(
    ...     {"wavelet": (over, [[1.0, np.nan], [0.5, -0.5]])},
    ...     coords={
    ...         "wavelet_level": ["A1", "D1"],
    ...         "wavelet_time": (over, [[0.5, np.nan], [0.0, 1.0]], {"units": "s"}),
    ...         "wavelet_frequency": ("wavelet_level", [0.0, 0.7], {"units": "Hz"}),
    ...     },
    ... )
    >>> axes = plots.wavelet(result, axes=Figure(layout="constrained").subplots())
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['A1  lowest', 'D1  0.7']
    """
    view = look_at(result, sample, name, ("position",), "freqig.Wavelet()", channel)
    (column,), variable = view.dims, view.variable
    row = dim_of(variable, "level") or dim_of(variable, "frequency")
    clock = f"{column.removesuffix('position')}time"
    if row is None or clock not in variable.coords:
        raise ValueError(
            f"result.{name} must have a dimension of level or frequency and the coordinate {clock!r}, got "
            f"the dimensions {', '.join(map(repr, variable.dims))}; explain with domains=[freqig.Wavelet()]"
        )
    panel = new_axes(axes)
    values, summed = total_over(variable, (row, column))
    times = variable[clock].transpose(row, column).values.astype(np.float64)

    rows = [_row(values[i], times[i]) for i in range(len(values))]
    low, high = span_of(view.one, np.concatenate([x for x, _ in rows]))
    columns = visible_cells(panel)[0]
    drawn = [pooled(cells, x, 0, columns) for x, cells in rows]
    norm = signed_norm(np.concatenate([cells for cells, _, _ in drawn]), vmax, robust)
    unit = time_axis(high - low, variable[clock].attrs.get("units"))
    y = _row_borders(variable, row)
    for i, (cells, x, _) in enumerate(drawn):
        if cells.size:
            draw_grid(panel, x / unit.divisor, y[i : i + 2], cells[None], norm)
    steps = np.unique(np.concatenate([[low], *(x for _, x, _ in drawn), [high]]).clip(low, high))
    set_scale(panel.xaxis, xscale, "xscale", steps / unit.divisor)
    panel.set_ylim(y[0], y[-1])
    most = max(each for _, _, each in drawn)
    panel.set_xlabel(unit.label)
    panel.set_yticks(y[:-1], [str(name) for name in variable[row].values], fontsize="small")
    finish_map(panel, view, norm, summed, "up to " + cells_note(most, 1) if most > 1 else "", title=title)
    _name_rows(panel, variable, row)
    fit_label(panel, panel.xaxis, [unit.label + _beyond(values, times, low, high)])
    return panel


def _row(values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Borders and values of the coefficients of one row, without the padding behind them."""
    there = np.isfinite(times)
    return borders(times[there]), values[there]


def _row_borders(variable: xr.DataArray, row: str) -> np.ndarray:
    """Where rows begin and end: levels are all of one height, packets as high as their band is wide."""
    if row.endswith("level"):
        return np.arange(variable.sizes[row] + 1.0)
    return borders(variable[row].values.astype(np.float64), low=0.0)


def _name_rows(axes: Axes, variable: xr.DataArray, row: str) -> None:
    if not row.endswith("level"):
        return label_frequency(axes, axes.yaxis, variable[row])
    names = [str(level) for level in variable[row].values.tolist()]
    quantity = ["level"]
    key = f"{row.removesuffix('level')}frequency"
    if key in variable.coords:
        at = variable[key].values
        names = [f"{level}  {_short(f)}" for level, f in zip(names, at, strict=True)]
        units = units_of(variable[key])
        quantity = ["level, and its", f"frequency ({units})" if units else "frequency"]
    every = -(-len(names) * int(1.4 * letters()) // visible_cells(axes)[1])
    axes.set_yticks(np.arange(len(names))[::every] + 0.5, names[::every], fontsize="small")
    axes.tick_params(axis="y", length=0)
    axes.hlines(
        np.arange(1, len(names)),
        0,
        1,
        transform=axes.get_yaxis_transform(),
        color="0.85",
        linewidth=0.5,
        zorder=1.5,
    )
    fit_label(axes, axes.yaxis, quantity)
    return None


def _short(frequency: float) -> str:
    return f"{float(f'{frequency:.3g}'):g}" if frequency > 0 else "lowest"


def _beyond(values: np.ndarray, times: np.ndarray, low: float, high: float) -> str:
    """What the label says of coefficients centred outside the series."""
    size = np.abs(np.where(np.isfinite(values), values, 0.0))
    outside = float(size[(times < low) | (times > high)].sum())
    share = outside / (float(size.sum()) or 1.0)
    return f"; {share:.1%} of attributions beyond the ends" if share >= 1e-3 else ""

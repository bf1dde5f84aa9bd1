"""Components, bands, sources or other rows, each over time or frequency, with its sum."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ._axes import new_axes
from ._labels import fit_label, label_frequency, told_alike
from ._limits import frequency_scale, set_scale
from ._map import borders, cells_note, draw_grid, finish_map, pooled, total_over, visible_cells
from ._markers import mark_map, read_markers
from ._names import fit_names, name_rows, short_names
from ._options import documented
from ._select import dim_of
from ._style import letters, signed_norm
from ._time import span_of, time_axis
from ._view import look_at

ROWS = ("component", "part", "band", "row")
"""Names of the rows of `ICA`, `Components`, `FilterBank` and `Spatial`."""

_DOMAINS = "freqig.ICA(...)], [freqig.Components(...)], [freqig.FilterBank(...)] or [freqig.Spatial(...)"


@documented
def components(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "components",
    channel: Hashable | None = None,
    max_frequency: float | int | None = None,
    markers: Any = None,
    harmonics: int = 1,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    xscale: str = "linear",
    axes: Any = None,
) -> Axes:
    """Draw the attributions of components, one row each, over time or over frequency.

    For results of `freqig.ICA`, `freqig.Components`, `freqig.FilterBank` and `freqig.Spatial`,
    also followed by `freqig.RFFT` as in ``ICA(mixing) >> RFFT()``. Beside the name of a component
    stands the sum of its attributions. Bands rise from the lowest at the bottom, as in
    `freqig.plots.spectrogram`, with their edges in Hz; other components are in their own order from
    the top. Red raises the explained output; blue lowers it, and is
    hatched where it is strong. Cells too small to be seen are summed, and the label of the colour
    bar says how many.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over component, part,
        band or row, and over time or frequency.
    {sample}
    name : str, default "components"
        Variable to draw, named as its domain is: "ica", "filterbank", "ica_rfft".
    {channel or sum}
    {max_frequency}
    {markers}
    {harmonics}
    {scale}
    {title}
    {vmax of colours}
    {robust}
    xscale : {"linear", "log"}, default "linear"
        Scale of the time or frequency axis. A logarithmic one begins above zero.
    {axes}

    Returns
    -------
    {map}

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, its dimensions or the sample, or holds several targets; if
        components are over time and frequency at once; if there is no such channel, no frequency
        up to `max_frequency`, or no frequency at all.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {"ica": (("sample", "ica_component", "time"), [[[1.0, 2.0], [0.0, -1.0]]])},
    ...     coords={"ica_component": ["ICA000", "residual"], "time": ("time", [0.0, 0.5], {"units": "s"})},
    ... )
    >>> axes = plots.components(result, name="ica", axes=Figure(layout="constrained").subplots())
    >>> [label.get_text().split() for label in axes.get_yticklabels()]
    [['ICA000', '+3.00'], ['residual', '−1.00']]
    """
    view = look_at(result, sample, name, (), _DOMAINS, channel)
    row, column = _dims(view.variable, name)
    over_time = column == dim_of(view.variable, "time")
    lines = read_markers(markers, harmonics, np.inf if over_time else float(view.one[column].max()))
    for option, value in (("max_frequency", max_frequency), ("scale", scale), ("markers", markers)):
        if over_time and value is not None:
            raise ValueError(f"{option} must be None for result.{name}, which is over time, got {value}")
    chosen = frequency_scale(scale, xscale, "xscale", view.one[column])
    if not over_time:
        needed = max((line.at for line in lines), default=0.0)
        view = view.up_to(column, max_frequency, needed, scale=chosen[0])
    names, edges, order = _rows(view.variable, row)
    variable = view.variable.isel({row: order})
    values, summed = total_over(variable, (row, column))
    panel = new_axes(axes, min(1.6 + 0.45 * len(values), 8.0))

    at = variable[column].values.astype(np.float64)
    unit = None
    x = borders(at) if over_time else borders(at, low=0.0)
    if over_time:
        # Samples begin at their times.
        x = x + (at[0] - x[0]) if at.size else x
        low, high = span_of(view.one, x)
        unit = time_axis(high - low, variable[column].attrs.get("units"))
        x = x / unit.divisor
    totals = np.where(np.isfinite(values), values, 0.0).sum(axis=1)
    values, x, across = pooled(values, x, 1, visible_cells(panel)[0])
    norm = signed_norm(values, vmax, robust)
    draw_grid(panel, x, np.arange(len(values) + 1.0), values, norm)
    panel.hlines(np.arange(1, len(values)), x[0], x[-1], color="0.85", linewidth=0.5, zorder=1.5)
    set_scale(panel.xaxis, *chosen, x)
    # The first row is at the top, the lowest band at the bottom.
    panel.set_ylim((0, len(values)) if _is_band(row) else (len(values), 0))
    panel.set_xlabel(unit.label if unit else "frequency")
    name_rows(
        panel, np.arange(len(names)) + 0.5, [name + edge for name, edge in zip(names, edges, strict=True)]
    )
    finish_map(panel, view, norm, summed, cells_note(across, 1), title=title)
    _name_rows(panel, row, names, edges, totals)
    if unit is None:
        label_frequency(panel, panel.xaxis, variable[column], view.in_view)
    mark_map(panel, lines, upright=True)
    return panel


def _dims(variable: xr.DataArray, name: str) -> tuple[str, str]:
    """Dimension of the components, and that of time or frequency."""
    row = next((dim for kind in ROWS if (dim := dim_of(variable, kind)) is not None), None)
    columns = [dim for kind in ("time", "frequency") if (dim := dim_of(variable, kind)) is not None]
    if row is not None and len(columns) == 2:
        raise ValueError(
            f"result.{name} must be over time or over frequency, got both; select one component, for example "
            f"result.isel({row}=0), and draw it with plots.spectrogram(..., name={name!r})"
        )
    if row is None or not columns or columns[0] not in variable.coords:
        raise ValueError(
            f"result.{name} must have a dimension of {', '.join(ROWS[:-1])} or {ROWS[-1]} and one of time or "
            f"frequency, got {', '.join(map(repr, variable.dims))}; explain with domains=[{_DOMAINS}], and "
            "pass the name of its variable as name="
        )
    return row, columns[0]


def _is_band(row: str) -> bool:
    return row == "band" or row.endswith("_band")


def _rows(variable: xr.DataArray, row: str) -> tuple[list[str], list[str], np.ndarray]:
    """Names of the rows, edges of bands, and their order: by frequency, what lies in none of them last."""
    count = variable.sizes[row]
    names = [str(name) for name in variable[row].values.tolist()] if row in variable.coords else []
    names = names or [str(i) for i in range(count)]
    low, high = (variable.coords.get(f"{row.removesuffix('band')}{end}") for end in ("low", "high"))
    if not _is_band(row) or low is None or high is None:
        return names, [""] * count, np.arange(count)
    order = np.argsort(low.values, kind="stable")
    edges = [f" {a:.4g}–{b:.4g} Hz" if a == a else "" for a, b in zip(low.values, high.values, strict=True)]
    return [names[i] for i in order], [edges[i] for i in order], order


def _name_rows(axes: Axes, row: str, names: list[str], edges: list[str], totals: np.ndarray) -> None:
    """Name rows with as much about each as there is room for: edges and sum, its sum, or nothing."""
    height = visible_cells(axes)[1] / max(len(names), 1)
    sums = told_alike(totals).tolist()
    between = "\n" if height > 2.6 * letters() else "  "
    full = [f"{name}{edge}{between}{total}" for name, edge, total in zip(names, edges, sums, strict=True)]
    short = [f"{name}  {total}" for name, total in zip(names, sums, strict=True)]
    labels = next((some for some in (full, short) if short_names(axes, some) == some), names)
    name_rows(axes, np.arange(len(names)) + 0.5, labels)
    fit_names(axes, axes.yaxis)
    axes.tick_params(axis="y", length=0)
    kind = next(kind for kind in ROWS if row == kind or row.endswith(f"_{kind}"))
    fit_label(axes, axes.yaxis, [kind] if labels is names else [f"{kind},", "and its sum"])

"""Components, bands, sources or other rows, each over time or frequency, with its sum."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from freqig.plots._bars import up_to
from freqig.plots._map import (
    borders,
    cells_note,
    channel_of,
    draw_colour_bar,
    draw_grid,
    new_axes,
    pooled,
    total_over,
    visible_cells,
)
from freqig.plots._select import dim_of, one_variable
from freqig.plots._style import SMALL, label_with_units, signed_norm
from freqig.plots._time import span_of, time_axis
from freqig.plots._title import draw_title, position_of

ROWS = ("component", "part", "band", "row")
"""Names of the rows of `ICA`, `Components`, `FilterBank` and `Spatial`."""

_DOMAINS = "freqig.ICA(...)], [freqig.Components(...)], [freqig.FilterBank(...)] or [freqig.Spatial(...)"


def components(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "components",
    channel: Hashable | None = None,
    max_frequency: float | int | None = None,
    axes: Any = None,
) -> Axes:
    """Draw the attributions of components, one row each, over time or over frequency.

    For results of `freqig.ICA`, `freqig.Components`, `freqig.FilterBank` and `freqig.Spatial`,
    also followed by `freqig.RFFT` as in ``ICA(mixing) >> RFFT()``. Beside the name of a component
    stands the sum of its attributions. Red raises the explained output; blue lowers it, and is
    hatched where it is strong. Cells too small to be seen are summed, and the label of the colour
    bar says how many.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over component, part,
        band or row, and over time or frequency.
    sample : int, default 0
        Position of the sample; negative positions count from the end.
    name : str, default "components"
        Variable to draw, named as its domain is: "ica", "filterbank", "ica_rfft".
    channel : hashable, optional
        Name of the one channel to draw, or its position where names are not integers. Default the
        sum over channels, in which those of opposite sign cancel.
    max_frequency : float, optional
        End of the frequency axis, in its units. Default the last one.
    axes : matplotlib.axes.Axes, optional
        Where to draw. Default those of a new pyplot figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. The colour bar has axes of its own in the same figure.

    Raises
    ------
    TypeError
        If `result`, `sample`, `max_frequency` or `axes` are of another type.
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
    [['ICA000', '+3'], ['residual', '-1']]
    """
    one, _ = one_variable(result, sample, name, (), _DOMAINS)
    row, column = _dims(one[name], name)
    over_time = column == dim_of(one[name], "time")
    if not over_time:
        one = up_to(one, max_frequency, column)
    elif max_frequency is not None:
        raise ValueError(
            f"max_frequency must be None for result.{name}, which is over time, got {max_frequency}"
        )
    variable = channel_of(one, name, channel)
    values, summed = total_over(variable, (row, column))
    panel = new_axes(axes, min(1.6 + 0.45 * len(values), 8.0))

    at = variable[column].values.astype(np.float64)
    if over_time:
        x = borders(at)
        # Samples begin at their times.
        x = x + (at[0] - x[0]) if at.size else x
        low, high = span_of(one, x)
        unit = time_axis(high - low, variable[column].attrs.get("units"))
        x, label = x / unit.divisor, unit.label
    else:
        x, label = borders(at, low=0.0), label_with_units("frequency", variable[column])
    totals = np.where(np.isfinite(values), values, 0.0).sum(axis=1)
    values, x, across = pooled(values, x, 1, visible_cells(panel)[0])
    norm = signed_norm(values)
    draw_grid(panel, x, np.arange(len(values) + 1.0), values, norm)
    panel.hlines(np.arange(1, len(values)), x[0], x[-1], color="0.85", linewidth=0.5, zorder=1.5)
    panel.set(xlim=(x[0], x[-1]), ylim=(len(values), 0))
    panel.set_xlabel(label)
    _name_rows(panel, variable, row, totals)
    draw_title(panel, one, name, position_of(result, sample), channel)
    draw_colour_bar(panel, norm, variable, summed, cells_note(across, 1))
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


def _name_rows(axes: Axes, variable: xr.DataArray, row: str, totals: np.ndarray) -> None:
    names = variable[row].values.tolist() if row in variable.coords else list(range(len(totals)))
    height = visible_cells(axes)[1] / max(len(names), 1)
    between = "\n" if height > 24 else "  "
    labels = [f"{label}{between}{total:+.3g}" for label, total in zip(names, totals, strict=True)]
    every = max(1, int(np.ceil(12 / height)))
    axes.set_yticks(np.arange(len(names))[::every] + 0.5, labels[::every], fontsize=SMALL)
    axes.tick_params(axis="y", length=0)
    kind = next(kind for kind in ROWS if row == kind or row.endswith(f"_{kind}"))
    axes.set_ylabel(f"{kind}, and its sum")

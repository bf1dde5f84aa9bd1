"""Time × frequency: what each frequency contributed, and when."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ._axes import new_axes
from ._bank import over_frequency
from ._labels import label_frequency
from ._limits import frequency_scale, set_scale
from ._map import borders, cells_note, draw_grid, finish_map, pooled, total_over, visible_cells
from ._markers import mark_map, read_markers
from ._options import documented
from ._select import dim_of
from ._style import signed_norm
from ._time import span_of, time_axis
from ._view import look_at


@documented
def spectrogram(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "stft",
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
    """Draw the attributions of a short-time Fourier transform, or of a filter bank.

    A cell is a frame and a frequency, as wide as the step between frames and as high as the
    spacing of frequencies; its colour is the attribution of that coefficient and no density. Red
    raises the explained output; blue lowers it, and is hatched. Cells too
    small to be seen are summed, and the label of the colour bar says how many.

    Of a filter bank a row is a band, from its lower edge to its upper one. What lies outside all bands has no
    place on the axis: the label says what it adds up to.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over frequency and time, or over
        bands and time.
    {sample}
    name : str, default "stft"
        Variable to draw, named as its domain is, such as "filterbank".
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
    {axes}

    Returns
    -------
    {map}

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, its dimensions or the sample, or holds several targets; if
        there is no such channel, or no frequency up to `max_frequency`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {"stft": (("sample", "stft_frequency", "stft_time"), np.eye(3, 5)[None])},
    ...     coords={
    ...         "stft_frequency": ("stft_frequency", np.arange(3.0), {"units": "Hz"}),
    ...         "stft_time": ("stft_time", np.arange(5) / 2, {"units": "s"}),
    ...     },
    ... )
    >>> axes = plots.spectrogram(result, axes=Figure(layout="constrained").subplots())
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('time (s)', 'frequency (Hz)')
    """
    kind = "band" if _of_bands(result, name) else "frequency"
    view, bank, rest = look_at(result, sample, name, (kind, "time"), "freqig.STFT()", channel), None, ""
    if kind == "band":
        view, bank, rest = over_frequency(view)
    row, column = view.dims
    lines = read_markers(markers, harmonics, float(view.one[row].max() if bank is None else bank[-1]))
    chosen = frequency_scale(scale, yscale, "yscale", view.one[row])
    needed, begins = max((line.at for line in lines), default=0.0), None if bank is None else bank[:-1]
    whole = view.one[row].values
    view = view.up_to(row, max_frequency, needed, scale=chosen[0], begins=begins)
    variable = view.variable
    panel = new_axes(axes)
    values, summed = total_over(variable, (row, column))

    centres = variable[column].values.astype(np.float64)
    units = variable[column].attrs.get("units")
    low, high = span_of(view.one, borders(centres), units)
    # A last frame that is centred behind the series is shown up to its middle.
    high = max(high, float(centres[-1])) if centres.size else high
    x = borders(centres, low, high)
    rows = variable[row].values.astype(np.float64)
    first = int(np.searchsorted(whole, rows[0]))
    y = borders(rows, low=0.0) if bank is None else bank[first : first + len(rows) + 1]
    most_columns, most_rows = visible_cells(panel)
    values, x, across = pooled(values, x, 1, most_columns)
    values, y, up = pooled(values, y, 0, most_rows)

    norm = signed_norm(values, vmax, robust)
    unit = time_axis(high - low, units)
    draw_grid(panel, x / unit.divisor, y, values, norm)
    set_scale(panel.xaxis, xscale, "xscale", np.array([low, *x[1:-1], high]) / unit.divisor)
    set_scale(panel.yaxis, *chosen, y)
    panel.set_xlabel(unit.label)
    finish_map(panel, view, norm, summed, cells_note(across, up), rest, title=title)
    label_frequency(panel, panel.yaxis, variable[row], view.in_view)
    mark_map(panel, lines)
    return panel


def _of_bands(result: Any, name: Any) -> bool:
    """Whether a variable is over bands, and not over frequencies."""
    if not isinstance(result, xr.Dataset) or name not in result.data_vars:
        return False
    return dim_of(result[name], "frequency") is None and dim_of(result[name], "band") is not None

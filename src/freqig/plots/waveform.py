"""One explained series over time: the signal above, what each of its moments contributed below."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from ._bars import draw_bars, hide_upper_labels
from ._map import borders, pooled, total_over, visible_cells
from ._options import documented
from ._panels import finish_panels, open_panels
from ._time import span_of, time_axis
from ._view import look_at


@documented
def waveform(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "waveform",
    channel: Hashable | None = None,
    signal: bool | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    xscale: str = "linear",
    axes: Any = None,
) -> Any:
    """Draw a series and the attributions of its samples in time.

    For results of `freqig.Time`. Attributions that raise the explained output point up and are
    dark red, those that lower it point down and are light blue. Neighbouring samples that are too
    many to be seen are summed, and the label says how many. With several channels the bars are
    sums over channels; `channel` shows one alone.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over ``time``.
    {sample}
    name : str, default "waveform"
        Variable to draw, named as its domain is.
    {channel or all}
    {signal}
    {title}
    {vmax of bars}
    {robust bars}
    xscale : {"linear", "log"}, default "linear"
        Scale of both time axes. A logarithmic one begins above zero.
    axes : matplotlib.axes.Axes or sequence of two, optional
        Where to draw the signal and its attributions, or one for the latter alone. Default new
        ones, one above the other, of a new pyplot figure.

    Returns
    -------
    signal_axes, attribution_axes : matplotlib.axes.Axes
        The two axes drawn on; without the signal the one, and no tuple.

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable or its times, or ``signal``, or holds several targets; if
        there is no such sample, channel or `xscale`; if `vmax` is not above 0.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {
    ...         "signal": (("sample", "time"), np.sin(np.arange(64.0))[None]),
    ...         "waveform": (("sample", "time"), np.eye(1, 64, 10)),
    ...     },
    ...     coords={"time": ("time", np.arange(64) / 64, {"units": "s"})},
    ... )
    >>> above, below = plots.waveform(result, axes=Figure(layout="constrained").subplots(2))
    >>> below.get_xlabel(), above.get_xlim() == below.get_xlim()
    ('time (s)', True)
    """
    view = look_at(result, sample, name, ("time",), "freqig.Time()", channel)
    (column,) = view.dims
    panels = open_panels(view, signal, axes, "the attributions")
    values, summed = total_over(view.variable, (column,))
    at = view.one[column].values.astype(np.float64)
    x = borders(at)
    # Samples begin at their times.
    x = x + (at[0] - x[0])
    low, high = span_of(view.one, x)
    unit = time_axis(high - low, view.one[column].attrs.get("units"))
    values, x, each = pooled(values, x / unit.divisor, 0, visible_cells(panels.below)[0])
    draw_bars(panels.below, values, x, xscale)
    panels.below.set_xlabel(unit.label)
    further = ", ".join(filter(None, [summed, f"sum of {each} samples" if each > 1 else ""]))
    drawn = finish_panels(panels, view, values, title=title, further=further, vmax=vmax, robust=robust)
    if panels.above is not None:
        panels.above.set_xscale(xscale)
        panels.above.set_xlim(panels.below.get_xlim())
        hide_upper_labels(panels.above)
    return drawn

"""One explained series: the signal above, what each of its frequencies contributed below."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import xarray as xr

from ._bars import bar_borders, draw_bars, edges_in_view
from ._limits import frequency_scale
from ._map import total_over
from ._markers import read_markers
from ._options import documented
from ._panels import finish_panels, open_panels
from ._select import dim_of
from ._view import look_at


@documented
def spectrum(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "rfft",
    channel: Hashable | None = None,
    bands: Any = None,
    max_frequency: float | int | None = None,
    markers: Any = None,
    harmonics: int = 1,
    signal: bool | None = None,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    xscale: str = "linear",
    axes: Any = None,
) -> Any:
    """Draw a series and the attributions of its frequencies.

    Attributions that raise the explained output point up and are dark red, those that lower it
    point down and are light blue. Each bar is as wide as the spacing of the frequencies. The title
    has the target and the output at the series and at the baseline, the corner beside it the
    completeness gap.

    With several channels the bars are sums over channels, which still add up to the difference of
    the outputs; channels of opposite sign cancel in them, and `channel` shows one alone. The
    signals are drawn above each other on one scale, whose step is in the label; more channels than
    there is room for are rows of a map.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over frequency, or over
        quefrency, as `freqig.Cepstrum` gives it, and ``signal``.
    {sample}
    name : str, default "rfft"
        Variable to draw, named as its domain is. Of quefrencies `max_frequency` and `markers` are in
        their unit.
    {channel or all}
    bands : {"sleep", "eeg"} or mapping of str to (float, float), optional
        Bands to shade and name, as for `freqig.bands`; needs frequencies in Hz. Default none.
    {max_frequency}
    {markers}
    {harmonics}
    {signal}
    {scale}
    {title}
    {vmax of bars}
    {robust bars}
    {xscale of frequency}
    axes : matplotlib.axes.Axes or sequence of two, optional
        Where to draw the signal and the spectrum, or one for the spectrum alone. Default new ones,
        one above the other, of a new pyplot figure.

    Returns
    -------
    signal_axes, spectrum_axes : matplotlib.axes.Axes
        The two axes drawn on; without the signal the one, and no tuple.

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable or its frequencies, or ``signal``, or holds several targets; if
        there is no such sample or channel, or no frequency up to `max_frequency`; if `bands` are
        wrong (see `freqig.bands`) or the frequencies are not in Hz; if a marker is not above 0 and
        among the frequencies, `vmax` not above 0, or there is no such `xscale`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {
    ...         "signal": (("sample", "time"), np.sin(np.arange(64.0))[None]),
    ...         "rfft": (("sample", "frequency"), np.eye(1, 33, 10)),
    ...     },
    ...     coords={
    ...         "time": ("time", np.arange(64) / 64, {"units": "s"}),
    ...         "frequency": ("frequency", np.arange(33.0), {"units": "Hz"}),
    ...     },
    ... )
    >>> axes = Figure(figsize=(8, 5), layout="constrained").subplots(2)
    >>> above, below = plots.spectrum(result, bands="eeg", max_frequency=30, axes=axes)
    >>> below.get_xlabel()
    'frequency (Hz)'
    """
    # Whether there is such a result and such a variable, `look_at` says.
    drawn = getattr(result, "data_vars", {}).get(str(name))
    kind = "frequency" if drawn is None or not dim_of(drawn, "quefrency") else "quefrency"
    view = look_at(result, sample, name, (kind,), "freqig.RFFT()", channel)
    (column,) = view.dims
    chosen = frequency_scale(scale, xscale, "xscale", view.one[column])
    panels = open_panels(view, signal, axes, "the spectrum")
    edges = edges_in_view(bands, view.one, view.one[column])
    lines = read_markers(markers, harmonics, float(view.one[column].max()))
    view = view.up_to(column, max_frequency, max((line.at for line in lines), default=0.0), scale=chosen[0])
    values, summed = total_over(view.variable, (column,))
    draw_bars(panels.below, values, bar_borders(view.one[column]), *chosen)
    panels.below.set_xlabel(kind)
    return finish_panels(
        panels,
        view,
        values,
        title=title,
        further=summed,
        vmax=vmax,
        robust=robust,
        frequency=view.one[column],
        bands=edges,
        markers=lines,
    )

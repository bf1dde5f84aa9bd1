"""Amplitude against phase: what each of the two contributed, frequency by frequency."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from ._axes import new_pair, two_axes
from ._bars import (
    bar_borders,
    draw_bars,
    edges_in_view,
    explain_signs,
    finish_bars,
    hide_upper_labels,
)
from ._labels import label_frequency
from ._limits import frequency_scale
from ._map import total_over
from ._markers import read_markers
from ._options import documented
from ._style import PLACEHOLDER, settle, with_minus
from ._view import look_at

PARTS = ("amplitude", "phase")


@documented
def polar(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "polar",
    channel: Hashable | None = None,
    bands: Any = None,
    max_frequency: float | int | None = None,
    markers: Any = None,
    harmonics: int = 1,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    xscale: str = "linear",
    axes: Any = None,
) -> tuple[Axes, Axes]:
    """Draw what the amplitude of every frequency contributed, and below what its phase did.

    Both have one scale, so that bars can be compared, and the label of each says what its bars
    add up to. Attributions that raise the explained output point up and are dark red, those that
    lower it point down and are light blue.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over part and frequency.
    {sample}
    name : str, default "polar"
        Variable to draw, named as its domain is.
    {channel or sum}
    bands : {"sleep", "eeg"} or mapping of str to (float, float), optional
        Bands to shade and name, as for `freqig.bands`; needs frequencies in Hz.
    {max_frequency}
    {markers}
    {harmonics}
    {scale}
    {title}
    {vmax of bars}
    {xscale of frequency}
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw amplitude and phase. Default two new ones, one above the other, of a new
        pyplot figure.

    Returns
    -------
    amplitude_axes, phase_axes : matplotlib.axes.Axes
        The two axes drawn on.

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, its dimensions or the sample, or holds several targets; if
        there is no such channel, or no frequency up to `max_frequency`; if `bands` are wrong (see
        `freqig.bands`) or the frequencies are not in Hz.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {"polar": (("polar_part", "polar_frequency"), [[0.0, 0.5, 0.0], [0.0, 2.0, -1.0]])},
    ...     coords={
    ...         "polar_part": ["amplitude", "phase"],
    ...         "polar_frequency": ("polar_frequency", [0.0, 1.0, 2.0], {"units": "Hz"}),
    ...     },
    ... )
    >>> above, below = plots.polar(result, axes=Figure(layout="constrained").subplots(2))
    >>> below.get_ylabel().splitlines(), above.get_ylim() == below.get_ylim()
    (['phase part', 'sum +1'], True)
    """
    view = look_at(result, sample, name, ("part", "frequency"), "freqig.Polar()", channel)
    part, row = view.dims
    named = view.one[part].values.tolist() if part in view.one.coords else []
    if not set(PARTS) <= set(named):
        raise ValueError(
            f"result.{name} must have the parts 'amplitude' and 'phase', got {named}; explain with "
            "domains=[freqig.Polar()]"
        )
    frequency = view.one[row]
    chosen = frequency_scale(scale, xscale, "xscale", frequency)
    edges = edges_in_view(bands, view.one, frequency)
    lines = read_markers(markers, harmonics, float(frequency.max()))
    view = view.up_to(row, max_frequency, max((line.at for line in lines), default=0.0), scale=chosen[0])
    frequency = view.one[row]
    values, summed = total_over(view.variable.sel({part: list(PARTS)}), (part, row))
    above, below = new_pair(5.0, (1, 1)) if axes is None else two_axes(axes, "amplitude", "phase")
    for panel, heights in zip((above, below), values, strict=True):
        draw_bars(panel, heights, bar_borders(frequency), *chosen)
    hide_upper_labels(above)
    below.set_xlabel("frequency")
    above.set_title(PLACEHOLDER, loc="left")
    # Both colours are explained above, whichever of them the upper panel has.
    pad = explain_signs(above, below)
    settle(above)
    label_frequency(below, below.xaxis, frequency, view.in_view)
    view.head(above, title, pad=pad)
    for panel, heights, kind in zip((above, below), values, PARTS, strict=True):
        finish_bars(
            panel,
            values,
            view.variable,
            quantity=f"{kind} part",
            further=(with_minus(f"sum {heights.sum():+.3g}"), summed.replace("sum of", "over")),
            vmax=vmax,
            bands=edges,
            markers=lines,
            named=panel is above,
        )
    below.set_ylim(above.get_ylim())
    return above, below

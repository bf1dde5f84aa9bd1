"""Amplitude against phase: what each of the two contributed, frequency by frequency."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from freqig.bands import named_bands
from freqig.plots._bars import draw_bars, edges_in_hertz, make_room, up_to
from freqig.plots._map import channel_of, total_over
from freqig.plots._select import one_variable
from freqig.plots._style import two_axes
from freqig.plots._title import draw_title, position_of

PARTS = ("amplitude", "phase")


def polar(
    result: xr.Dataset,
    sample: int = 0,
    *,
    name: str = "polar",
    channel: Hashable | None = None,
    bands: Any = None,
    max_frequency: float | int | None = None,
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
    sample : int, default 0
        Position of the sample; negative positions count from the end.
    name : str, default "polar"
        Variable to draw, named as its domain is.
    channel : hashable, optional
        Name of the one channel to draw, or its position where names are not integers. Default the
        sum over channels, in which those of opposite sign cancel.
    bands : {"sleep", "eeg"} or mapping of str to (float, float), optional
        Bands to shade and name, as for `freqig.bands`; needs frequencies in Hz.
    max_frequency : float, optional
        End of the frequency axis, in its units. Default the last one.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw amplitude and phase. Default two new ones, one above the other, of a new
        pyplot figure.

    Returns
    -------
    amplitude_axes, phase_axes : matplotlib.axes.Axes
        The two axes drawn on.

    Raises
    ------
    TypeError
        If `result`, `sample`, `max_frequency` or `axes` are of another type.
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
    one, (part, row) = one_variable(result, sample, name, ("part", "frequency"), "freqig.Polar()")
    named = one[part].values.tolist() if part in one.coords else []
    if not set(PARTS) <= set(named):
        raise ValueError(
            f"result.{name} must have the parts 'amplitude' and 'phase', got {named}; explain with "
            "domains=[freqig.Polar()]"
        )
    edges = edges_in_hertz(None if bands is None else named_bands(bands), one[row])
    one = up_to(one, max_frequency, row)
    variable = channel_of(one, name, channel)
    values, summed = total_over(variable.sel({part: list(PARTS)}), (part, row))
    above, below = _new_axes() if axes is None else two_axes(axes, "amplitude", "phase")
    for panel, heights, kind in zip((above, below), values, PARTS, strict=True):
        draw_bars(panel, heights, one[row])
        make_room(panel, values, edges, legend=panel is above, named=panel is above)
        units = variable.attrs.get("units")
        lines = (f"{kind} part", f"({units})" if units else "", f"sum {heights.sum():+.3g}")
        panel.set_ylabel("\n".join(filter(None, lines)))
    below.set_ylim(above.get_ylim())
    above.set_xlabel("")
    above.tick_params(axis="x", labelbottom=False)
    draw_title(above, one, name, position_of(result, sample), channel, further=summed)
    return above, below


def _new_axes() -> tuple[Axes, Axes]:
    # Only here does a figure need pyplot, which looks for a display and keeps the figure.
    from matplotlib import pyplot as plt

    above, below = plt.figure(figsize=(8, 5), layout="constrained").subplots(2)
    return above, below

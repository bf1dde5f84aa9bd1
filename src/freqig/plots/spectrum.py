"""One explained series: the signal above, what each of its frequencies contributed below."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from freqig.bands import named_bands
from freqig.plots._bars import draw_bars, edges_in_hertz, make_room, up_to
from freqig.plots._select import one_channel, one_sample
from freqig.plots._signal import draw_signal
from freqig.plots._style import label_with_units, two_axes
from freqig.plots._title import draw_title, position_of


def spectrum(
    result: xr.Dataset,
    sample: int = 0,
    *,
    channel: Hashable | None = None,
    bands: Any = None,
    max_frequency: float | int | None = None,
    axes: Any = None,
) -> tuple[Axes, Axes]:
    """Draw a series and the attributions of its frequencies.

    Attributions that raise the explained output point up and are dark red, those that lower it
    point down and are light blue. Each bar is as wide as the spacing of the frequencies. The title
    has the target, the output at the series and at the baseline, and the completeness gap.

    With several channels the bars are sums over channels, which still add up to the difference of
    the outputs; channels of opposite sign cancel in them, and `channel` shows one alone. The
    signals are drawn above each other on one scale, whose step is in the label.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with variables ``rfft`` and ``signal``.
    sample : int, default 0
        Position of the sample; negative positions count from the end.
    channel : hashable, optional
        Name of the one channel to draw, or its position where names are not integers. Default all.
    bands : {"sleep", "eeg"} or mapping of str to (float, float), optional
        Bands to shade and name, as for `freqig.bands`; needs frequencies in Hz. A name that would
        run into its neighbour is left out; lower `max_frequency` to make room. Default none.
    max_frequency : float, optional
        End of the frequency axis, in its units (Hz, or cycles per sample). Default the last one.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw the signal and the spectrum. Default two new ones, one above the other, of a
        new pyplot figure.

    Returns
    -------
    signal_axes, spectrum_axes : matplotlib.axes.Axes
        The two axes drawn on.

    Raises
    ------
    TypeError
        If `result`, `sample`, `max_frequency` or `axes` are of another type.
    ValueError
        If `result` lacks ``rfft`` over ``frequency``, or ``signal``, or holds several targets; if
        there is no such sample or channel, or no frequency up to `max_frequency`; if `bands` are
        wrong (see `freqig.bands`) or the frequencies are not in Hz.

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
    one = one_sample(result, sample)
    edges = edges_in_hertz(None if bands is None else named_bands(bands), one.frequency)
    one = one if channel is None else one_channel(one, channel)
    one = up_to(one, max_frequency)
    above, below = _new_axes(one) if axes is None else two_axes(axes, "the signal", "the spectrum")
    draw_signal(above, one.signal)
    draw_title(above, one, "rfft", position_of(result, sample), channel)
    _draw_attributions(below, one.rfft, edges)
    return above, below


def _new_axes(one: xr.Dataset) -> tuple[Axes, Axes]:
    # Only here does a figure need pyplot, which looks for a display and keeps the figure.
    from matplotlib import pyplot as plt

    several = one.signal.size > one.signal.sizes["time"]
    _, (above, below) = plt.subplots(
        2,
        figsize=(8, 6 if several else 5),
        height_ratios=(1.4 if several else 1, 1.8),
        layout="constrained",
    )
    return above, below


def _draw_attributions(
    axes: Axes, attribution: xr.DataArray, edges: Mapping[str, tuple[float, float]] | None
) -> None:
    others = [dim for dim in attribution.dims if dim != "frequency"]
    values = attribution.sum(others, skipna=False, dtype=np.float64).values
    draw_bars(axes, values, attribution.frequency)
    quantity = label_with_units("attribution", attribution)
    summed = int(np.prod([attribution.sizes[dim] for dim in others], dtype=np.int64))
    axes.set_ylabel(f"{quantity}\nsum of {summed} channels" if summed > 1 else quantity)
    make_room(axes, values, edges)

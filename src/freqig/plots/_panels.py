"""Bars with the signal above them, or alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from .._check import shown
from ._axes import new_axes, new_pair, two_axes
from ._bars import explain_signs, finish_bars
from ._labels import label_frequency
from ._markers import Marker
from ._signal import draw_signal
from ._style import PLACEHOLDER, settle
from ._view import View


class Panels(NamedTuple):
    """Axes of the signal, None where it is not drawn, and of the bars."""

    above: Axes | None
    below: Axes

    @property
    def returned(self) -> tuple[Axes, Axes] | Axes:
        """What a figure returns: both, or the one."""
        return self.below if self.above is None else (self.above, self.below)


def open_panels(view: View, signal: bool | None, axes: Any, bars: str) -> Panels:
    """The axes that a caller gave, or new ones.

    Parameters
    ----------
    view : View
        What is drawn.
    signal : bool or None
        Whether the signal is drawn; None: unless `axes` are one Axes.
    axes : Axes, sequence of two Axes, or None
        What the caller gave.
    bars : str
        What the lower axes are for, in errors.

    Raises
    ------
    TypeError, ValueError
        If `signal` or `axes` are of another type, or do not go together; if there is no signal.

    Examples
    --------
    >>> import xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._view import look_at
    >>> result = xr.Dataset({"rfft": ("frequency", [1.0])}, {"frequency": [0.0]})
    >>> view = look_at(result, 0, "rfft", ("frequency",), "freqig.RFFT()")
    >>> open_panels(view, None, Figure().subplots(), "the spectrum").above is None
    True
    """
    if signal is not None and not isinstance(signal, bool | np.bool_):
        raise TypeError(f"signal must be True, False or None, got {shown(signal)}")
    if signal is None:
        signal = not isinstance(axes, Axes)
    if not signal:
        return Panels(None, new_axes(axes, 3.5))
    series = view.one.get("signal")
    if series is None or "time" not in series.coords:
        raise ValueError(
            "result must have a variable 'signal' with a coordinate 'time', as freqig.Explainer returns it; "
            "pass signal=False to draw without it"
        )
    several = series.size > series.sizes["time"]
    if axes is None:
        above, below = new_pair(6.0 if several else 5.0, (1.4 if several else 1.0, 1.8))
    else:
        above, below = two_axes(axes, "the signal", bars)
    above.set_xlabel("time")
    return Panels(above, below)


def finish_panels(
    panels: Panels,
    view: View,
    values: np.ndarray,
    *,
    title: str | None,
    further: str,
    vmax: float | int | None,
    robust: bool = False,
    frequency: xr.DataArray | None = None,
    bands: Mapping[str, tuple[float, float]] | None = None,
    markers: tuple[Marker, ...] = (),
) -> tuple[Axes, Axes] | Axes:
    """Draw the signal, write title and labels, set the limits of the bars; the axes that were drawn on.

    Parameters
    ----------
    panels, view, values, further
        Where, what, and which bars, and what the label of their axis adds.
    frequency : xarray.DataArray, optional
        Frequencies of the bars, where they are over frequency.
    title, vmax, robust, bands, markers
        As `freqig.plots.spectrum` takes them, once they are checked.
    """
    top = panels.above or panels.below
    taken = explain_signs(panels.below)
    top.set_title(PLACEHOLDER, loc="left", pad=0.0 if panels.above else taken)
    settle(top)
    if panels.above is not None:
        draw_signal(panels.above, view.one.signal)
    if frequency is not None:
        label_frequency(panels.below, panels.below.xaxis, frequency, view.in_view)
    finish_bars(
        panels.below,
        values,
        view.variable,
        further=[further],
        vmax=vmax,
        robust=robust,
        bands=bands,
        markers=markers,
    )
    view.head(top, title, pad=0.0 if panels.above else taken)
    return panels.returned

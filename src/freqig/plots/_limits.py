"""What part of an axis is in view, and on which scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, NullFormatter

from .._check import check_choice, check_number, shown
from ..band_scales import hertz_to_mel, mel_to_hertz
from ._style import length_of, letters, size_in_points, units_of

IN_VIEW = 0.995
"""Share of the magnitude of attributions that a frequency axis holds, where no end was set for it."""

SCALES = ("linear", "log")
FREQUENCY_SCALES = (*SCALES, "mel")
NICE_MEL = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
"""Frequencies in Hz that an axis in mel names."""


def up_to(
    one: xr.Dataset,
    name: str,
    dim: str,
    max_frequency: float | int | None,
    at_least: float = 0.0,
    *,
    scale: str = "linear",
    begins: np.ndarray | None = None,
) -> tuple[xr.Dataset, str]:
    """Frequencies that are in view, and what the label says of them.

    Parameters
    ----------
    one : xarray.Dataset
        One sample, with a coordinate `dim`.
    name : str
        Variable that is drawn.
    dim : str
        Name of the dimension of frequency.
    max_frequency : float or None
        End of the axis, in its units, infinity for all. None: where 99.5 % of |attribution| lies.
    at_least : float, default 0.0
        What is to be in view in any case, such as markers, where `max_frequency` is None.
    scale : {"linear", "log", "mel"}, default "linear"
        Scale of the axis. A logarithmic one has no place for 0.
    begins : numpy.ndarray, optional
        Where rows begin that are bands. Default at their frequencies.

    Returns
    -------
    one : xarray.Dataset
        What is in view.
    note : str
        Which frequencies are left out, unless the caller did, or they hold less than half a percent of
        |attribution|.

    Raises
    ------
    TypeError, ValueError
        If the limit is no number of at least 0, or below every frequency.

    Examples
    --------
    >>> one = xr.Dataset({"rfft": ("frequency", [1.0, 9.0, 0.01])}, {"frequency": [0.0, 1.0, 2.0]})
    >>> cut, note = up_to(one, "rfft", "frequency", None)
    >>> cut.sizes["frequency"], note
    (2, 'up to 99.5 % of |attribution|')
    >>> up_to(one, "rfft", "frequency", None, scale="log")[1]
    'without 0, 10.0 % of |attribution|, up to 99.5 % of the rest'
    """
    one, without = _on_scale(one, name, dim, scale, begins)
    frequency = one[dim].values.astype(np.float64)
    if max_frequency is None:
        # One frequency at or above what must be in view, so that it does not lie on the edge.
        beyond = frequency[frequency >= at_least]
        limit = max(_held(one[name], dim), float(beyond.min()) if beyond.size else np.inf)
    else:
        limit = check_limit(max_frequency)
    # With the slack that bands allow for the rounding of k * fs / n.
    held = frequency <= limit * (1 + 1e-9)
    if not held.any():
        raise ValueError(
            f"max_frequency must be at least {frequency.min():g}, the lowest frequency of the result, "
            f"got {shown(max_frequency)}"
        )
    is_cut = max_frequency is None and not held.all()
    end = f"up to {IN_VIEW:.1%} of {'the rest' if without else '|attribution|'}" if is_cut else ""
    return one.isel({dim: held}), ", ".join(filter(None, [without, end])).replace("%", " %")


def _on_scale(
    one: xr.Dataset, name: str, dim: str, scale: str, begins: np.ndarray | None
) -> tuple[xr.Dataset, str]:
    """What has a place on a scale, and what has none, where that is worth a word."""
    placed = (one[dim].values if begins is None else begins) > 0
    if scale != "log" or placed.all() or not placed.any():
        return one, ""
    size = np.abs(one[name].transpose(dim, ...).values.astype(np.float64)).reshape(len(placed), -1)
    sizes = np.where(np.isfinite(size), size, 0.0).sum(axis=1)
    share = sizes[~placed].sum() / (sizes.sum() or 1.0)
    units = f" {units_of(one[dim])}".rstrip()
    lost = "0" if begins is None else f"0\N{EN DASH}{begins[placed].min():.3g}"
    note = f"without {lost}{units}, {share:.1%} of |attribution|" if share > 1 - IN_VIEW else ""
    return one.isel({dim: placed}), note


def _held(variable: xr.DataArray, dim: str) -> float:
    """Lowest frequency up to which `IN_VIEW` of the magnitude lies; infinity where there is none."""
    size = np.abs(variable.transpose(dim, ...).values.astype(np.float64)).reshape(variable.sizes[dim], -1)
    running = np.cumsum(np.where(np.isfinite(size), size, 0.0).sum(axis=1))
    if not running.size or not running[-1] > 0:
        return np.inf
    return float(variable[dim].values[np.argmax(running >= IN_VIEW * running[-1])])


def check_limit(max_frequency: Any) -> float:
    """End of a frequency axis as a float; TypeError or ValueError unless a number of at least 0.

    Examples
    --------
    >>> check_limit(30)
    30.0
    """
    limit = check_number(max_frequency, "max_frequency")
    if not limit >= 0:
        raise ValueError(
            "max_frequency must be finite and at least 0, or float('inf') for all, got "
            f"{shown(max_frequency)}"
        )
    return limit


def frequency_scale(scale: str | None, plain: str, name: str, frequency: xr.DataArray) -> tuple[str, str]:
    """Scale of a frequency axis, and the parameter that it came from.

    Parameters
    ----------
    scale : {"linear", "log", "mel"} or None
        That of the frequency axis, wherever it lies; None where nothing is said.
    plain : {"linear", "log"}
        That of the axis that frequencies lie on.
    name : str
        The parameter of `plain`.
    frequency : xarray.DataArray
        Frequencies, for their unit.

    Raises
    ------
    ValueError
        If there is no such scale, both say something, or mel is asked for and frequencies are not in Hz.

    Examples
    --------
    >>> frequency_scale("log", "linear", "xscale", xr.DataArray([1.0]))
    ('log', 'scale')
    """
    if scale is None:
        return plain, name
    check_choice(scale, "scale", FREQUENCY_SCALES)
    if plain != "linear":
        raise ValueError(f"{name} must be left out where scale={shown(scale)} is given, got {shown(plain)}")
    if scale == "mel" and frequency.attrs.get("units") != "Hz":
        raise ValueError(
            "scale must be 'linear' or 'log' where frequencies are not in Hz, got 'mel'; pass the sampling "
            "rate, freqig.Explainer(model, fs=...)"
        )
    return scale, "scale"


class _Mel(Locator):
    """Those of `NICE_MEL` in view whose names are apart: 0, and others from the highest down."""

    def __init__(self, axis: Axis) -> None:
        self.of = axis

    def __call__(self) -> list[float]:
        ends = hertz_to_mel(np.sort(self.of.get_view_interval()))
        chosen, above, below = list[float](), -np.inf, np.inf
        if ends[0] <= 0:
            chosen, above = [0.0], self._span(0, ends)[1]
        for at in reversed(NICE_MEL):
            low, high = self._span(at, ends)
            if ends[0] <= hertz_to_mel(at) <= ends[1] and above <= low and high <= below:
                chosen.append(float(at))
                below = low
        return sorted(chosen)

    def _span(self, at: float, ends: np.ndarray) -> tuple[float, float]:
        """Where a name and half a letter beside it begin and end, in points."""
        axes = self.of.axes
        along = self.of is axes.xaxis
        place = size_in_points(axes)[0 if along else 1] * (hertz_to_mel(at) - ends[0]) / np.ptp(ends)
        size = length_of(f"{at:g}", "medium") if along else letters("medium")
        return place - size / 2 - letters() / 4, place + size / 2 + letters() / 4

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        return self()


def set_scale(axis: Axis, scale: str, name: str, borders: np.ndarray) -> None:
    """Set scale and limits of an axis. On a logarithmic one, what lies about zero is not in view.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Horizontal or vertical axis.
    scale : {"linear", "log"}, or "mel" where `name` is "scale"
        Its scale.
    name : str
        Name of the parameter, for errors.
    borders : numpy.ndarray
        Borders of what is drawn, rising.

    Raises
    ------
    ValueError
        If there is no such scale, or nothing to be shown on it.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> set_scale(axes.xaxis, "log", "xscale", np.array([-0.5, 0.5, 1.5, 2.5]))
    >>> [float(limit) for limit in axes.get_xlim()]
    [0.5, 2.5]
    """
    low, high = float(borders[0]), float(borders[-1])
    check_choice(scale, name, FREQUENCY_SCALES if name == "scale" else SCALES)
    if scale == "mel":
        set_mel = axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale
        low = max(low, 0.0)
        set_mel("function", functions=(hertz_to_mel, mel_to_hertz))
        axis.set_major_locator(_Mel(axis))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    elif scale == "log":
        positive = borders[borders > 0]
        if positive.size < 2:
            raise ValueError(f"{name} must be 'linear' where nothing above zero is in view, got 'log'")
        low = float(positive[0])
        set_log = axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale
        set_log("log")
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    set_limits = axis.axes.set_xlim if axis is axis.axes.xaxis else axis.axes.set_ylim
    set_limits(low, high)

"""Bars over frequency or time, dark red upward and light blue downward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from .._check import check_flag, check_positive
from ..bands import highest_of, named_bands
from ._labels import LEADER, fit_label, scaled, shade_bands
from ._limits import set_scale
from ._markers import Marker, draw_markers
from ._style import (
    NEGATIVE,
    NEGATIVE_EDGE,
    PLACEHOLDER,
    POSITIVE,
    POSITIVE_EDGE,
    length_of,
    letters,
    signed_norm,
    size_in_points,
    units_of,
)

SIGNS = (
    (np.maximum, POSITIVE, POSITIVE_EDGE, "raises the output"),
    (np.minimum, NEGATIVE, NEGATIVE_EDGE, "lowers the output"),
)
"""How values of each sign are taken from all, their colours, and what they mean."""


def draw_bars(
    axes: Axes, values: np.ndarray, borders: np.ndarray, xscale: str = "linear", name: str = "xscale"
) -> None:
    """Draw signed values over frequency or time, each as a bar between two borders.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw; its horizontal limits are set.
    values : numpy.ndarray
        Shape (n,).
    borders : numpy.ndarray
        Shape (n + 1,).
    xscale : {"linear", "log"}, default "linear"
        Scale of the horizontal axis.
    name : str, default "xscale"
        The parameter that it came from, see `freqig.plots._limits.frequency_scale`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_bars(axes, np.array([1.0, -1.0]), np.array([-1.0, 1.0, 3.0]))
    >>> [float(limit) for limit in axes.get_xlim()]
    [-1.0, 3.0]
    """
    # One patch a sign, whatever the number of bars; the outline keeps a bar that is narrower than a
    # pixel from fading out.
    for part, face, edge, label in SIGNS:
        heights = part(values, 0)
        if heights.any():
            axes.stairs(
                heights, borders, fill=True, facecolor=face, edgecolor=edge, linewidth=0.6, label=label
            )
    axes.axhline(0, color="0.3", linewidth=0.6)
    axes.set_ylabel(PLACEHOLDER)
    set_scale(axes.xaxis, xscale, name, borders)


def bar_borders(frequency: xr.DataArray) -> np.ndarray:
    """Borders of bars as wide as the spacing of the frequencies, shape (n + 1,).

    Examples
    --------
    >>> bar_borders(xr.DataArray([0.0, 2.0])).tolist()
    [-1.0, 1.0, 3.0]
    """
    at = frequency.values.astype(np.float64)
    # One frequency alone has no spacing, and nothing beside it to show a width.
    spacing = float(np.diff(at).min()) if at.size > 1 else 1.0
    return np.append(at - spacing / 2, at[-1] + spacing / 2)


def explain_signs(axes: Axes, *others: Axes) -> float:
    """Say above axes what the colours in them and in others mean; the height that it takes, in points.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_bars(axes, np.array([1.0]), np.array([0.0, 1.0]))
    >>> explain_signs(axes) > 0
    True
    """
    found = handles_of(axes, *others)
    if not found:
        return 0.0
    labels = [label for *_, label in SIGNS if label in found]
    handles = [found[label] for label in labels]
    if sum(length_of(label) + 3 * letters() for label in labels) > size_in_points(axes)[0]:
        labels = [label.partition(" ")[0] for label in labels]
    legend_above(axes, handles, labels, 1)
    return 1.5 * letters()


def handles_of(*axes: Axes) -> dict[str, Artist]:
    """What has a label in axes, the first of each label."""
    found: dict[str, Artist] = {}
    for one in axes:
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            found.setdefault(str(label), handle)
    return found


def legend_above(axes: Axes, handles: Sequence[Artist], labels: Sequence[str], length: float) -> None:
    """A legend without a frame, above axes on the right, with handles of a length in letters."""
    axes.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=2,
        frameon=False,
        fontsize="small",
        borderpad=0,
        borderaxespad=0.3,
        handlelength=length,
        handletextpad=0.4,
        columnspacing=1,
    )


def finish_bars(
    axes: Axes,
    values: np.ndarray,
    variable: xr.DataArray,
    *,
    quantity: str = "attribution",
    further: Sequence[str] = (),
    vmax: float | int | None = None,
    robust: bool = False,
    bands: Mapping[str, tuple[float, float]] | None = None,
    markers: tuple[Marker, ...] = (),
    named: bool = True,
) -> None:
    """Label the vertical axis, and set its limits so that names at the top are free of bars.

    Call it when the layout is settled.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes with bars, the label of the horizontal axis written.
    values : numpy.ndarray
        What the limits are to hold: the heights of the bars, and of others on the same scale.
    variable : xarray.DataArray
        What is drawn, with ``attrs["units"]``.
    quantity : str
        What the bars are.
    further : sequence of str
        Parts of the last line of the label; empty ones are left out.
    vmax : float, optional
        Where the axis ends, above and below. Default where the bars do.
    robust : bool, default False
        Whether it ends at the 98th percentile of the magnitudes above zero.
    bands : mapping of str to (float, float), optional
        Bands to shade, edges in Hz by name.
    markers : tuple of Marker
        Lines to draw.
    named : bool, default True
        Whether to name bands and markers. Without, the room is left all the same, so that axes
        below each other keep one scale.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> finish_bars(axes, np.array([-1.0, 1.0]), xr.DataArray(0.0, attrs={"units": "logit"}))
    >>> bool(axes.get_ylim()[1] > 1), axes.get_ylabel()
    (True, 'attribution (logit)')
    """
    finite = values[np.isfinite(values)]
    if check_flag(robust, "robust"):
        vmax = signed_norm(values, vmax, robust).vmax
    if vmax is not None:
        high = check_positive(vmax, "vmax")
        low = -high
    else:
        low, high = float(np.min(finite, initial=0.0)), float(np.max(finite, initial=0.0))
        low, high = (-1.0, 1.0) if high == low else (low - 0.05 * (high - low), high + 0.05 * (high - low))
    units = scaled(axes.yaxis, max(-low, high), units_of(variable))
    axes.set_ylim(low, high)
    fit_label(axes, axes.yaxis, [quantity, units], further)
    before = set(axes.texts)
    taken = shade_bands(axes, bands, 2.0) if bands else 0.0
    # Below the bands, so that lines do not cross their names.
    taken += draw_markers(axes, markers, 2.0 + taken)
    if not named:
        for artist in (*(set(axes.texts) - before), *axes.findobj(lambda one: one.get_gid() == LEADER)):
            artist.remove()
    # Never less than a third for the bars, however flat the axes are.
    share = min(taken / size_in_points(axes)[1], 2 / 3)
    axes.set_ylim(low, low + (high - low) / (1 - share))


def edges_in_view(
    bands: Any, one: xr.Dataset, frequency: xr.DataArray
) -> Mapping[str, tuple[float, float]] | None:
    """Edges of bands by name, in the unit of the frequencies; None where there are none.

    Raises
    ------
    TypeError, ValueError
        If bands are wrong (see `freqig.bands`), or in Hz and the frequencies are not.

    Examples
    --------
    >>> frequency = xr.DataArray([0.0, 4.0], dims="frequency", attrs={"units": "Hz"})
    >>> edges_in_view({"slow": (0, 4)}, xr.Dataset(), frequency), edges_in_view(None, xr.Dataset(), frequency)
    ({'slow': (0.0, 4.0)}, None)
    """
    if bands is None:
        return None
    edges, units = named_bands(bands, highest_of(one, frequency.values)), frequency.attrs.get("units")
    if units != "Hz" and (units != "orders" or isinstance(bands, str)):
        raise ValueError(
            f"bands are in Hz, so result.{frequency.name} must have attrs['units'] 'Hz', got {units!r}; pass "
            "the sampling rate, freqig.Explainer(model, fs=...), or leave bands out"
        )
    return edges


def hide_upper_labels(above: Axes) -> None:
    """Leave the labels of a common horizontal axis to the axes below.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> hide_upper_labels(Figure().subplots())
    """
    off: dict[str, Any] = {"labelbottom": False}
    above.set_xlabel("")
    above.tick_params(axis="x", which="both", **off)

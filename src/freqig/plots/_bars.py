"""Bars over frequency, dark red upward and light blue downward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from freqig._check import check_positive
from freqig.plots._style import (
    NEGATIVE,
    NEGATIVE_EDGE,
    POSITIVE,
    POSITIVE_EDGE,
    SMALL,
    label_with_units,
    shade_bands,
    size_in_points,
)


def draw_bars(axes: Axes, values: np.ndarray, frequency: xr.DataArray) -> None:
    """Draw signed values over frequency, each as a bar as wide as the spacing.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw; its limits in frequency are set.
    values : numpy.ndarray
        Shape (frequency,).
    frequency : xarray.DataArray
        Where they are, with ``attrs["units"]``.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_bars(axes, np.array([1.0, -1.0]), xr.DataArray([0.0, 2.0], dims="frequency"))
    >>> [float(limit) for limit in axes.get_xlim()]
    [-1.0, 3.0]
    """
    at = frequency.values.astype(np.float64)
    # One frequency alone has no spacing, and nothing beside it to show a width.
    spacing = float(np.diff(at).min()) if at.size > 1 else 1.0
    borders = np.append(at - spacing / 2, at[-1] + spacing / 2)
    # One patch a sign, whatever the number of frequencies; the outline keeps a bar that is
    # narrower than a pixel from fading out.
    for part, face, edge, label in (
        (np.maximum(values, 0), POSITIVE, POSITIVE_EDGE, "raises the output"),
        (np.minimum(values, 0), NEGATIVE, NEGATIVE_EDGE, "lowers the output"),
    ):
        if part.any():
            axes.stairs(part, borders, fill=True, facecolor=face, edgecolor=edge, linewidth=0.8, label=label)
    axes.axhline(0, color="0.3", linewidth=0.6)
    axes.set_xlim(borders[0], borders[-1])
    if at.size < 4:
        # The axes begin half a bar before the first frequency, and no tick may be negative.
        axes.set_xticks(at)
    axes.set_xlabel(label_with_units("frequency", frequency))


def make_room(
    axes: Axes,
    values: np.ndarray,
    edges: Mapping[str, tuple[float, float]] | None,
    *,
    legend: bool = True,
    named: bool = True,
) -> None:
    """Set vertical limits that leave the legend and the names of bands free of bars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes with bars.
    values : numpy.ndarray
        What the limits are to hold: the heights of the bars, and of others on the same scale.
    edges : mapping of str to (float, float), optional
        Bands to shade, edges in Hz by name.
    legend : bool, default True
        Whether to explain the colours.
    named : bool, default True
        Whether to name the bands. Without, the room is left all the same, so that axes below
        each other keep one scale.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> make_room(axes, np.array([-1.0, 1.0]), None, legend=False)
    >>> bool(axes.get_ylim()[1] > 1)
    True
    """
    taken = 0.0
    if values.any():
        if legend:
            axes.legend(
                loc="upper right", ncols=2, frameon=False, fontsize=SMALL, borderpad=0, borderaxespad=0.5
            )
        taken += 2 * SMALL / size_in_points(axes)[1]
    if edges is not None:
        taken += shade_bands(axes, edges, top=1 - taken - 0.01)
        if not named:
            for text in list(axes.texts):
                text.remove()
    low, high = float(np.min(values, initial=0.0)), float(np.max(values, initial=0.0))
    if not np.isfinite(high - low) or high == low:
        low, high = -1.0, 1.0
    margin = 0.05 * (high - low)
    bottom = low - margin
    # Never less than a third for the bars, however flat the axes are.
    axes.set_ylim(bottom, bottom + (high + margin - bottom) / max(1 - taken, 1 / 3))


def up_to(one: xr.Dataset, max_frequency: float | int | None, dim: str = "frequency") -> xr.Dataset:
    """Frequencies up to a limit.

    Parameters
    ----------
    one : xarray.Dataset
        With a coordinate `dim`.
    max_frequency : float or None
        In its units; None takes all.
    dim : str, default "frequency"
        Name of the dimension.

    Raises
    ------
    TypeError, ValueError
        If the limit is no number of at least 0, or below every frequency.

    Examples
    --------
    >>> up_to(xr.Dataset(coords={"frequency": [0.0, 1.0, 2.0]}), 1).sizes["frequency"]
    2
    """
    if max_frequency is None:
        return one
    limit = check_positive(max_frequency, "max_frequency", zero_allowed=True)
    # With the slack that bands allow for the rounding of k * fs / n.
    shown = one[dim].values <= limit * (1 + 1e-9)
    if not shown.any():
        raise ValueError(
            f"max_frequency must be at least {float(one[dim].min()):g}, the lowest frequency "
            f"of the result, got {max_frequency}"
        )
    return one.isel({dim: shown})


def edges_in_hertz(
    edges: Mapping[str, tuple[float, float]] | None, frequency: xr.DataArray
) -> Mapping[str, tuple[float, float]] | None:
    """Bands as they are, once their unit is that of the frequencies.

    Raises
    ------
    ValueError
        If there are bands, and frequencies are not in Hz.

    Examples
    --------
    >>> edges_in_hertz(None, xr.DataArray([0.5])) is None
    True
    """
    if edges is not None and frequency.attrs.get("units") != "Hz":
        raise ValueError(
            f"bands are in Hz, so result.{frequency.name} must have attrs['units'] 'Hz', got "
            f"{frequency.attrs.get('units')!r}; pass the sampling rate, "
            "freqig.Explainer(model, fs=...), or leave bands out"
        )
    return edges

"""Maps of signed values: cells in the colours of their sign, hatched where negative."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter

from freqig.plots._select import one_channel
from freqig.plots._style import SIGNED_COLORMAP, SMALL, label_with_units, size_in_points

HATCHED = 0.25
"""Negative cells are hatched from this share of the colour limit on: red and blue of one strength
are one grey in print."""

_HATCH = "/////"
# Navy: seen on the palest of the hatched blues and on the deepest.
_INK = "#053061"


def new_axes(axes: Any, height: float = 4.0) -> Axes:
    """The axes given, or those of a new pyplot figure.

    Raises
    ------
    TypeError
        If `axes` are neither Axes nor None.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> new_axes(axes) is axes
    True
    """
    if axes is None:
        # Only here does a figure need pyplot, which looks for a display and keeps the figure.
        from matplotlib import pyplot as plt

        return plt.figure(figsize=(8, height), layout="constrained").subplots()
    if not isinstance(axes, Axes):
        raise TypeError(
            f"axes must be one matplotlib Axes, got {type(axes).__name__}; for example Figure().subplots()"
        )
    return axes


def total_over(variable: xr.DataArray, dims: Iterable[str]) -> tuple[np.ndarray, str]:
    """Values over two dimensions, summed over all others, and what was summed.

    Returns
    -------
    values : numpy.ndarray
        float64, in the order of `dims`; NaN where nothing is.
    summed : str
        For labels, such as "sum of 8 channels"; empty where nothing was summed.

    Examples
    --------
    >>> total_over(xr.DataArray([[1.0], [2.0]], dims=("channel", "time")), ("time",))
    (array([3.]), 'sum of 2 channels')
    """
    dims = tuple(dims)
    others = [dim for dim in variable.dims if dim not in dims]
    counts = {str(dim): variable.sizes[dim] for dim in others if variable.sizes[dim] > 1}
    words = [f"{n} channels" if dim == "channel" else f"{n} of {dim}" for dim, n in counts.items()]
    total = variable.sum(others, skipna=False, dtype=np.float64).transpose(*dims)
    return np.asarray(total.values), f"sum of {' × '.join(words)}" if words else ""


def borders(centres: np.ndarray, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """Borders halfway between centres, shape (n + 1,), within limits.

    Examples
    --------
    >>> borders(np.array([0.0, 1.0, 2.0]), low=0.0)
    array([0. , 0.5, 1.5, 2.5])
    """
    if centres.size < 2:
        edges = np.append(centres - 0.5, centres + 0.5)
        return np.maximum(np.minimum(edges, high), low)
    middle = (centres[1:] + centres[:-1]) / 2
    first, last = centres[0] - (middle[0] - centres[0]), centres[-1] + (centres[-1] - middle[-1])
    edges = np.concatenate([[first], middle, [last]])
    return np.maximum(np.minimum(edges, high), low)


def pooled(values: np.ndarray, edges: np.ndarray, axis: int, most: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Sums of neighbouring cells, so that no more are left than can be seen.

    Cells narrower than a pixel hide each other, and the one drawn is a matter of chance; sums keep
    every attribution.

    Parameters
    ----------
    values : numpy.ndarray
        Cells; NaN where there is none.
    edges : numpy.ndarray
        Borders along `axis`, one more than cells.
    axis : int
        Along which to sum.
    most : int
        Number of cells to be left, at most.

    Returns
    -------
    values, edges : numpy.ndarray
        What is left.
    each : int
        Number of cells in a sum.

    Examples
    --------
    >>> pooled(np.array([1.0, 2.0, 4.0]), np.arange(4), axis=0, most=2)
    (array([3., 4.]), array([0, 2, 3]), 2)
    """
    n = values.shape[axis]
    each = -(-n // max(most, 1)) or 1
    if each == 1:
        return values, edges, 1
    starts = np.arange(0, n, each)
    there = np.isfinite(values)
    total = np.add.reduceat(np.where(there, values, 0.0), starts, axis=axis)
    count = np.add.reduceat(there.astype(int), starts, axis=axis)
    return np.where(count > 0, total, np.nan), np.append(edges[starts], edges[-1]), each


def draw_grid(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    norm: Normalize,
) -> None:
    """Draw cells between borders; those without a finite value are left blank.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    x, y : numpy.ndarray
        Borders, shapes (columns + 1,) and (rows + 1,).
    values : numpy.ndarray
        Shape (rows, columns).
    norm : matplotlib.colors.Normalize
        Colour limits, see `freqig.plots._style.signed_norm`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._style import signed_norm
    >>> axes = Figure().subplots()
    >>> draw_grid(axes, np.arange(3), np.arange(2), np.array([[1.0, -1.0]]), signed_norm([1.0]))
    >>> len(axes.collections), len(axes.patches)
    (1, 1)
    """
    shown = np.ma.masked_invalid(values)
    axes.pcolormesh(x, y, shown, cmap=SIGNED_COLORMAP, norm=norm, shading="flat", rasterized=True)
    largest = float(norm.vmax or 1.0)
    negative = np.asarray((shown < -HATCHED * largest).filled(False))
    if not negative.any():
        return
    # One rectangle for each run of cells in a row.
    steps = np.diff(np.pad(negative.astype(int), ((0, 0), (1, 1))), axis=1)
    (row, start), (_, stop) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    left, right, bottom, top = x[start], x[stop], y[row], y[row + 1]
    corners = np.stack([left, bottom, right, bottom, right, top, left, top, left, bottom], axis=-1)
    codes = np.tile([Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY], len(row))
    _hatch(axes, Path(corners.reshape(-1, 2), codes))


def draw_colour_bar(axes: Axes, norm: Normalize, variable: xr.DataArray, *notes: str) -> Axes:
    """Draw a colour bar beside axes, labelled with quantity, units and notes, hatched as cells are.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes of the map.
    norm : matplotlib.colors.Normalize
        Its colour limits.
    variable : xarray.DataArray
        What is drawn, with ``attrs["units"]``.
    *notes : str
        Further lines of the label; empty ones are left out.

    Returns
    -------
    matplotlib.axes.Axes
        The axes of the colour bar.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._style import signed_norm
    >>> values = xr.DataArray([1.0], attrs={"units": "logit"})
    >>> draw_colour_bar(Figure().subplots(), signed_norm(values), values).get_ylabel()
    'attribution (logit)'
    """
    figure = axes.get_figure()
    if figure is None:
        raise ValueError("axes must belong to a figure, got axes that were removed from theirs")
    bar = figure.colorbar(ScalarMappable(norm, SIGNED_COLORMAP), ax=axes, pad=0.02, aspect=25)
    # A power of ten above the bar would stand in the title of a narrow map.
    bar.ax.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:.6g}".replace("-", "\N{MINUS SIGN}"))
    )
    bar.set_label("\n".join([label_with_units("attribution", variable), *filter(None, notes)]))
    bar.ax.tick_params(labelsize=SMALL)
    largest = float(norm.vmax or 1.0)
    corners = [(0, -largest), (1, -largest), (1, -HATCHED * largest), (0, -HATCHED * largest)]
    _hatch(bar.ax, Path(np.array(corners), closed=False))
    return bar.ax


def _hatch(axes: Axes, path: Path) -> None:
    with mpl.rc_context({"hatch.linewidth": 0.45}):
        axes.add_patch(
            PathPatch(path, facecolor="none", edgecolor=_INK, linewidth=0, hatch=_HATCH, alpha=0.55)
        )


def visible_cells(axes: Axes) -> tuple[int, int]:
    """Number of columns and rows that can be told apart in axes: one a point.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> columns, rows = visible_cells(Figure(figsize=(8, 4)).subplots())
    >>> columns > rows > 100
    True
    """
    width, height = size_in_points(axes)
    return max(int(width), 16), max(int(height), 16)


def cells_note(columns: int, rows: int) -> str:
    """What the label says where cells are sums; empty where they are not.

    Examples
    --------
    >>> cells_note(1, 1), cells_note(4, 2)
    ('', 'sum of 4 × 2 cells')
    """
    return "" if columns * rows == 1 else f"sum of {columns} × {rows} cells"


def channel_of(one: xr.Dataset, name: str, channel: Hashable | None) -> xr.DataArray:
    """The variable, of one channel where one is asked for.

    Examples
    --------
    >>> one = xr.Dataset({"stft": ("channel", [1.0, 2.0])}, coords={"channel": ["Fz", "Oz"]})
    >>> float(channel_of(one, "stft", "Oz"))
    2.0
    """
    return one[name] if channel is None else one_channel(one[[name]], channel)[name]

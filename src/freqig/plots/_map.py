"""Maps of signed values: cells in the colours of their sign, hatched where negative."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ._labels import fit_label, scaled
from ._style import (
    PLACEHOLDER,
    SIGNED_COLORMAP,
    SignedNorm,
    root_of,
    settle,
    size_in_points,
    units_of,
)
from ._view import View

_NAVY, _WHITE = "#053061", "white"

HATCHES = (
    (0.04, 0.25, "/////", _NAVY, 0.55),
    (0.25, 0.7, "////////", _NAVY, 0.7),
    (0.7, np.inf, "////////", _WHITE, 0.95),
)
"""Shares of the colour limit between which negative cells are hatched, how, in which ink, how opaque.

Red and blue of one strength are one grey in print, so the weak are hatched less densely than the strong, and
the darkest in white. Lines are so close that one crosses every cell of some points. Weaker cells are as good
as white.
"""


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
    words = [f"{n} {_plural(dim)}" for dim, n in counts.items()]
    total = variable.sum(others, skipna=False, dtype=np.float64).transpose(*dims)
    return np.asarray(total.values), f"sum of {' × '.join(words)}" if words else ""


def _plural(dim: str) -> str:
    """What the entries of a dimension are called; domains put their name before it, as in "ica_component"."""
    kind = dim if dim.startswith("axis_") else dim.rpartition("_")[2]
    return {"frequency": "frequencies", "time": "times"}.get(kind, kind.replace("_", " ") + "s")


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
    norm: SignedNorm,
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
    norm : SignedNorm
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
    hatch_negative(axes, x, y, shown, norm)


def hatch_negative(
    axes: Axes, x: np.ndarray, y: np.ndarray, values: Any, norm: SignedNorm
) -> list[PathPatch]:
    """Hatch the negative ones of cells between borders, as `draw_grid` takes them; the patches.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._style import signed_norm
    >>> cells = np.array([[1.0, -1.0]])
    >>> len(hatch_negative(Figure().subplots(), np.arange(3), np.arange(2), cells, signed_norm(cells)))
    1
    """
    size = np.ma.filled(np.ma.masked_invalid(-values / norm.limit), 0.0)
    drawn = []
    for weakest, strongest, hatch, ink, alpha in HATCHES:
        inside = (size >= weakest) & (size < strongest)
        if inside.any():
            drawn.append(_hatch(axes, _outlines(x, y, inside), hatch, ink, alpha))
    return drawn


def hatch_bar(bar: Axes, norm: SignedNorm) -> None:
    """Hatch a colour bar as cells are."""
    for weakest, strongest, hatch, ink, alpha in HATCHES:
        low, high = -norm.limit * min(strongest, 1.0), -norm.limit * weakest
        corners = [(0, low), (1, low), (1, high), (0, high)]
        _hatch(bar, Path(np.array(corners), closed=False), hatch, ink, alpha)


def _outlines(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> Path:
    """A rectangle for each run of cells in a row."""
    steps = np.diff(np.pad(inside.astype(int), ((0, 0), (1, 1))), axis=1)
    (row, start), (_, stop) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    left, right, bottom, top = x[start], x[stop], y[row], y[row + 1]
    corners = np.stack([left, bottom, right, bottom, right, top, left, top, left, bottom], axis=-1)
    codes = np.tile([Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY], len(row))
    return Path(corners.reshape(-1, 2), codes)


def finish_map(
    axes: Axes, view: View, norm: SignedNorm, *notes: str, title: str | None = None, pad: float = 0.0
) -> Axes:
    """Draw a colour bar beside a map, labelled and hatched as cells are, and write the title above.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes of the map, the label of the horizontal axis written. The layout is settled here.
    view : View
        What is drawn.
    norm : SignedNorm
        Its colour limits.
    *notes : str
        What the label of the colour bar adds; empty ones are left out.
    title : str, optional
        Title in place of that of the view.
    pad : float, default 0.0
        Height of what stands between map and title, in points.

    Returns
    -------
    matplotlib.axes.Axes
        The axes of the colour bar.

    Examples
    --------
    >>> import xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._style import signed_norm
    >>> from freqig.plots._view import look_at
    >>> result = xr.Dataset({"stft": ("time", [1.0], {"units": "log_prob"})}, {"time": [0.0]})
    >>> view = look_at(result, 0, "stft", ("time",), "freqig.STFT()")
    >>> finish_map(Figure().subplots(), view, signed_norm([1.0])).get_ylabel()
    'attribution (log probability)'
    """
    bar = root_of(axes).colorbar(
        ScalarMappable(norm, SIGNED_COLORMAP),
        ax=axes,
        pad=0.02,
        aspect=25,
        extend="both" if norm.beyond else "neither",
    )
    units = scaled(bar.ax.yaxis, norm.limit, units_of(view.variable))
    bar.ax.tick_params(labelsize="small")
    hatch_bar(bar.ax, norm)
    axes.set_ylabel(axes.get_ylabel() or PLACEHOLDER)
    axes.set_title(PLACEHOLDER, loc="left", pad=pad)
    # As wide as the label will be.
    bar.set_label("\n".join(" " * (1 + max(1, len(list(filter(None, notes)))))))
    settle(axes)
    fit_label(bar.ax, bar.ax.yaxis, ["attribution", units], notes)
    whole = bar.ax.get_tightbbox()
    beside = 0.0 if whole is None else (whole.x1 - axes.get_window_extent().x1) * 72 / root_of(axes).dpi
    view.head(axes, title, pad=pad, beside=beside, edge=bar.ax)
    drawn: Axes = bar.ax
    return drawn


def _hatch(axes: Axes, path: Path, hatch: str, ink: str, alpha: float) -> PathPatch:
    with mpl.rc_context({"hatch.linewidth": 0.45}):
        patch = PathPatch(path, facecolor="none", edgecolor=ink, linewidth=0, hatch=hatch, alpha=alpha)
        axes.add_patch(patch)
    return patch


def write_in_cell(axes: Axes, row: int, column: int, text: str, size: float, *, white: float) -> None:
    """Write into the middle of a cell of a table, on white that covers so much of its colour.

    It keeps letters readable on the darkest cells, in grey too.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> write_in_cell(axes, 0, 2, "+1.5", 8.0, white=0.85)
    >>> axes.texts[0].get_position()
    (2.5, 0.5)
    """
    axes.text(
        column + 0.5,
        row + 0.5,
        text,
        ha="center",
        va="center",
        fontsize=size,
        color="0.05",
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": white, "linewidth": 0},
    )


def visible_cells(axes: Axes) -> tuple[int, int]:
    """Number of columns and rows that can be told apart in axes: one per point.

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

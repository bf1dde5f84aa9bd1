"""Class × band: the mean attributions of bands, as numbers in a coloured table."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ._axes import new_axes
from ._groups import Decisions
from ._labels import fit_label, told_alike
from ._map import finish_map, hatch_negative, total_over, write_in_cell
from ._names import fit_names, name_rows, short_names
from ._options import documented
from ._style import SIGNED_COLORMAP, length_of, letters, signed_norm, size_in_points, smallest
from ._title import named_channel
from ._view import View


@documented
def band_table(
    result: xr.Dataset,
    bands: Any = "sleep",
    *,
    name: str = "rfft",
    channel: Hashable | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    axes: Any = None,
) -> Axes:
    """Draw the mean attribution of every band for each explained class, with the numbers.

    A row is a class and says how many samples were explained for it, a column is a band, and ``rest``
    is what lies outside all bands, so that a row adds up to the mean difference of outputs. All numbers have
    the decimals of the largest, which has three digits; `freqig.bands` has the others. Negative cells are
    hatched. Of results with ``target="all"`` the predicted class of each sample counts.

    Where there is no room for letters that can be read, bands become the rows if that helps, the largest
    number has two digits, or the numbers are left out and the label of the bands says so.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation of many samples, as `freqig.Explainer` returns it, or what `freqig.bands` makes
        of it.
    bands : str or mapping of str to (float, float), default "sleep"
        As `freqig.bands` takes them; not looked at where bands were summed before.
    name : str, default "rfft"
        Variable to draw, named as its domain is.
    {channel or sum}
    {title}
    {vmax of colours}
    {robust}
    {axes}

    Returns
    -------
    {map}

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, samples, or their explained classes; if there is no such
        channel, or `bands` are wrong.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {"rfft": (("sample", "frequency"), np.ones((3, 33)), {"kind": "attribution"})},
    ...     coords={
    ...         "frequency": ("frequency", np.arange(33.0), {"units": "Hz"}),
    ...         "target": ("sample", ["N2", "W", "N2"]),
    ...     },
    ... )
    >>> axes = plots.band_table(result, {"slow": (0, 8)}, axes=Figure(layout="constrained").subplots())
    >>> [text.get_text() for text in axes.texts if text.get_text()][:4]
    ['+8.0', '+25.0', '+8.0', '+25.0']
    """
    found, dim = Decisions.by_band(result, name, bands, channel)
    values, summed = total_over(found.attribution, ("sample", dim))
    order = found.order
    means = np.stack([values[found.members(label)].mean(axis=0) for label in order])
    panel = new_axes(axes, min(1.6 + 0.5 * len(order), 9.0))
    turned = _better_turned(panel, means)
    cells = means.T if turned else means
    norm = signed_norm(means, vmax, robust)
    x, y = np.arange(cells.shape[1] + 1.0), np.arange(cells.shape[0] + 1.0)
    panel.pcolormesh(x, y, cells, cmap=SIGNED_COLORMAP, norm=norm, edgecolors="white", linewidth=1)
    hatch_negative(panel, x, y, cells, norm)
    # The lowest band is at the bottom, as in all figures, but classes begin at the top.
    panel.set_ylim((0, len(cells)) if turned else (len(cells), 0))
    bands_named = [str(band) for band in found.attribution[dim].values]
    counted = [f"{label} ({int(found.members(label).sum())})" for label in order]
    rows, columns = (bands_named, counted) if turned else (counted, bands_named)
    columns = short_names(panel, columns)
    panel.set_xticks(x[:-1] + 0.5, columns, fontsize="small")
    name_rows(panel, y[:-1] + 0.5, rows)
    panel.tick_params(length=0)
    panel.set_xlabel("band")
    upright = _turn_names(panel, columns)
    view = View(found.about, name, (dim,), None, channel)
    made = ", ".join(filter(None, ["Mean attribution of bands by explained class", named_channel(channel)]))
    finish_map(panel, view, norm, "mean over samples", summed, title=made if title is None else title)
    fit_names(panel, panel.yaxis)
    if upright:
        fit_names(panel, panel.xaxis)
    written = _write_numbers(panel, cells)
    axes_of = (panel.yaxis, panel.xaxis) if turned else (panel.xaxis, panel.yaxis)
    fit_label(panel, axes_of[0], ["band", "" if written else "(no room for numbers)"])
    fit_label(panel, axes_of[1], ["explained class", "(samples)"])
    return panel


def _better_turned(panel: Axes, means: np.ndarray) -> bool:
    """Whether numbers have room where bands are the rows, and none where they are the columns."""
    width, height = _room(panel)
    fits = [
        _size(told_alike(cells), width / cells.shape[1], height / cells.shape[0]) >= smallest()
        for cells in (means, means.T)
    ]
    return fits[1] and not fits[0]


def _room(panel: Axes) -> tuple[float, float]:
    """Width and height in points that a colour bar and names will leave, before the layout is settled."""
    width, height = size_in_points(panel)
    return 0.65 * width, 0.85 * height


def _turn_names(panel: Axes, names: list[str]) -> bool:
    """Turn the names of the columns where they do not fit beside each other; whether they were turned."""
    upright = max(map(length_of, names)) > _room(panel)[0] / len(names) - 3
    if upright:
        panel.tick_params(axis="x", rotation=90)
    return upright


def _size(told: np.ndarray, width: float, height: float) -> float:
    """Size of letters, small ones at most, in which every number fits its cell, all in points."""
    longest = max(map(length_of, told.ravel()))
    return letters() * min(1.0, 0.9 * width / longest, 0.8 * height / letters())


def _write_numbers(panel: Axes, means: np.ndarray) -> bool:
    """Write numbers that can be read into the cells; whether there was room for them."""
    width, height = size_in_points(panel)
    rows, columns = means.shape
    for told in (told_alike(means), told_alike(means, digits=2)):
        size = _size(told, width / columns, height / rows)
        if size >= smallest():
            break
    else:
        return False
    for (i, j), text in np.ndenumerate(told):
        write_in_cell(panel, i, j, text, size, white=0.85)
    return True

"""Class × band: the mean attributions of bands, as numbers in a coloured table."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ._axes import new_axes
from ._groups import Decisions
from ._labels import fit_label
from ._map import finish_map, total_over
from ._names import name_rows, short_names
from ._options import documented
from ._style import SIGNED_COLORMAP, length_of, letters, signed_norm, size_in_points
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
    the decimals of the largest, which has three digits; `freqig.bands` has the others. Of results
    with ``target="all"`` the predicted class of each sample counts.

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
    norm = signed_norm(means, vmax, robust)
    x, y = np.arange(means.shape[1] + 1.0), np.arange(len(order) + 1.0)
    panel.pcolormesh(x, y, means, cmap=SIGNED_COLORMAP, norm=norm, edgecolors="white", linewidth=1)
    panel.set_ylim(len(order), 0)
    names = short_names(panel, [str(band) for band in found.attribution[dim].values])
    sizes = [int(found.members(label).sum()) for label in order]
    counts = [f"{label}\n{n} sample{'s' * (n != 1)}" for label, n in zip(order, sizes, strict=True)]
    panel.set_xticks(x[:-1] + 0.5, names, fontsize="small")
    name_rows(panel, y[:-1] + 0.5, counts)
    panel.tick_params(length=0)
    panel.set_xlabel("band")
    _fit_names(panel, names)
    view = View(found.about, name, (dim,), None, channel)
    made = ", ".join(filter(None, ["Mean attribution of bands by explained class", named_channel(channel)]))
    finish_map(panel, view, norm, "mean over samples", summed, title=made if title is None else title)
    fit_label(panel, panel.yaxis, ["explained class"])
    _write_numbers(panel, means)
    return panel


def _fit_names(panel: Axes, names: list[str]) -> None:
    """Turn the names of the bands where they do not fit beside each other."""
    # Before the layout is settled, which a colour bar and the names of the classes will narrow.
    width = 0.7 * size_in_points(panel)[0] / len(names)
    if max(map(length_of, names)) > width - 3:
        panel.tick_params(axis="x", rotation=90)


def _told(means: np.ndarray) -> list[list[str]]:
    """Numbers with the decimals that give the largest three digits, so that they are short and compare.

    Examples
    --------
    >>> _told(np.array([[12.34, -0.12, 0.004]]))
    [['+12.3', '−0.1', '+0.0']]
    """
    largest = float(np.abs(means[np.isfinite(means)]).max(initial=0.0))
    # Beyond these, zeros would be most of what is written.
    plain = 0.01 <= largest < 10_000
    style = f"+.{max(0, 2 - int(np.floor(np.log10(largest))))}f" if plain else "+.2g"
    return [[f"{value:{style}}".replace("-", "\N{MINUS SIGN}") for value in row] for row in means.tolist()]


def _write_numbers(panel: Axes, means: np.ndarray) -> None:
    width, height = size_in_points(panel)
    rows, columns = means.shape
    told = _told(means)
    longest = max(length_of(text) for row in told for text in row)
    size = letters() * min(1.0, 0.85 * width / columns / longest, 0.8 * height / rows / letters())
    for i, row in enumerate(told):
        for j, text in enumerate(row):
            # The white behind it keeps it readable on the darkest cells, in grey too.
            panel.text(
                j + 0.5,
                i + 0.5,
                text,
                ha="center",
                va="center",
                fontsize=size,
                color="0.05",
                bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
            )

"""Player × player: what pairs of bands, channels or times do beyond each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ..known_values import largest
from ._axes import new_axes
from ._labels import fit_label
from ._map import draw_grid, finish_map, write_in_cell
from ._names import fit_names, name_rows, short_names
from ._options import documented
from ._select import one_variable
from ._style import length_of, letters, signed_norm, size_in_points, smallest, with_minus
from ._view import View

PREFIX = "shapley"
NAME = f"{PREFIX}_interaction"

MOST_PLAYERS = 40
"""Players that a table has room for; of more, those with the largest rows are drawn."""

MOST_WITH_NUMBERS = 12
"""Players of which cells have room for numbers."""

WORTH_A_NUMBER = 0.01
"""Part of the largest cell below which a cell has no colour, and no number."""


@documented
def interactions(
    result: xr.Dataset,
    sample: int = 0,
    *,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    axes: Any = None,
) -> Axes:
    """Draw what pairs of players do together, and on the diagonal what each does alone.

    A cell below the diagonal is the interaction of the two players that it belongs to: what the output
    rises by when both are present, beyond what it rises by for each of them. Framed cells on the diagonal
    are what players do alone. All cells that are drawn add up to the difference of outputs. Red raises the
    explained output, blue lowers it. Of more than 40 players those that do most are drawn.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation by `freqig.Shapley` with ``max_order=2``.
    {sample}
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
        If `result` has no interactions, no such sample, or holds several targets.

    Examples
    --------
    >>> import numpy as np, freqig
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> players = freqig.FilterBank({"theta": (4, 8), "alpha": (8, 12)})
    >>> shapley = freqig.Shapley(lambda x: x.max(-1), fs=64, players=players, max_order=2)
    >>> result = shapley(np.sin(2 * np.pi * 10 * np.arange(64) / 64)[None])
    >>> axes = plots.interactions(result, axes=Figure(layout="constrained").subplots())
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['theta', 'alpha', 'rest']
    """
    if NAME not in getattr(result, "data_vars", (NAME,)):
        others = ", ".join(map(repr, result.data_vars)) or "none"
        raise ValueError(
            f"result must have a variable {NAME!r}, got {others}; explain with "
            "freqig.Shapley(model, max_order=2)"
        )
    one, _, position = one_variable(result, sample, NAME, ("player", "other"), "freqig.Shapley(...)")
    table = one[NAME].values.astype(np.float64)
    alone = one[f"{PREFIX}_alone"].values.astype(np.float64).ravel()
    names = [str(name) for name in one[f"{PREFIX}_player"].values]
    shown = _most(table, alone)
    left = len(names) - len(shown)
    table, alone, names = table[np.ix_(shown, shown)], alone[shown], [names[i] for i in shown]
    values = np.where(np.tri(len(names), k=-1) > 0, table, np.nan)
    np.fill_diagonal(values, alone)
    panel = new_axes(axes, min(2.0 + 0.42 * len(names), 8.0))
    norm = signed_norm(values, vmax, robust)
    edges = np.arange(len(names) + 1.0)
    draw_grid(panel, edges, edges, values, norm)
    panel.set_ylim(len(names), 0)
    for i in range(len(names)):
        panel.add_patch(Rectangle((i, i), 1, 1, fill=False, edgecolor="0.25", linewidth=1.2, zorder=3))
    names = short_names(panel, names)
    panel.set_xticks(edges[:-1] + 0.5, names, fontsize="small")
    name_rows(panel, edges[:-1] + 0.5, names)
    panel.tick_params(length=0)
    _fit_names(panel, names)
    view = View(one, NAME, (f"{PREFIX}_player", f"{PREFIX}_other"), position, None)
    panel.set_xlabel("player, framed what it does alone")
    finish_map(panel, view, norm, f"{left} players left out" if left else "", title=title)
    fit_label(panel, panel.yaxis, ["player"])
    fit_names(panel, panel.yaxis)
    if panel.get_xticklabels()[0].get_rotation():
        fit_names(panel, panel.xaxis)
    if len(names) <= MOST_WITH_NUMBERS:
        _write_numbers(panel, values)
    return panel


def _most(table: np.ndarray, alone: np.ndarray) -> list[int]:
    """Players that are drawn, in their own order."""
    if len(alone) <= MOST_PLAYERS:
        return list(range(len(alone)))
    weight = np.abs(table).sum(1) + np.abs(alone)
    return sorted(np.argsort(weight)[-MOST_PLAYERS:].tolist())


def _fit_names(panel: Axes, names: list[str]) -> None:
    """Turn the names below where they do not fit beside each other."""
    if max(map(length_of, names)) > 0.7 * size_in_points(panel)[0] / len(names) - 3:
        panel.tick_params(axis="x", rotation=90)


def _write_numbers(panel: Axes, values: np.ndarray) -> None:
    width, height = (side / len(values) for side in size_in_points(panel))
    told = {
        (i, j): with_minus(f"{values[i, j]:+.2g}")
        for i, j in np.argwhere(np.abs(values) >= WORTH_A_NUMBER * largest(values)).tolist()
        if values[i, j]
    }
    if not told:
        return
    longest = max(map(length_of, told.values()))
    size = letters() * min(1.0, 0.7 * width / longest, 0.8 * height / letters())
    if size < smallest():
        return
    for (i, j), text in told.items():
        write_in_cell(panel, i, j, text, size, white=0.75)

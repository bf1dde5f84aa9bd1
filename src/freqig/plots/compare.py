"""Two explanations side by side, on one scale."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from .._check import check_names, shown
from ..bands import highest_of
from ..result.reading import same_unit
from ._axes import axes_for
from ._bars import bar_borders, draw_bars, edges_in_view, explain_signs, finish_bars
from ._labels import fitted, label_frequency
from ._limits import frequency_scale
from ._map import total_over
from ._markers import read_markers
from ._names import shortened
from ._options import documented
from ._select import check_variable
from ._style import PLACEHOLDER, length_of, letters, settle, size_in_points, units_of, with_minus
from ._title import check_title, decision_of, gap_of, leave_room, number, write_head
from ._view import View, look_at

HEAD_LINES = 3
"""Lines above a panel for which room is left: whose decision, its output, and the gap."""


@documented
def compare(
    result: xr.Dataset,
    other: xr.Dataset,
    sample: int = 0,
    *,
    names: Sequence[str] = ("first", "second"),
    name: str = "rfft",
    channel: Hashable | None = None,
    bands: Any = None,
    max_frequency: float | int | None = None,
    markers: Any = None,
    harmonics: int = 1,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    axes: Any = None,
) -> tuple[Axes, Axes]:
    """Draw the attributions of two results side by side, on one scale.

    Two models on one signal, two classes of one decision, two baselines, or the means of two groups:
    pass ``result.isel(target=0)``, ``result.mean("sample")`` and the like. Where both have the same
    frequencies, the title tells how alike they are, as the cosine of the angle between them: 1 for
    attributions that differ by a factor only, 0 for those that have nothing in common.

    Parameters
    ----------
    result, other : xarray.Dataset
        Explanations, as `freqig.Explainer` returns them, in one unit.
    {sample}
    names : sequence of two str, default ("first", "second")
        What they are, such as names of models.
    name : str, default "rfft"
        Variable to draw, named as its domain is.
    {channel or sum}
    {bands}
    {max_frequency}
    {markers}
    {harmonics}
    {scale}
    {title}
    {vmax of bars}
    {robust bars}
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw. Default new ones, beside each other, of a new pyplot figure.

    Returns
    -------
    first_axes, second_axes : matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    {type}
    ValueError
        If a result lacks the variable or the sample, or holds several targets; if their units differ;
        if there is no such channel, or no frequency up to `max_frequency`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> frequency = ("frequency", np.arange(33.0), {"units": "Hz"})
    >>> rows = (xr.Variable("frequency", row) for row in np.eye(33)[3:5])
    >>> one, two = (xr.Dataset({"rfft": row}, {"frequency": frequency}) for row in rows)
    >>> left, right = plots.compare(one, two, axes=Figure(layout="constrained").subplots(1, 2))
    >>> left.get_title(loc="left").strip()
    'first and second: cosine similarity 0.00'
    """
    labels = check_names(names, "names") or ()
    if len(labels) != 2:
        raise ValueError(f"names must be two, for the first result and the second, got {shown(names)}")
    check_title(title)
    check_variable(other, name, ("frequency",), "freqig.RFFT()", "other")
    views = [look_at(one, sample, name, ("frequency",), "freqig.RFFT()", channel) for one in (result, other)]
    dim = views[0].dims[0]
    units = [units_of(view.variable) for view in views]
    if not same_unit(*(view.variable for view in views)):
        raise ValueError(
            f"result and other must be in one unit to share a scale, got {units[0] or 'none'} and "
            f"{units[1] or 'none'}: explain both with the same output="
        )
    alike = _similarity(*views)
    chosen = frequency_scale(scale, "linear", "scale", views[0].one[dim])
    highest = max(float(view.one[dim].max()) for view in views)
    widest = max(views, key=lambda view: highest_of(view.one, view.one[dim].values))
    edges = edges_in_view(bands, widest.one, widest.one[dim])
    lines = read_markers(markers, harmonics, highest)
    needed = max((line.at for line in lines), default=0.0)
    shown_views = [view.up_to(dim, max_frequency, needed, scale=chosen[0]) for view in views]
    # The one that reaches further sets the end of both.
    end = max(float(view.one[dim].max()) for view in shown_views)
    notes = [view.in_view for view in shown_views]
    views = [view.up_to(dim, end, scale=chosen[0]) for view in views]

    panels = axes_for(axes, 2, "result", 3.4, columns=2)
    totals = [total_over(view.variable, (dim,)) for view in views]
    for panel, view, (values, _) in zip(panels, views, totals, strict=True):
        draw_bars(panel, values, bar_borders(view.one[dim]), *chosen)
        panel.set_xlabel("frequency")
    left = min(panel.get_xlim()[0] for panel in panels)
    right = max(panel.get_xlim()[1] for panel in panels)
    taken = explain_signs(panels[1], panels[0])
    for panel in panels:
        panel.set_xlim(left, right)
        leave_room(panel, HEAD_LINES + 1, taken)
    panels[0].set_title(PLACEHOLDER, loc="left", pad=taken + 1.3 * letters() * HEAD_LINES)
    settle(panels[0])
    together = np.concatenate([values for values, _ in totals])
    note = next(filter(None, notes), "")
    sums = [summed for _, summed in totals]
    if _beside(panels) and sums[0] != sums[1]:
        # The label of the left panel stands for both.
        sums[0] = f"{sums[0] or 'no sum'}, right: {sums[1] or 'no sum'}"
    for panel, view, summed in zip(panels, views, sums, strict=True):
        fits = max(map(length_of, note.split(", "))) <= size_in_points(panel)[0]
        label_frequency(panel, panel.xaxis, view.one[dim], note if fits else "")
        finish_bars(
            panel,
            together,
            view.variable,
            further=[summed],
            vmax=vmax,
            robust=robust,
            bands=edges,
            markers=lines,
        )
    if _beside(panels):
        # Both have one scale.
        panels[1].set_ylabel("")
        panels[1].tick_params(axis="y", labelleft=False)
    _write_titles(panels, views, labels, alike, title, taken)
    return panels[0], panels[1]


def _similarity(one: View, other: View) -> float | None:
    """Cosine of the angle between attributions; None where they are not comparable or there are none."""
    first, second = one.variable, other.variable
    if first.dims != second.dims or first.shape != second.shape:
        return None
    if not np.allclose(one.one[one.dims[0]].values, other.one[other.dims[0]].values):
        return None
    a, b = (np.nan_to_num(values.values.astype(np.float64)).ravel() for values in (first, second))
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 0 else None


def _write_titles(
    panels: list[Axes],
    views: list[View],
    labels: Sequence[str],
    alike: float | None,
    title: str | None,
    pad: float,
) -> None:
    """What is compared above the left panel, and over each what it shows, with its gap."""
    decisions = [decision_of(view.one, view.position, view.channel) for view in views]
    common = [part for part in decisions[0] if part in decisions[1]]
    said = "" if alike is None else with_minus(f"cosine similarity {alike:.2f}")
    made = f"{labels[0]} and {labels[1]}: {', '.join(filter(None, [*common, said]))}".removesuffix(": ")
    heads: list[str] = []
    for panel, view, label, own in zip(panels, views, labels, decisions, strict=True):
        parts = [part for part in own if part not in common]
        if (output := view.one.get("output")) is not None:
            parts.append(f"{units_of(output, 'output')} {number(float(output))}")
        room = size_in_points(panel)[0]
        if parts and length_of(f"{label}: {parts[0]}") <= room:
            parts[0] = f"{label}: {parts[0]}"
        else:
            parts.insert(0, label)
        told = [shortened(part, room, "small") for part in parts]
        lines = fitted(told, room, between=", ", size="small").splitlines()
        gap = fitted(gap_of(view.one, view.name).split(" "), room, size="small")
        heads.append("\n".join(filter(None, [*lines, gap])))
        write_head(panel, heads[-1], pad + 3)
    text = _over_both(made if title is None else title, panels)
    height = pad + 6 + 1.3 * letters() * max(len(head.splitlines()) for head in heads)
    for panel in panels:
        below = panel is panels[1] and not _beside(panels)
        leave_room(panel, 1 if below else 1 + len(text.splitlines()), height)
    panels[0].set_title(text, loc="left", fontsize="medium", pad=height).set_in_layout(False)


def _over_both(text: str, panels: list[Axes]) -> str:
    """A heading broken into lines as wide as both panels, where they are beside each other."""
    left, right = (panel.get_window_extent() for panel in panels)
    room = size_in_points(panels[0])[0] * ((right.x1 - left.x0) / left.width if _beside(panels) else 1.0)
    return "\n".join(fitted(line.split(" "), room, size="medium") for line in text.splitlines())


def _beside(panels: list[Axes]) -> bool:
    left, right = (panel.get_window_extent() for panel in panels)
    return bool(right.x0 >= left.x1)

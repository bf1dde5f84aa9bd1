"""Mean attribution of every class over frequency, right and wrong decisions apart."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from .._check import check_share
from ._axes import axes_for
from ._bars import bar_borders, edges_in_view, finish_bars, handles_of, hide_upper_labels, legend_above
from ._groups import TRUTH, Decisions
from ._labels import label_frequency
from ._limits import frequency_scale, set_scale, up_to
from ._map import total_over
from ._markers import read_markers
from ._means import mean_interval
from ._options import documented
from ._style import PLACEHOLDER, length_of, letters, settle, size_in_points
from ._title import draw_title, leave_room, named_channel, write_head

KINDS = (("right", True, "0.1", "-", None), ("wrong", False, "#e08214", (0, (4, 1.5)), "////"))
"""What decisions are called, whether they are right, and their colours, lines and hatches."""


@documented
def class_spectrum(
    result: xr.Dataset,
    *,
    name: str = "rfft",
    channel: Hashable | None = None,
    confidence: float = 0.95,
    bands: Any = None,
    max_frequency: float | int | None = None,
    markers: Any = None,
    harmonics: int = 1,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    axes: Any = None,
) -> tuple[Axes, ...]:
    """Draw the mean attribution of each class over frequency, right and wrong decisions apart.

    One panel per explained class, all on one scale. The line is the mean over the samples that were
    explained for this class, signed; the band around it the confidence interval of that mean, at each
    frequency by itself. Decisions are right where the predicted class is the true one. Of results with
    ``target="all"`` the predicted class of each sample is drawn.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation of many samples, as `freqig.Explainer` returns it, with coordinates ``target``,
        ``predicted`` and ``truth``.
    name : str, default "rfft"
        Variable to draw, named as its domain is.
    {channel or sum}
    confidence : float, default 0.95
        Of the intervals over samples, Student's; a single sample has none. Intervals over people are those
        of `freqig.summarize`.
    {bands}
    {max_frequency}
    {markers}
    {harmonics}
    {scale}
    {title}
    {vmax of bars}
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw, one per class. Default new ones, below each other, of a new pyplot figure.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        The axes drawn on, one per class, in the order of the model's classes, else of names or numbers.

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, samples, or the coordinates; if `confidence` is not between 0
        and 1; if there is no such channel, or no frequency up to `max_frequency`; if `bands` or
        markers are wrong.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> rng = np.random.default_rng(0)
    >>> result = xr.Dataset(
    ...     {"rfft": (("sample", "frequency"), rng.normal(size=(20, 33)))},
    ...     coords={
    ...         "frequency": ("frequency", np.arange(33.0), {"units": "Hz"}),
    ...         "target": ("sample", ["N2", "W"] * 10),
    ...         "predicted": ("sample", ["N2", "W"] * 10),
    ...         "truth": ("sample", ["N2"] * 10 + ["W"] * 10),
    ...     },
    ... )
    >>> axes = plots.class_spectrum(result, axes=Figure(layout="constrained").subplots(2))
    >>> [one.texts[0].get_text() for one in axes]
    ['N2: 5 right, 5 wrong', 'W: 5 right, 5 wrong']
    """
    level = check_share(confidence, "confidence")
    found, (dim,) = Decisions.of(result, name, ("frequency",), "freqig.RFFT()", channel)
    if found.right is None:
        raise ValueError(TRUTH)
    frequency = found.attribution[dim]
    chosen = frequency_scale(scale, "linear", "scale", frequency)
    edges = edges_in_view(bands, result, frequency)
    lines = read_markers(markers, harmonics, float(frequency.max()))
    needed = max((one.at for one in lines), default=0.0)
    about, in_view = up_to(found.about, name, dim, max_frequency, needed, scale=chosen[0])
    frequency = about[dim]
    values, summed = total_over(about[name], ("sample", dim))

    order = found.order
    panels = axes_for(axes, len(order), "class", 1.2 + 1.6 * len(order))
    drawn, heads = [], []
    for panel, label in zip(panels, order, strict=True):
        members = found.members(label)
        counts = []
        for word, right, color, line, hatch in KINDS:
            rows = values[members & (found.right == right)]
            counts.append(f"{len(rows)} {word}")
            if len(rows):
                mean, half = mean_interval(rows, level)
                _draw(panel, frequency.values, mean, half, color, line, hatch, word)
                drawn += [mean, mean - np.nan_to_num(half), mean + np.nan_to_num(half)]
        panel.axhline(0, color="0.3", linewidth=0.6)
        set_scale(panel.xaxis, *chosen, bar_borders(frequency))
        panel.set_ylabel(PLACEHOLDER)
        heads.append(f"{label}: {', '.join(counts)}")
    for panel in panels:
        leave_room(panel)
    for panel in panels[:-1]:
        hide_upper_labels(panel)
    panels[-1].set_xlabel("frequency")
    above, taken = _explain(panels, heads[0])
    panels[0].set_title(PLACEHOLDER, loc="left", pad=taken)
    settle(panels[0])
    for panel, head in zip(panels, heads, strict=True):
        write_head(panel, head, above if panel is panels[0] else 3.0)
    label_frequency(panels[-1], panels[-1].xaxis, frequency, in_view)
    heights = np.concatenate(drawn)
    for panel in panels:
        finish_bars(
            panel,
            heights,
            about[name],
            quantity="mean attribution",
            vmax=vmax,
            bands=edges,
            markers=lines,
            named=panel is panels[0],
        )
    over = f"{100 * level:g} % confidence bands over samples"
    notes = ", ".join(filter(None, [over, summed, named_channel(channel)]))
    made = f"Mean attribution by explained class, right against wrong decisions\n{notes}"
    text = made if title is None else title
    draw_title(panels[0], about, name, None, channel, title=text, pad=taken)
    return tuple(panels)


def _draw(
    panel: Axes,
    at: np.ndarray,
    mean: np.ndarray,
    half: np.ndarray,
    color: str,
    line: Any,
    hatch: str | None,
    label: str,
) -> None:
    # A line through one frequency would not be seen.
    panel.plot(at, mean, color=color, linestyle=line, linewidth=1.2, label=label, marker="." * (at.size < 3))
    known = np.isfinite(half)
    if known.any():
        panel.fill_between(
            at,
            mean - half,
            mean + half,
            where=known,
            facecolor=color,
            alpha=0.2,
            linewidth=0,
            hatch=hatch,
            edgecolor=color,
        )


def _explain(panels: list[Axes], head: str) -> tuple[float, float]:
    """Say above the first panel what lines mean; where its head begins and what ends there, in points."""
    lines = handles_of(*panels)
    named = [word for word, *_ in KINDS if word in lines]
    legend_above(panels[0], [lines[word] for word in named], named, 2.2)
    legend = sum(length_of(word) + 4 * letters() for word in named)
    above = 3.0 if legend + length_of(head) <= size_in_points(panels[0])[0] else 3.0 + 1.3 * letters()
    return above, above - 3.0 + 1.6 * letters()

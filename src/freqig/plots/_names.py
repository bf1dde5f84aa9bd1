"""Names beside rows, no longer than leaves room for what is drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from ._style import length_of, letters, size_in_points, smallest

SHARE = 0.24
"""Share of the width of a figure that names take beside the axes, at most."""


LINE = 1.4
"""Height of a line of text, with the room above and below its letters, in sizes of letters."""

NEARLY = 0.75
"""Share of the smallest letters in which names are written rather than left out."""


def name_rows(axes: Axes, places: np.ndarray, names: Sequence[str]) -> None:
    """Write names beside rows, shortened where they would take more than their share of the figure.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Beside which to write.
    places : numpy.ndarray
        Where the rows are on the vertical axis, one per name.
    names : sequence of str
        What to write; may be of several lines.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure(figsize=(3, 2)).subplots()
    >>> name_rows(axes, np.arange(2.0), ["Fz", "accelerometer_left_of_the_motor"])
    >>> axes.get_yticklabels()[0].get_text(), len(axes.get_yticklabels()[1].get_text()) < 20
    ('Fz', True)
    """
    axes.set_yticks(places, short_names(axes, names), fontsize="small")


def short_names(axes: Axes, names: Sequence[str]) -> list[str]:
    """Names in small letters, none wider than its share of the figure.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> short_names(Figure(figsize=(3, 2)).subplots(), ["Fz", "Cz"])
    ['Fz', 'Cz']
    """
    figure = axes.get_figure()
    assert figure is not None
    room = SHARE * 72 * float(figure.bbox.width) / figure.dpi
    found = ["\n".join(shortened(line, room, "small") for line in name.split("\n")) for name in names]
    if len(set(found)) == len(set(names)):
        return found
    # What they all begin with tells none from another.
    begin = next((i for i, at in enumerate(zip(*names, strict=False)) if len(set(at)) > 1), 0)
    return [shortened(f"…{name[begin:]}", room, "small") for name in names]


def fit_names(axes: Axes, axis: Axis) -> None:
    """Write names along an axis in smaller letters, or leave some out, where letters are higher than places.

    Call it when the layout is settled. Names of the horizontal axis are turned.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure(figsize=(3, 2)).subplots()
    >>> axes.set_ylim(0, 60)
    (0.0, 60.0)
    >>> name_rows(axes, np.arange(60) + 0.5, [f"Ch{i}" for i in range(60)])
    >>> fit_names(axes, axes.yaxis)
    >>> 10 < len(axes.get_yticklabels()) < 30
    True
    """
    places, names = axis.get_majorticklocs(), [label.get_text() for label in axis.get_ticklabels()]
    if len(places) < 2:
        return
    along, (low, high) = (1, axes.get_ylim()) if axis is axes.yaxis else (0, axes.get_xlim())
    each = size_in_points(axes)[along] * float(np.abs(np.diff(places)).min() / abs(high - low))
    size, step = min(letters(), each / LINE), 1
    if size < NEARLY * smallest():
        size = smallest()
        # With the rounding of a size that fits.
        step = int(np.ceil(LINE * size / each - 1e-6))
    axis.set_ticks(places[::step], names[::step], fontsize=size)


def shortened(text: str, room: float, size: str = "medium") -> str:
    """A text that is as wide as there is room, less what is left out of its middle.

    Examples
    --------
    >>> shortened("subject03_record_of_2012_raw.fif: '17 Hz'", 150.0)
    "subject03_r…_raw.fif: '17 Hz'"
    """
    if length_of(text, size) <= room:
        return text
    kept = 3 + bisect_right(
        range(4, len(text)),
        room,
        key=lambda n: length_of("m" + text[: n // 2] + text[-(n - n // 2) :], size),
    )
    kept = max(kept, 4)
    # The end tells more: the class.
    before = kept * 2 // 5
    return f"{text[:before]}…{text[-(kept - before) :]}"

"""Lines at frequencies that are known beforehand: a fault, a flicker, the mains, and their multiples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from .._check import check_count, check_positive, shown
from ..machines import MOST_HARMONICS
from ._labels import apart, name_spans
from ._style import letters, size_in_points


class Marker(NamedTuple):
    """A line at a frequency.

    Examples
    --------
    >>> Marker("mains", 50.0).name
    'mains'
    """

    name: str
    at: float


def read_markers(markers: Any, harmonics: Any, highest: float) -> tuple[Marker, ...]:
    """Markers and their multiples, as far as the frequencies of a result reach.

    Parameters
    ----------
    markers : mapping of str to float, or None
        Frequencies by name, in the units of the result.
    harmonics : int
        Up to which multiple, 1 for the frequencies alone.
    highest : float
        Highest frequency of the result.

    Raises
    ------
    TypeError, ValueError
        If they are no mapping of names to numbers above 0, or one lies above `highest`; if
        `harmonics` is no integer of at least 1.

    Examples
    --------
    >>> [tuple(marker) for marker in read_markers({"BPFO": 107}, 2, 400.0)]
    [('BPFO', 107.0), ('2×BPFO', 214.0)]
    """
    count = check_count(harmonics, "harmonics", most=MOST_HARMONICS)
    if markers is None:
        return ()
    if not isinstance(markers, Mapping):
        raise TypeError(
            "markers must be a mapping of names to frequencies, such as {'BPFO': 107}, got "
            f"{shown(markers)}"
        )
    found = []
    for name, value in markers.items():
        at = check_positive(value, f"markers[{name!r}]")
        if at > highest * (1 + 1e-9):
            raise ValueError(
                f"markers[{name!r}] must be at most {highest:g}, the highest frequency of the result, "
                f"got {shown(value)}"
            )
        found += [
            Marker(f"{k}×{name}" if k > 1 else str(name), k * at)
            for k in range(1, count + 1)
            if k * at <= highest * (1 + 1e-9)
        ]
    return tuple(sorted(found, key=lambda marker: marker.at))


def draw_markers(axes: Axes, markers: tuple[Marker, ...], top: float) -> float:
    """Draw the markers in view as lines with their names at the upper end; the height of the names in points.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> _ = axes.set_xlim(0, 100)
    >>> draw_markers(axes, (Marker("mains", 50.0), Marker("2×mains", 100.5)), 0.0) > 0
    True
    >>> len(axes.lines)
    1
    """
    low, high = axes.get_xlim()
    shown = [marker for marker in markers if low <= marker.at <= high]
    taken = name_spans(axes, [(marker.at, marker.at, marker.name) for marker in shown], top)
    end = 1 - (top + taken) / size_in_points(axes)[1]
    for marker in shown:
        axes.axvline(marker.at, ymax=end, color="0.4", linewidth=0.7, linestyle=(0, (4, 3)), zorder=0.5)
    return taken


def mark_map(axes: Axes, markers: tuple[Marker, ...], *, upright: bool = False) -> None:
    """Draw the markers in view across a map, with their names at the right, or at the top where upright.

    Call it when limits are set and the layout is settled. Names keep a distance from each other, as
    far as there is room.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> _ = axes.set_ylim(0, 100)
    >>> mark_map(axes, (Marker("mains", 50.0), Marker("2×mains", 100.5)))
    >>> [text.get_text() for text in axes.texts]
    ['mains']
    """
    low, high = axes.get_xlim() if upright else axes.get_ylim()
    shown = [marker for marker in markers if min(low, high) <= marker.at <= max(low, high)]
    if not shown:
        return
    length = size_in_points(axes)[0 if upright else 1]
    place = axes.transData + axes.transAxes.inverted()
    ends = np.array([(marker.at, marker.at) for marker in shown], dtype=np.float64)
    at = length * place.transform(ends)[:, 0 if upright else 1]
    names = [marker.name for marker in shown]
    # A turned name is as wide as its letters are high.
    spread = apart(at, np.full(len(names), 1.5 * letters()), 0.0, length)
    line, name_at = (axes.axvline, 90) if upright else (axes.axhline, 0)
    for marker in shown:
        line(marker.at, color="0.25", linewidth=0.7, linestyle=(0, (4, 3)))
    for name, position in zip(names, (at if spread is None else spread) / length, strict=True):
        axes.text(
            position if upright else 0.99,
            0.99 if upright else position,
            name,
            transform=axes.transAxes,
            rotation=name_at,
            ha="center" if upright else "right",
            va="top" if upright else "center",
            fontsize="small",
            color="0.2",
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
        )

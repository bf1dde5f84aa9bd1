"""Names and labels that run into nothing: along the top of axes, and beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from ._style import label_with_units, length_of, letters, size_in_points, smallest, with_minus

LEADER = "leader"
"""Mark of the lines that lead from a name to what it names."""

SLIVER = 0.05
"""Share of a band up to which what is in view of it is no band to be seen."""

Span = tuple[float, float, str]
"""Where something begins and ends on the horizontal axis, and its name."""


def apart(centres: np.ndarray, widths: np.ndarray, low: float, high: float) -> np.ndarray | None:
    """Places as close to `centres` as `widths` allow, None where there is no room for all.

    Examples
    --------
    >>> apart(np.array([1.0, 1.0, 9.0]), np.full(3, 2.0), 0.0, 10.0)
    array([1., 3., 9.])
    >>> apart(np.array([1.0]), np.array([2.0]), 0.0, 1.0) is None
    True
    """
    if widths.sum() > high - low:
        return None
    # Less the room of those before them, places need only never decrease. The running maximum never
    # does, nor does the running minimum from the other end, nor their mean, which moves names both ways.
    before = np.concatenate([[0.0], np.cumsum((widths[1:] + widths[:-1]) / 2)])
    free = centres - before
    level = (np.maximum.accumulate(free) + np.minimum.accumulate(free[::-1])[::-1]) / 2
    return np.asarray(np.clip(level, low + widths[0] / 2, high - widths[-1] / 2 - before[-1]) + before)


def name_spans(axes: Axes, spans: Sequence[Span], top: float) -> float:
    """Write the names of stretches of the horizontal axis inside the axes.

    Call it when limits and labels are set. Names lie where each stays above its stretch, if need be in
    smaller letters; else all are turned by 90° and moved apart, and a thin line leads from a name
    that was moved off its stretch. Of more than can be read beside each other, every second is written, or
    every third, and so on.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to write.
    spans : sequence of (float, float, str)
        Stretches in view, in the order of the axis.
    top : float
        Where the names end above, in points below the upper edge.

    Returns
    -------
    float
        Height that they need, in points.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> _ = axes.set_xlim(0, 40)
    >>> height = name_spans(axes, [(4, 8, "theta"), (8, 12, "alpha")], top=0.0)
    >>> [text.get_text() for text in axes.texts]
    ['theta', 'alpha']
    """
    if not spans:
        return 0.0
    width, height = size_in_points(axes)
    place = axes.transData + axes.transAxes.inverted()
    ends = np.array([[(low, 0), (high, 0)] for low, high, _ in spans]).reshape(-1, 2)
    low, high = width * place.transform(ends)[:, 0].reshape(-1, 2).T
    centres = (low + high) / 2
    lengths = np.array([length_of(name) for *_, name in spans])
    turned, size, at = False, 0.0, None
    for size in np.linspace(letters(), smallest(), 3).tolist():
        share = size / letters()
        at = apart(centres, share * lengths + size / 2, 0.0, width)
        # A line, which has no width, is under its name as long as it is under a letter of it.
        reach = np.maximum(high - low, share * lengths) / 2
        if at is not None and bool(np.all(np.abs(at - centres) <= reach)):
            break
    else:
        # Both beside each other and within the axes, of which a part is left for what is drawn.
        every = int(np.ceil(1.2 * smallest() * len(spans) / width))
        spans, centres, lengths = spans[::every], centres[::every], lengths[::every]
        low, high = low[::every], high[::every]
        turned = True
        size = min(letters(), width / (1.2 * len(spans)), 0.6 * height * letters() / lengths.max())
        at = apart(centres, np.full(len(spans), 1.15 * size), 0.0, width)
    assert at is not None
    taken = float(lengths.max()) * size / letters() if turned else size
    to_data = axes.transAxes + axes.transData.inverted()
    down = axes.get_xaxis_transform()
    for (first, last, name), x, off in zip(spans, at, np.abs(at - centres), strict=True):
        middle, below = (first + last) / 2, 1 - (top + taken) / height
        place_of_name = float(to_data.transform((x / width, 0))[0])
        axes.annotate(
            name,
            (middle, 1 - top / height),
            xycoords=down,
            xytext=(place_of_name, 1 - top / height),
            textcoords=down,
            rotation=90 if turned else 0,
            ha="center",
            va="top",
            fontsize=size,
            color="0.3",
        )
        if turned and off > max((high - low).min() / 2, 1.0):
            leader = Line2D([place_of_name, middle], [below, below - size / height], transform=down)
            leader.set(color="0.5", linewidth=0.4, gid=LEADER)
            axes.add_artist(leader)
    return float(taken + size)


def fitted(parts: Sequence[str], room: float, between: str = " ", size: str = "medium") -> str:
    """Parts of a label in one line, or in as many as it takes.

    Examples
    --------
    >>> fitted(["attribution", "(logit)"], 500.0)
    'attribution (logit)'
    >>> fitted(["attribution", "(logit)"], 50.0).splitlines()
    ['attribution', '(logit)']
    """
    lines: list[str] = []
    for part in filter(None, parts):
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and length_of(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(lines)


def fit_label(axes: Axes, axis: Axis, *lines: Sequence[str]) -> None:
    """Label an axis within its length: every line broken between its parts where it is too long.

    Call it when the layout is settled.

    Letters are smaller where a part alone is too long.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Whose size counts.
    axis : matplotlib.axis.Axis
        What is labelled.
    *lines : sequence of str
        Parts of each line; empty ones are left out.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> fit_label(axes, axes.xaxis, ["frequency", "(Hz)"], [])
    >>> axes.get_xlabel()
    'frequency (Hz)'
    """
    parts = [part for line in lines for part in line if part]
    room = size_in_points(axes)[0 if axis is axes.xaxis else 1]
    small = any(length_of(part, "medium") > room for part in parts)
    size = "small" if small else "medium"
    text = "\n".join(fitted(line, room, size=size) for line in lines if any(line))
    axis.set_label_text(text, fontsize=size)


def label_frequency(axes: Axes, axis: Axis, frequency: xr.DataArray, note: str = "") -> None:
    """Label a frequency axis with its units, and a note on what is in view.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> label_frequency(axes, axes.xaxis, xr.DataArray(0.0, attrs={"units": "Hz"}), "up to 9 Hz")
    >>> axes.get_xlabel()
    'frequency (Hz), up to 9 Hz'
    """
    kind = "quefrency" if str(frequency.name).endswith("quefrency") else "frequency"
    parts = [label_with_units(kind, frequency), *filter(None, note.split(", "))]
    fit_label(axes, axis, [part + "," for part in parts[:-1]] + parts[-1:])


def told_alike(values: np.ndarray, digits: int = 3) -> np.ndarray:
    """Numbers with the decimals that give the largest so many digits, so that they are short and compare.

    What rounds to zero has no sign.

    Examples
    --------
    >>> told_alike(np.array([12.34, -0.12, 0.004])).tolist()
    ['+12.3', '−0.1', '0.0']
    """
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    # Beyond these, zeros would be most of what is written.
    plain = 0.01 <= largest < 10_000
    decimals = digits - 1 - int(np.floor(np.log10(largest))) if plain else 0
    style = f"+.{max(0, decimals)}f" if plain else f"+.{digits - 1}g"
    told = [with_minus(f"{value:{style}}") for value in values.ravel().tolist()]
    told = [text if set(text) & set("123456789an") else text[1:] for text in told]
    return np.array(told, dtype=object).reshape(values.shape)


def scaled(axis: Axis, largest: float, units: str) -> str:
    """Write short numbers beside an axis, and return its units with the power of ten left out of them.

    A power of ten that stands alone above an axis runs into titles and legends.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> scaled(Figure().subplots().yaxis, 3e-7, "logit")
    '(10⁻⁷ logit)'
    """
    power = int(np.floor(np.log10(largest))) if 0 < largest < np.inf else 0
    power = 0 if -3 <= power < 5 else power
    divisor = 10.0**power
    axis.set_major_formatter(FuncFormatter(lambda v, _: with_minus(f"{round(v / divisor, 12):.6g}")))
    digits = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    inside = " ".join(filter(None, [f"10{str(power).translate(digits)}" if power else "", units]))
    return f"({inside})" if inside else ""


def shade_bands(axes: Axes, edges: Mapping[str, tuple[float, float]], top: float) -> float:
    """Shade bands behind a spectrum and write their names beneath the upper edge of the axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes with frequency in Hz from left to right, limits set.
    edges : mapping of str to (float, float)
        Edges in Hz by name, as `freqig.bands.named_bands` returns them.
    top : float
        Where the names end above, in points below the upper edge.

    Returns
    -------
    float
        Height that the names need, in points; 0 where no band is in view.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> _ = axes.set_xlim(0, 40)
    >>> shade_bands(axes, {"high": (50.0, 60.0)}, top=0.0)
    0.0
    """
    left, right = sorted(axes.get_xlim())
    visible = sorted(
        (max(low, left), min(high, right), name)
        for name, (low, high) in edges.items()
        if min(high, right) - max(low, left) > SLIVER * (high - low)
    )
    for i, (low, high, _) in enumerate(visible):
        # Two greys in turn keep neighbours apart; both stay lighter than any bar.
        axes.axvspan(low, high, color="0.88" if i % 2 == 0 else "0.94", linewidth=0, zorder=0)
    return name_spans(axes, visible, top)

"""What the title of a figure says of the explanation in it, and its corner of how complete it is."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import PurePath
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from .._check import shown
from ..result.reading import of_classes
from ._labels import fitted
from ._names import shortened
from ._style import length_of, letters, size_in_points, units_of, with_minus

LARGE = 0.01
"""Share of what is explained from which on a gap makes a reader ask whether it converged."""


def title_of(
    one: xr.Dataset,
    name: str,
    sample: int | None = None,
    channel: Hashable | None = None,
    *,
    room: float = np.inf,
) -> str:
    """Sample, channel and target in one line; output and baseline in the next.

    Parameters
    ----------
    one : xarray.Dataset
        One sample. Averages and other derived results lack some of these, and the title says what
        there is.
    name : str
        Variable that is drawn.
    sample : int, optional
        Position of the sample.
    channel : hashable, optional
        The one channel that is drawn.
    room : float, optional
        Width in points: what is wider goes on in another line. Default no limit.

    Returns
    -------
    str
        Empty where nothing is known.

    Examples
    --------
    >>> one = xr.Dataset({"rfft": ("frequency", [1.0]), "target": 2, "output": 1.5})
    >>> print(title_of(one, "rfft", sample=0))
    sample 0, target 2
    output 1.5
    """
    what = [shortened(part, room) for part in decision_of(one, sample, channel)]
    sums = []
    if "output" in one:
        output, units = float(one.output), units_of(one.output, units_of(one[name], "output"))
        sums.append(f"{units} {number(output)}")
        if "baseline_output" in one:
            baseline = float(one.baseline_output)
            # Of rounding alone.
            sums.append(f"(baseline {number(baseline if abs(baseline) > 1e-9 * abs(output) else 0.0)})")
    lines = (what, ", "), (sums, " ")
    return "\n".join(fitted(parts, room, between=between) for parts, between in lines if parts)


def decision_of(one: xr.Dataset, sample: int | None = None, channel: Hashable | None = None) -> list[str]:
    """Whose decision it is, and for which class: parts of a title.

    Files and classes that have names are called by them; the true class is told where it is another
    than the explained one, and so is the predicted one. Of outputs that may be no classes, such as horizons
    of a forecast, none is predicted, but one is the highest.

    Examples
    --------
    >>> known = {"file": "sounds/7_theo_0.wav", "target": "seven", "truth": "seven", "predicted": "nine"}
    >>> decision_of(xr.Dataset(coords=known))
    ["7_theo_0.wav: 'seven'", "predicted 'nine'"]
    """
    owner = _owner(one, sample)
    target, truth, predicted = (_class(one, key) for key in ("target", "truth", "predicted"))
    named = target is not None and target.startswith("'")
    if named and owner:
        owner = f"{owner}: {target}"
    parts = [
        owner,
        named_channel(channel),
        "" if target is None or (named and owner) else f"target {target}",
        "" if truth in (None, target) else f"truth {truth}",
        ""
        if predicted in (None, target)
        else f"{'predicted' if of_classes(one) else 'highest output'} {predicted}",
    ]
    return [part for part in parts if part]


def named_channel(channel: Hashable | None) -> str:
    """What a title says of the one channel that is drawn; empty where all are."""
    return "" if channel is None else f"channel {channel}"


def _owner(one: xr.Dataset, sample: int | None) -> str:
    """File and place of a sample in it, or its name, or its position; empty where nothing is known."""
    file = one.coords.get("file")
    if file is not None and not file.ndim and str(file.values):
        onset = one.coords.get("onset")
        begin = 0.0 if onset is None or onset.ndim else float(onset)
        # Of a file that is one sample there is nothing to say.
        return PurePath(str(file.values)).name + (f" at {begin:.4g} s" if begin > 0 else "")
    own = one.coords.get("sample")
    position = sample if own is None or own.ndim else own.values[()]
    return "" if position is None else f"sample {position}"


def _class(one: xr.Dataset, key: str) -> str | None:
    """A class as titles call it, names in quotes; None where it is not known."""
    # The target is a coordinate where one of several targets was selected.
    found = one.get(key)
    if found is None:
        return None
    entry = found.values.tolist()
    if isinstance(entry, float) and (np.isnan(entry) or key not in one.coords):
        # The mean of the numbers of classes, from a file that does not have them as coordinates.
        return None
    if isinstance(entry, str):
        return f"'{entry}'" if entry else None
    return number(entry) if isinstance(entry, float) else str(entry)


def number(value: float) -> str:
    """A number of a title.

    Examples
    --------
    >>> number(-0.123456)
    '−0.1235'
    """
    return with_minus(f"{value:.4g}")


def gap_of(one: xr.Dataset, name: str) -> str:
    """The completeness gap of the path of a variable, and whether it converged; empty where unknown.

    Examples
    --------
    >>> gap_of(xr.Dataset({"completeness_gap": 1e-5, "converged": False}), "rfft")
    'completeness gap 1e−05, not converged'
    """
    own = f"{name}_" if f"{name}_completeness_gap" in one else ""
    key = "largest_completeness_gap" if "largest_completeness_gap" in one else f"{own}completeness_gap"
    if key not in one:
        return ""
    what = key.removeprefix(own).replace("_", " ")
    text = with_minus(f"{what} {float(one[key]):.2g}")
    share = float(one.get(f"{own}converged", 1.0))
    # Between the two in a mean over samples.
    late = (
        _though_large(one, key, own)
        if share >= 1
        else ", not converged"
        if share <= 0
        else f", {100 * (1 - share):.0f} % not converged"
    )
    return text + late


def _though_large(one: xr.Dataset, key: str, own: str) -> str:
    """That a path converged whose gap is large beside F(x) - F(x'): it is held against the attributions."""
    if f"{own}converged" not in one or not {"output", "baseline_output"} <= {*one.data_vars}:
        return ""
    rise = abs(float(one.output) - float(one.baseline_output))
    return ", converged" if abs(float(one[key])) > LARGE * rise else ""


def check_title(title: Any) -> None:
    """Check a title that a caller gave.

    Raises
    ------
    TypeError
        If it is neither a string nor None.

    Examples
    --------
    >>> check_title("Mine")
    """
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string, or None for one made from the result, got {shown(title)}")


def draw_title(
    axes: Axes,
    one: xr.Dataset,
    name: str,
    sample: int | None,
    channel: Hashable | None,
    *,
    title: str | None = None,
    pad: float = 0.0,
    beside: float = 0.0,
    edge: Axes | None = None,
) -> None:
    """Write the title of one sample above the axes of a figure, and the completeness gap in the corner.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Uppermost axes of the figure.
    one, name, sample, channel
        As `title_of` takes them.
    title : str, optional
        Title to write instead; an empty one leaves none.
    pad : float, default 0.0
        Room below the title in points, for what is there already.
    beside : float, default 0.0
        Width in points of what stands on the right of the axes and is no higher, over which the
        title may reach.
    edge : matplotlib.axes.Axes, optional
        What stands there: the gap ends where its labels do, wherever a later layout puts them.

    Raises
    ------
    TypeError
        If `title` is no string.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_title(axes, xr.Dataset({"rfft": ("frequency", [1.0])}), "rfft", 3, None)
    >>> axes.get_title(loc="left")
    'sample 3'
    """
    check_title(title)
    room = size_in_points(axes)[0] + beside
    if title is None:
        text = title_of(one, name, sample, channel, room=room)
    else:
        text = "\n".join(fitted(line.split(" "), room) for line in title.splitlines())
    # Room for descenders too, or matplotlib lifts the title once more.
    pad += 0.75 * letters()
    gap = gap_of(one, name)
    lines = text.splitlines()
    longest = max((length_of(line, "medium") for line in lines), default=0.0)
    # Beside the lowest line, or above all of them where it would touch one.
    row = 0 if longest + letters() + length_of(gap) <= room else len(lines)
    # The layout makes room above for blanks: for the text it would do so on the right as well, and move
    # the colour bar away that the title may stand above.
    height = max(len(lines), row + 1 if gap else 0)
    axes.set_title("\n".join(" " * height), fontsize="medium", pad=pad)
    if longest / 2 < room - beside:
        axes.set_title(text, loc="left", fontsize="medium", pad=pad).set_in_layout(False)
    else:
        # For the layout a title ends in its middle, wherever that is.
        axes.set_title("", loc="left")
        _write_above(axes, text, (0, pad), va="baseline", fontsize="medium")
    place = (beside if edge is None else 0.0), pad + row * 1.25 * letters("medium")
    style: dict[str, Any] = {"ha": "right", "va": "baseline", "fontsize": "small", "color": "0.4"}
    if edge is not None:
        style["xycoords"] = edge.get_tightbbox, "axes fraction"
    _write_above(axes, gap, place, corner=1, **style)


def leave_room(axes: Axes, lines: int = 1, pad: float = 3.0) -> None:
    """Keep room above one panel of several for small lines that `write_head` writes later.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> leave_room(axes)
    >>> axes.get_title()
    ' '
    """
    # Blanks, since the text itself would make the layout leave room on the right too.
    axes.set_title("\n".join(" " * lines), fontsize="small", pad=pad)


def write_head(axes: Axes, text: str, pad: float = 3.0) -> None:
    """Write small what one panel of several shows, above its left corner.

    Call it when the layout is settled. Letters are smaller where a line is wider than the panel.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> write_head(axes, "part")
    >>> axes.texts[0].get_text()
    'part'
    """
    longest = max((length_of(line) for line in text.splitlines()), default=0.0)
    size = letters() * min(1.0, size_in_points(axes)[0] / max(longest, 1.0))
    _write_above(axes, text, (0, pad), va="bottom", fontsize=size)


def _write_above(axes: Axes, text: str, offset: tuple[float, float], corner: int = 0, **style: Any) -> None:
    """Write above the left corner of a panel, or the right one, 1, so many points off; no layout minds it."""
    place = {"xycoords": "axes fraction", "xytext": offset, "textcoords": "offset points"}
    axes.annotate(text, (corner, 1), annotation_clip=False, **{**place, **style}).set_in_layout(False)

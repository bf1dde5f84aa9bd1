"""What the title of a figure says of the explanation in it."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.textpath import TextPath

from freqig.plots._style import size_in_points

TITLE = 10.0
"""Size of the letters in points: "medium" by matplotlib's default."""


def title_of(
    one: xr.Dataset,
    name: str,
    sample: int | None = None,
    channel: Hashable | None = None,
    *,
    axes: Axes | None = None,
) -> str:
    """Sample, channel and target in one line; output, baseline and completeness gap in the next.

    Parameters
    ----------
    one : xarray.Dataset
        One sample. Averages and other derived results lack some of these, and the title says what
        there is. The gap is that of the variable's own path, where it has one.
    name : str
        Variable that is drawn.
    sample : int, optional
        Position of the sample.
    channel : hashable, optional
        The one channel that is drawn.
    axes : matplotlib.axes.Axes, optional
        Axes it stands above: what is wider than they are goes on in another line.

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

    def value(key: str) -> str | None:
        # The target is a coordinate where one of several targets was selected.
        found = one.get(key)
        if found is None:
            return None
        entry = found.values.tolist()
        if key in ("target", "predicted") and isinstance(entry, float) and key not in one.coords:
            # The mean of the numbers of classes, from a file that does not have them as coordinates.
            return None
        return f"{entry:.4g}" if isinstance(entry, float) else str(entry)

    # Where samples have names, these say more than places.
    named = one.coords.get("sample")
    shown = sample if named is None or named.ndim else named.values[()]
    what = [] if shown is None else [f"sample {shown}"]
    if channel is not None:
        what.append(f"channel {channel}")
    if (target := value("target")) is not None:
        what.append(f"target {target}")
    if (predicted := value("predicted")) is not None and predicted != target:
        what.append(f"predicted {predicted}")
    sums = []
    if (output := value("output")) is not None:
        units = one.output.attrs.get("units", one[name].attrs.get("units", "output"))
        sums.append(f"{units} {output}")
        if (baseline := value("baseline_output")) is not None:
            sums[-1] += f" (baseline {baseline})"
    own = f"{name}_" if f"{name}_completeness_gap" in one else ""
    if (gap := value(f"{own}completeness_gap")) is not None:
        converged = one.data_vars.get(f"{own}converged")
        late = converged is not None and not bool(converged)
        sums.append(f"completeness gap {gap}{', not converged' if late else ''}")
    room = np.inf if axes is None else size_in_points(axes)[0]
    lines = (_joined(parts, room) for parts in (what, sums) if parts)
    return "\n".join(lines)


def draw_title(
    axes: Axes,
    one: xr.Dataset,
    name: str,
    sample: int | None,
    channel: Hashable | None,
    *,
    further: str = "",
    pad: float | None = None,
) -> None:
    """Write the title of one sample above the axes of a figure.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Uppermost axes of the figure.
    one, name, sample, channel
        As `title_of` takes them.
    further : str, default ""
        A line more.
    pad : float, optional
        Room below the title in points. Default matplotlib's.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_title(axes, xr.Dataset({"rfft": ("frequency", [1.0])}), "rfft", 3, None, further="sum 1")
    >>> axes.get_title(loc="left").splitlines()
    ['sample 3', 'sum 1']
    """
    lines = (title_of(one, name, sample, channel, axes=axes), further)
    axes.set_title("\n".join(filter(None, lines)), loc="left", fontsize="medium", pad=pad)


def _joined(parts: list[str], room: float) -> str:
    """Parts with commas between them, in as many lines as it takes."""
    lines = parts[:1]
    for part in parts[1:]:
        longer = f"{lines[-1]}, {part}"
        if TextPath((0, 0), longer, size=TITLE).get_extents().width <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(lines)


def position_of(result: xr.Dataset, sample: int) -> int | None:
    """Position of a sample counted from the first, None in a result of one sample without the dimension.

    Examples
    --------
    >>> position_of(xr.Dataset({"output": ("sample", [1.0, 2.0])}), -1)
    1
    """
    return sample % result.sizes["sample"] if "sample" in result.dims else None

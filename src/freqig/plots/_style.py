"""What figures share: colours of signed values, units of axes, bands behind a spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.textpath import TextPath

SIGNED_COLORMAP = LinearSegmentedColormap.from_list(
    "signed", colormaps["RdBu_r"](np.linspace(0.1, 0.9, 257)), N=257
)
"""Red where the output is raised, blue where it is lowered, white at zero.

Without the ends of that map, where both colours are nearly black.
"""

# The two ends of that map, taken unequally far out: printed in grey, red is dark and blue light.
POSITIVE, POSITIVE_EDGE = "#b2182b", "#b2182b"
NEGATIVE, NEGATIVE_EDGE = "#92c5de", "#4393c3"

SMALL = 8.0
"""Size of labels inside axes, in points."""

_UNITS = {
    "Hz": "Hz",
    "cycles/sample": "cycles per sample",
    "s": "s",
    "samples": "samples",
}


def signed_norm(values: object) -> Normalize:
    """Colour limits symmetric about zero, for `SIGNED_COLORMAP`.

    Parameters
    ----------
    values : array-like of float, any shape
        What is to be coloured. NaN and infinities do not count.

    Returns
    -------
    matplotlib.colors.Normalize
        From ``-m`` to ``m``, m the largest magnitude; from -1 to 1 where there is none above zero,
        so that nothing is drawn in the colour of zero.

    Examples
    --------
    >>> from freqig.plots._style import signed_norm
    >>> norm = signed_norm([-1.0, 4.0])
    >>> norm.vmin, norm.vmax
    (-4.0, 4.0)
    """
    magnitude = np.abs(np.asarray(values, dtype=np.float64))
    largest = float(np.max(magnitude, where=np.isfinite(magnitude), initial=0.0)) or 1.0
    return Normalize(-largest, largest)


def label_with_units(quantity: str, variable: xr.DataArray) -> str:
    """Label of an axis: the quantity and, where `variable` has them, its units in words.

    Parameters
    ----------
    quantity : str
        What the axis shows.
    variable : xarray.DataArray
        Its ``attrs["units"]`` are the units.

    Returns
    -------
    str
        For example ``"frequency (Hz)"``.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.plots._style import label_with_units
    >>> label_with_units("frequency", xr.DataArray([0.5], attrs={"units": "cycles/sample"}))
    'frequency (cycles per sample)'
    """
    units = variable.attrs.get("units")
    return f"{quantity} ({_UNITS.get(units, units)})" if units else quantity


def shade_bands(axes: Axes, edges: Mapping[str, tuple[float, float]], top: float) -> float:
    """Shade bands behind a spectrum and write their names beneath the upper edge of the axes.

    Call it when the limits of the frequency axis are set. Names stand upright where they fit,
    else all of them are turned by 90°; a name that would then still run into the one before it,
    or over the left edge, is left out.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes with frequency in Hz from left to right.
    edges : mapping of str to (float, float)
        Edges in Hz by name, as `freqig.bands.named_bands` returns them.
    top : float
        Where the names end above, as a fraction of the height of the axes.

    Returns
    -------
    float
        Height the names need, as a fraction of the height of the axes; 0 where no band is in view.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._style import shade_bands
    >>> axes = Figure().subplots()
    >>> _ = axes.set_xlim(0, 40)
    >>> height = shade_bands(axes, {"theta": (4.0, 8.0), "alpha": (8.0, 12.0)}, top=1.0)
    >>> [text.get_text() for text in axes.texts]
    ['theta', 'alpha']
    """
    left, right = sorted(axes.get_xlim())
    visible = sorted(
        (max(low, left), min(high, right), name)
        for name, (low, high) in edges.items()
        if low < right and high > left
    )
    if not visible:
        return 0.0
    width, height = size_in_points(axes)
    points_per_hertz = width / (right - left)
    lengths = [TextPath((0, 0), name, size=SMALL).get_extents().width for *_, name in visible]
    room = [(high - low) * points_per_hertz for low, high, _ in visible]
    turned = any(length + SMALL / 2 > space for length, space in zip(lengths, room, strict=True))

    free_from = left
    for i, (low, high, name) in enumerate(visible):
        # Two greys in turn keep neighbours apart; both stay lighter than any bar.
        axes.axvspan(low, high, color="0.88" if i % 2 == 0 else "0.94", linewidth=0, zorder=0)
        centre = (low + high) / 2
        if turned and (centre - free_from) * points_per_hertz < 0.6 * SMALL:
            continue
        free_from = centre + 0.6 * SMALL / points_per_hertz
        axes.text(
            centre,
            top,
            name,
            transform=axes.get_xaxis_transform(),
            rotation=90 if turned else 0,
            ha="center",
            va="top",
            fontsize=SMALL,
            color="0.3",
        )
    return ((max(lengths) if turned else SMALL) + SMALL) / height


def size_in_points(axes: Axes) -> tuple[float, float]:
    """Width and height of axes in points (1/72 inch), less what a layout engine may yet take.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._style import size_in_points
    >>> width, height = size_in_points(Figure(figsize=(8, 4)).subplots())
    >>> 300 < width < 8 * 72 and 100 < height < 4 * 72
    True
    """
    figure = axes.get_figure()
    if figure is None:
        raise ValueError("axes must belong to a figure, got axes that were removed from theirs")
    box = axes.get_window_extent()
    # Labels take their room when the figure is drawn, after the texts inside are placed.
    return 0.9 * 72 * float(box.width) / figure.dpi, 0.8 * 72 * float(box.height) / figure.dpi


def two_axes(axes: Any, above: str, below: str) -> tuple[Axes, Axes]:
    """The two axes that a caller gave for a figure of two panels.

    Parameters
    ----------
    axes : sequence of two matplotlib.axes.Axes
        What the caller gave; arrays of any shape will do.
    above, below : str
        What they are for, in errors.

    Raises
    ------
    TypeError
        If they are not two Axes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> pair = Figure().subplots(2)
    >>> two_axes(pair, "amplitude", "phase") == tuple(pair)
    True
    """
    pair = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(pair) != 2 or not all(isinstance(one, Axes) for one in pair):
        raise TypeError(
            f"axes must be two matplotlib Axes, for {above} and for {below}, got "
            f"{', '.join(type(one).__name__ for one in pair)}; for example Figure().subplots(2)"
        )
    return pair[0], pair[1]

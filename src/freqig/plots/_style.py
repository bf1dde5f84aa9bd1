"""What figures share: colours of signed values, sizes of letters and axes, units in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from .._check import check_flag, check_positive, shown

SIGNED_COLORMAP = LinearSegmentedColormap.from_list(
    "signed", colormaps["RdBu_r"](np.linspace(0.1, 0.9, 257)), N=257
)
"""Red where the output is raised, blue where it is lowered, white at zero.

Without the ends of that map, where both colours are nearly black.
"""

# The two ends of that map, taken unequally far out: printed in grey, red is dark and blue light.
POSITIVE, POSITIVE_EDGE = "#b2182b", "#b2182b"
NEGATIVE, NEGATIVE_EDGE = "#92c5de", "#4393c3"

ROBUST = 98.0
"""Percentile of the magnitudes at which the colours of a robust map end."""

SMALLEST = 6.0
"""Points: the size of letters down to which journals go."""

PLACEHOLDER = " \n "
"""Stands for titles and labels of two lines until their axes can be measured."""

_UNITS = {
    "Hz": "Hz",
    "cycles/sample": "cycles per sample",
    "log_prob": "log probability",
    "s": "s",
    "uV": "µV",
    "samples": "samples",
}


def letters(size: str = "small") -> float:
    """Size in points of letters that matplotlib calls "small" or "medium", by its present settings.

    Examples
    --------
    >>> letters("small") < letters("medium")
    True
    """
    return float(FontProperties(size=size).get_size_in_points())


def smallest() -> float:
    """Size in points of the smallest letters that figures shrink to: smaller ones cannot be read in print.

    Examples
    --------
    >>> 0 < smallest() <= letters()
    True
    """
    return min(letters(), SMALLEST)


def length_of(text: str, size: str = "small") -> float:
    """Width of a text in points.

    Examples
    --------
    >>> length_of("alpha") < length_of("alpha and beta")
    True
    """
    if not text.strip():
        return 0.0
    path = TextPath((0, 0), text, size=letters(size))
    # Of the points of the outlines, which are where these turn: to follow curves takes six times as long.
    drawn = path.vertices[path.codes != Path.CLOSEPOLY, 0]
    return float(np.ptp(drawn)) if drawn.size else 0.0


def with_minus(number: str) -> str:
    """A number with a minus sign, which is as wide as a plus, in place of a hyphen.

    Examples
    --------
    >>> with_minus("-0.5")
    '−0.5'
    """
    return number.replace("-", "\N{MINUS SIGN}")


class SignedNorm(Normalize):
    """Colour limits symmetric about zero.

    Parameters
    ----------
    limit : float
        Where the colours end, above and below.
    beyond : bool, default False
        Whether there are values beyond.

    Examples
    --------
    >>> SignedNorm(2.0).vmin
    -2.0
    """

    def __init__(self, limit: float, beyond: bool = False) -> None:
        super().__init__(-limit, limit)
        self.limit = limit
        self.beyond = beyond


def signed_norm(values: object, vmax: float | int | None = None, robust: bool = False) -> SignedNorm:
    """Colour limits symmetric about zero, for `SIGNED_COLORMAP`.

    Parameters
    ----------
    values : array-like of float, any shape
        What is to be coloured. NaN and infinities do not count.
    vmax : float, optional
        Where the colours end. Default the largest magnitude.
    robust : bool, default False
        Whether they end at the 98th percentile of the magnitudes above zero instead, so that a few
        cells do not set the scale of all others.

    Returns
    -------
    SignedNorm
        From ``-m`` to ``m``; from -1 to 1 where there is no magnitude above zero, so that nothing
        is drawn in the colour of zero.

    Raises
    ------
    TypeError, ValueError
        If `vmax` is no number above 0, `robust` no bool, or both are given.

    Examples
    --------
    >>> from freqig.plots._style import signed_norm
    >>> norm = signed_norm([-1.0, 4.0])
    >>> norm.vmin, norm.vmax
    (-4.0, 4.0)
    >>> signed_norm([0.0, -1.0, 2.0, 1000.0], robust=True).vmax
    2.0
    """
    check_ends(vmax, robust)
    magnitude = np.abs(np.asarray(values, dtype=np.float64))
    magnitude = magnitude[np.isfinite(magnitude) & (magnitude > 0)]
    largest = float(magnitude.max()) if magnitude.size else 0.0
    if vmax is not None:
        limit = float(vmax)
    elif robust and magnitude.size:
        # A magnitude that occurs, and with few cells the second largest.
        limit = float(np.percentile(magnitude, ROBUST, method="lower"))
    else:
        limit = largest or 1.0
    return SignedNorm(limit, largest > limit)


def check_ends(vmax: Any, robust: Any) -> None:
    """Check where colours or an axis end.

    Raises
    ------
    TypeError, ValueError
        If `vmax` is no number above 0, `robust` no bool, or both are given.

    Examples
    --------
    >>> check_ends(2.0, False)
    """
    robust = check_flag(robust, "robust")
    if vmax is None:
        return
    if robust:
        raise ValueError(f"robust must be False where vmax sets the scale, got True and vmax={shown(vmax)}")
    check_positive(vmax, "vmax")


def units_of(variable: xr.DataArray, default: str = "") -> str:
    """Units of a variable in words.

    Examples
    --------
    >>> units_of(xr.DataArray(0.0, attrs={"units": "log_prob"}))
    'log probability'
    """
    units = variable.attrs.get("units")
    return _UNITS.get(units, str(units).replace("_", " ")) if units else default


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
    units = units_of(variable)
    return f"{quantity} ({units})" if units else quantity


def settle(axes: Axes) -> None:
    """Let the layout of a figure make room for what its axes hold by now, so that they can be measured.

    It takes about as long as drawing the figure, so a figure does it once, with placeholders for the
    texts whose length depends on the outcome.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure(layout="constrained").subplots()
    >>> before = axes.get_window_extent().height
    >>> settle(axes)
    >>> bool(axes.get_window_extent().height != before)
    True
    """
    figure = root_of(axes)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def size_in_points(axes: Axes) -> tuple[float, float]:
    """Width and height of axes in points (1/72 inch), less what placeholders may be short of.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from freqig.plots._style import size_in_points
    >>> width, height = size_in_points(Figure(figsize=(8, 4)).subplots())
    >>> 300 < width < 8 * 72 and 100 < height < 4 * 72
    True
    """
    points = 0.95 * 72 / root_of(axes).dpi
    box = axes.get_window_extent()
    return points * float(box.width), points * float(box.height)


def root_of(axes: Axes) -> Any:
    """The figure that axes belong to, not a part of it.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> root_of(figure.subfigures(1, 2)[0].subplots()) is figure
    True
    """
    figure: Any = axes.get_figure()
    if figure is None:
        raise ValueError("axes must belong to a figure, got axes that were removed from theirs")
    return figure.figure

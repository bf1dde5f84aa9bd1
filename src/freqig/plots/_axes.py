"""Axes to draw on: those that a caller gave, or those of a new figure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SIZE: ContextVar[tuple[float, float] | None] = ContextVar("SIZE", default=None)
"""Width and height in inches of new figures; None for what each of them needs.

Texts are fitted to the size that a figure has when it is drawn, so it cannot be set afterwards.
"""


def new_axes(axes: Any, height: float = 4.0) -> Axes:
    """The axes given, or those of a new pyplot figure.

    Raises
    ------
    TypeError
        If `axes` are neither Axes nor None.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> new_axes(axes) is axes
    True
    """
    if axes is None:
        return new_pair(height, (1,))[0]
    if not isinstance(axes, Axes):
        raise TypeError(
            f"axes must be one matplotlib Axes, got {type(axes).__name__}; for example Figure().subplots()"
        )
    return _plain([axes])[0]


def _plain(given: list[Axes]) -> list[Axes]:
    """Axes with x to the right and y upwards; ValueError for polar ones and the like."""
    for one in given:
        if one.name != "rectilinear":
            raise ValueError(
                f"axes must be rectilinear, got {type(one).__name__}, whose projection is {one.name!r}; for "
                "example Figure().subplots()"
            )
    return given


@contextmanager
def closed_on_error() -> Iterator[None]:
    """Close the pyplot figures that are made meanwhile, where that ends in an error.

    Else notebooks would show what is half drawn.

    Examples
    --------
    >>> with closed_on_error():
    ...     _ = new_axes(None)
    """
    before = _pyplot_figures()
    try:
        yield
    except Exception:
        for number in _pyplot_figures() - before:
            sys.modules["matplotlib.pyplot"].close(number)
        raise


def _pyplot_figures() -> set[int]:
    """Numbers of the figures that pyplot keeps, which is not imported for that."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set() if pyplot is None else set(pyplot.get_fignums())


def _new_figure(height: float, width: float = 8.0) -> Figure:
    # Only here does a figure need pyplot, which looks for a display and keeps the figure.
    from matplotlib import pyplot as plt

    return plt.figure(figsize=SIZE.get() or (width, height), layout="constrained")


def new_pair(height: float, ratios: tuple[float, ...]) -> list[Axes]:
    """Axes below each other in a new pyplot figure.

    Examples
    --------
    >>> len(new_pair(5.0, (1, 1.8)))
    2
    """
    figure = _new_figure(height)
    return list(np.ravel(figure.subplots(len(ratios), squeeze=False, height_ratios=ratios)))


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
    pair = list(
        axes.flat if isinstance(axes, np.ndarray) else axes if isinstance(axes, list | tuple) else [axes]
    )
    if len(pair) != 2 or not all(isinstance(one, Axes) for one in pair):
        raise TypeError(
            f"axes must be two matplotlib Axes, for {above} and for {below}, got "
            f"{', '.join(type(one).__name__ for one in pair)}; for example Figure().subplots(2)"
        )
    first, second = _plain(pair)
    return first, second


def axes_for(
    axes: Any, count: int, each: str, height: float, columns: int = 1, width: float = 8.0
) -> list[Axes]:
    """The axes that a caller gave, one for each of something, or new ones.

    Parameters
    ----------
    axes : Axes, sequence of Axes, or None
        What the caller gave; arrays of any shape will do, and one Axes for one.
    count : int
        How many are needed.
    each : str
        What one is for, in errors.
    height : float
        Height of a new figure in inches.
    columns : int, default 1
        Columns of a new figure.
    width : float, default 8.0
        Width of a new figure in inches.

    Raises
    ------
    TypeError
        If they are not that many Axes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> len(axes_for(Figure().subplots(2, 2), 4, "band", 5.0))
    4
    """
    if axes is None:
        figure = _new_figure(height, width)
        rows = -(-count // columns)
        made = list(figure.subplots(rows, min(columns, count), squeeze=False).flat)
        for spare in made[count:]:
            spare.remove()
        return made[:count]
    if isinstance(axes, np.ndarray):
        given = list(axes.flat)
    else:
        given = list(axes) if isinstance(axes, list | tuple) else [axes]
    if len(given) != count or not all(isinstance(one, Axes) for one in given):
        raise TypeError(
            f"axes must be {count} matplotlib Axes, one for each {each}, got "
            f"{len(given)}: {', '.join(sorted({type(one).__name__ for one in given}))}; for example "
            f"Figure().subplots({count})"
        )
    return _plain(given)

"""What options that several figures share mean, written once for all their docstrings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from .._check import check_choice, check_count
from .._keywords import says_what_is_meant
from ..machines import MOST_HARMONICS
from ._axes import closed_on_error
from ._limits import FREQUENCY_SCALES, SCALES
from ._style import check_ends
from ._title import check_title

P = ParamSpec("P")
R = TypeVar("R")

OPTIONS = {
    "map": """matplotlib.axes.Axes
        The axes drawn on. The colour bar has axes of its own in the same figure.""",
    "type": """TypeError
        If `result`, `sample` or another argument is of another type.""",
    "bands": """bands : str or mapping of str to (float, float), optional
        Bands to shade and name, as for `freqig.bands`; needs frequencies in Hz. Default none.""",
    "sample": """sample : int, default 0
        Position of the sample; negative positions count from the end.""",
    "channel or sum": """channel : hashable, optional
        Name of the one channel to draw, or its position where names are not integers. Default the
        sum over channels, in which those of opposite sign cancel.""",
    "max_frequency": """max_frequency : float, optional
        End of the frequency axis, in its units; ``float("inf")`` shows all. Default where 99.5 % of
        |attribution| lies, and the label says so.""",
    "title": """title : str, optional
        Title in place of the one made from the result; an empty one leaves none.""",
    "vmax of colours": """vmax : float, optional
        Where the colours end, above and below. Default the largest magnitude.""",
    "robust": """robust : bool, default False
        Whether the colours end at the 98th percentile of the magnitudes above zero instead, so
        that a few cells do not leave all others blank.""",
    "robust bars": """robust : bool, default False
        Whether the axis of attributions ends at the 98th percentile of the magnitudes above zero
        instead, so that a few bars do not flatten all others; those are cut.""",
    "axes": """axes : matplotlib.axes.Axes, optional
        Where to draw. Default those of a new pyplot figure.""",
    "markers": """markers : mapping of str to float, optional
        Frequencies to mark by name with lines, such as ``{"BPFO": 107}``, in the units of
        the axis. Those above `max_frequency` are not in view.""",
    "harmonics": """harmonics : int, default 1
        Up to which multiple the markers are drawn.""",
    "vmax of bars": """vmax : float, optional
        Where the axis of attributions ends, above and below. Default where the bars do.""",
    "xscale of frequency": """xscale : {"linear", "log"}, default "linear"
        Scale of the frequency axis. A logarithmic one begins above zero.""",
    "xscale of time": """xscale : {"linear", "log"}, default "linear"
        Scale of the time axis. A logarithmic one begins above zero.""",
    "yscale": """yscale : {"linear", "log"}, default "linear"
        Scale of the frequency axis. A logarithmic one begins above zero.""",
    "scale": """scale : {"linear", "log", "mel"}, optional
        Scale of the frequency axis, wherever it lies. A logarithmic one begins above zero; mel is even
        to the ear, and needs frequencies in Hz. Default that of the axis.""",
    "channel or all": """channel : hashable, optional
        Name of the one channel to draw, or its position where names are not integers. Default all.""",
    "signal": """signal : bool, optional
        Whether to draw the series, too. Default True, unless `axes` are one Axes.""",
}


def check_options(given: dict[str, Any]) -> None:
    """Check the options that say the same of every result, before anything is drawn.

    Raises
    ------
    TypeError, ValueError
        If one of them is wrong.

    Examples
    --------
    >>> check_options({"title": 3})
    Traceback (most recent call last):
    TypeError: title must be a string, or None for one made from the result, got 3
    """
    check_title(given.get("title"))
    check_ends(given.get("vmax"), given.get("robust", False))
    check_count(given.get("harmonics", 1), "harmonics", most=MOST_HARMONICS)
    for name in ("xscale", "yscale"):
        check_choice(given.get(name, "linear"), name, SCALES)
    if given.get("scale") is not None:
        check_choice(given["scale"], "scale", FREQUENCY_SCALES)


def documented(figure: Callable[P, R]) -> Callable[P, R]:
    """A figure that checks shared options first, and has them in its docstring where that has braces.

    Parameters
    ----------
    figure : callable
        A figure with lines such as ``{title}`` among its parameters.

    Raises
    ------
    ValueError
        If an option in braces is none of these.

    Examples
    --------
    >>> @documented
    ... def empty():
    ...     "{title}"
    >>> print(empty.__doc__)
    title : str, optional
            Title in place of the one made from the result; an empty one leaves none.
    """
    lines = (figure.__doc__ or "").split("\n")
    for i, line in enumerate(lines):
        token = line.strip()
        if token.startswith("{") and token.endswith("}"):
            if token[1:-1] not in OPTIONS:
                allowed = ", ".join(OPTIONS)
                raise ValueError(f"{token} in the docstring of {figure.__name__} must be one of {allowed}")
            lines[i] = line.replace(token, OPTIONS[token[1:-1]])
    figure.__doc__ = "\n".join(lines)

    @says_what_is_meant
    @wraps(figure)
    def drawn(*args: P.args, **options: P.kwargs) -> R:
        check_options(options)
        with closed_on_error():
            return figure(*args, **options)

    return drawn

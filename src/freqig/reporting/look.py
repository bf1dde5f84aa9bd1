"""How figures of a page look: colours, and signs that are told by more than colour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

INK, SOFT, GREY = "#1b1b1b", "#b4b4b4", "#5b6b7a"
PLUS, MINUS = "#b2182b", "#2166ac"
"""Where the output is raised, and where it is lowered: red and blue that the colour-blind tell apart."""
HATCH = {"shape": "/", "size": 5, "solidity": 0.35, "fgcolor": "#ffffff", "fgopacity": 0.8}
"""Over everything below zero, for those who see no colours, and for print."""


class Rich(str):
    """Text whose markup plotly is to read; all other text on a figure has its markup taken away.

    Examples
    --------
    >>> Rich(f"<b>{plain('a < b')}</b>")
    '<b>a &lt; b</b>'
    """

    __slots__ = ()


UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that are not seen, and turn around or end what stands beside them."""
LONG = 80
"""Letters of a text on a figure, at most."""
WIDE = 28
"""Letters of a name beside a row, at most."""


def seen(text: str) -> str:
    r"""Text in which every character is seen.

    Examples
    --------
    >>> seen("a\u202eb")
    'a\ufffdb'
    """
    return UNSEEN.sub("\ufffd", text)


def plain(text: str) -> str:
    """Text in which plotly finds no markup; of long text the beginning.

    Examples
    --------
    >>> plain("<a href='x'>N2</a> & more")
    "&lt;a href='x'&gt;N2&lt;/a&gt; &amp; more"
    """
    text = seen(text if len(text) <= LONG else f"{text[: LONG - 1]}…")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def distinct(names: Sequence[str]) -> list[str]:
    """Names as they fit beside a figure, none like another: rows of the same name would be drawn as one.

    Examples
    --------
    >>> distinct(["Cz", "Cz", "accelerometer_left_of_the_motor_1"])
    ['Cz', 'Cz (2)', 'accelerometer…of_the_motor_1']
    """
    found: list[str] = []
    for name in names:
        # The end tells more.
        short = name if len(name) <= WIDE else f"{name[: WIDE // 2 - 1]}…{name[-WIDE // 2 :]}"
        own, count = short, 2
        while own in found:
            own, count = f"{short} ({count})", count + 1
        found.append(own)
    return found


def shades(count: int) -> list[str]:
    """Colours from dark to light, told apart in grey.

    Examples
    --------
    >>> shades(2)
    ['#471365', '#dfe318']
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(color) for color in colormaps["viridis"](np.linspace(0.05, 0.95, count))]


def scale_of(name: str) -> list[list[Any]]:
    """A colour map of matplotlib as plotly reads it.

    Examples
    --------
    >>> scale_of("magma")[0]
    [0.0, '#000004']
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [[place, to_hex(colormaps[name](place))] for place in np.linspace(0, 1, 11).tolist()]


def rgba(color: str, alpha: float) -> str:
    """A colour that lets through what is behind it.

    Examples
    --------
    >>> rgba("#ff0000", 0.5)
    'rgba(255,0,0,0.5)'
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def signed_area(heights: np.ndarray, base: float, name: str, told: np.ndarray) -> list[dict[str, Any]]:
    """Traces of an area above and below a line: up and red where positive, down, blue and hatched where not.

    Parameters
    ----------
    heights : numpy.ndarray
        Between -1 and 1, which is half of the way to the next line.
    base : float
        The line.
    name : str
        Of what it shows.
    told : numpy.ndarray
        What is told of each place when it is pointed at.
    """
    common = {"type": "scatter", "mode": "lines", "showlegend": False}
    above, below = (
        {
            **common,
            "y": (base + 0.48 * keep(np.where(np.isnan(heights), 0.0, heights), 0.0)).astype(np.float32),
            "line": {"width": 0, "shape": "hvh"},
            "hoverinfo": "skip",
        }
        for keep in (np.fmax, np.fmin)
    )
    # Each is filled up to the one before it: the line up to what is above, and what is below up to the line.
    line = {
        **common,
        "name": name,
        "y": np.full(len(heights), base, dtype=np.float32),
        "line": {"width": 0.6, "color": INK},
        "fill": "tonexty",
        "fillcolor": PLUS,
        "text": [_told(v) for v in told],
        "hovertemplate": Rich("%{text}<extra>%{fullData.name}</extra>"),
    }
    hatched = {"fill": "tonexty", "fillcolor": MINUS, "fillpattern": {**HATCH, "bgcolor": MINUS}}
    return [above, line, {**below, **hatched}]


def _told(value: float) -> str:
    return "no sample" if np.isnan(value) else f"{value:+.3g}"

"""A page as text: sections in templates, with the style, the script and the data in one file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from .content import Figure, Live, PageLink, Picture, SampleLink, Section, Table
from .encoding import Encoded, json_of, zipped
from .look import seen
from .plotly_json import figure_json

STYLES = ("page.css",)
SCRIPTS = (
    "data.js",
    "fourier.js",
    "figures.js",
    "tables.js",
    "drawing.js",
    "sound.js",
    "sample.js",
    "page.js",
)
"""In the order in which they are read; each adds to the object `page`."""
LIBRARY = "plotly-cartesian.min.js"
"""Of others; what draws lines, bars and maps, a third of all that plotly has."""


def rendered(
    title: str, sections: Sequence[Section], arrays: Mapping[str, Encoded], about: Mapping[str, Any]
) -> str:
    """The text of a page.

    Parameters
    ----------
    title : str
        Of the page.
    sections : sequence of Section
        In order.
    arrays : mapping of str to Encoded
        What the script reads.
    about : mapping
        What it has to know beside.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    jinja2 = _jinja2()
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("freqig.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["data_uri"] = _data_uri
    pieces = [piece for section in sections for piece in section.pieces]
    data = {
        "about": about,
        "figures": {
            one.anchor: {
                "traces": figure_json(one.traces),
                "layout": figure_json(one.layout),
                "opens": list(one.opens),
            }
            for one in pieces
            if isinstance(one, Figure)
        },
        "tables": dict(_tables(pieces)),
        "live": {one.template: one.about for one in pieces if isinstance(one, Live)},
        "arrays": {name: one.about for name, one in arrays.items()},
    }
    text: str = environment.get_template("page.html.j2").render(
        title=title,
        sections=sections,
        # Of this house and of plotly, not of the result: they go in as they are.
        style=Markup(_assets(STYLES)),  # noqa: S704
        script=Markup(_assets(SCRIPTS)),  # noqa: S704
        library=zipped(_library()),
        data=zipped(json_of(data)),
        arrays={name: one.text for name, one in arrays.items()},
    )
    return text


def _jinja2() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(
            "a report needs jinja2, which is not installed: pip install 'freqig[report]'"
        ) from error
    return jinja2


def _assets(names: Sequence[str], where: str = "assets") -> str:
    folder = files("freqig.reporting") / where
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _library() -> str:
    """Plotly without the function around it, which serves other loaders, and which browsers read twice."""
    text = _assets((LIBRARY,), "vendored")
    begin, end = text.find('"use strict";var Plotly='), text.rfind("\nwindow.Plotly = Plotly;")
    return text[begin:end] if 0 <= begin < end else text


def _tables(pieces: Sequence[Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for one in pieces:
        table = one.table if isinstance(one, Figure | Picture) else one if isinstance(one, Table) else None
        if table is not None:
            content = {"columns": table.columns, "rows": table.rows, "note": table.note}
            # A figure and the data behind it share an anchor.
            found.append((one.anchor, content))
    return found


def number(value: Any) -> str:
    """A cell of a table as it stands on the page.

    Examples
    --------
    >>> number(0.123456), number(None), number("N2"), number(1234)
    ('0.123', '–', 'N2', '1234')
    """
    if value is None or value != value:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _seen(value: Any) -> Any:
    """What is written on the page, without characters that nobody sees."""
    return seen(str(value)) if type(value) in (str, SampleLink, PageLink) else value


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

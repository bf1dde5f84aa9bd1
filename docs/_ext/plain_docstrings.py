"""Docstrings are written to be read as text. This tells reStructuredText what in them is no markup.

Stars of shapes, `(*batch, n)`, and bars of magnitudes, `|attribution|`, are escaped; tables with bars become
tables.
"""

from __future__ import annotations

import re
from typing import Any

LITERAL = re.compile(r"(``.+?``|`[^`]+`)")
EMPHASIS = re.compile(r"(\*{1,2})\S(?:[^*]*\S)?\1(?!\w)")
RULE = re.compile(r"[|:\s-]+")


def escaped(line: str) -> str:
    """One line of text, in which stars and bars outside of literals stand for themselves."""
    if line.lstrip().startswith((">>>", "...", "..")):
        return line

    def escape(text: str) -> str:
        kept = {match.span() for match in EMPHASIS.finditer(text)}
        inside = {place for start, end in kept for place in range(start, end)}
        return "".join(
            f"\\{one}" if one == "|" or (one == "*" and i not in inside) else one
            for i, one in enumerate(text)
        )

    return "".join(part if part.startswith("`") else escape(part) for part in LITERAL.split(line))


def as_table(rows: list[str]) -> list[str]:
    """Lines of a table with bars as a list-table."""
    indent = rows[0][: len(rows[0]) - len(rows[0].lstrip())]
    cells = [
        [cell.strip() for cell in row.strip().strip("|").split("|")]
        for row in rows
        if not RULE.fullmatch(row)
    ]
    lines = [f"{indent}.. list-table::", f"{indent}   :header-rows: 1", ""]
    for row in cells:
        lines += [f"{indent}   {'* -' if i == 0 else '  -'} {escaped(cell)}" for i, cell in enumerate(row)]
    return ["", *lines, ""]


def plain(lines: list[str]) -> list[str]:
    """All lines of a docstring."""
    found: list[str] = []
    table: list[str] = []
    for line in [*lines, ""]:
        if line.lstrip().startswith("|") and line.rstrip().endswith("|"):
            table.append(line)
            continue
        if table:
            found += as_table(table)
            table = []
        found.append(escaped(line))
    return found[:-1]


def process(_app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Change the lines in place, as Sphinx wants it."""
    lines[:] = plain(lines)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx, before numpydoc, which makes fields of sections."""
    app.connect("autodoc-process-docstring", process, priority=100)
    return {"parallel_read_safe": True}

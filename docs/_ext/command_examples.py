"""What stands below a command's options: examples become code, and other lines a paragraph."""

from __future__ import annotations

from typing import Any

from plain_docstrings import escaped


def readable(lines: list[str]) -> list[str]:
    """Lines that sphinx-click keeps apart by bars, of which those of examples are indented."""
    found: list[str] = []
    code = False
    for line in lines:
        text = line.removeprefix("| ")
        indented = text.startswith(" ")
        if indented and not code:
            found += ["", ".. code-block:: shell", ""]
        elif code and not indented:
            found.append("")
        code = indented
        found.append(f"   {text.strip()}" if indented else escaped(text))
    return found


def process(_app: Any, _context: Any, lines: list[str]) -> None:
    """Change the lines in place, as sphinx-click wants it."""
    lines[:] = readable(lines)


def setup(app: Any) -> dict[str, bool]:
    """Register with sphinx-click, which must be there first."""
    app.setup_extension("sphinx_click")
    app.connect("sphinx-click-process-epilog", process)
    return {"parallel_read_safe": True}

"""Links to files of the repository that are pages of the site as well lead to these pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGES = {"CONTRIBUTING": "contributing", "CHANGELOG": "changelog"}
"""Markdown at the root of the repository, by the page that includes it."""

LINK = re.compile(r"\]\((?:\.\./)+(benchmarks/results/)?(\w+)\.(md|txt)(#[\w-]+)?\)")


def to_pages(app: Any, docname: str, source: list[str]) -> None:
    """Change the links of one page before it is read."""
    up = "../" * len(Path(docname).parent.parts)

    def page(match: re.Match[str]) -> str:
        name = f"benchmarks/{match[2]}" if match[1] else PAGES.get(match[2], "")
        there = bool(name) and (Path(app.srcdir) / f"{name}.md").exists()
        return f"]({up}{name}.md{match[4] or ''})" if there else match[0]

    source[0] = LINK.sub(page, source[0])


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", to_pages)
    return {"parallel_read_safe": True}

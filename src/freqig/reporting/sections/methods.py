"""Settings, versions, citations, and the command that makes the page again."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """Settings, versions, citations, and the command that makes the page again."""
    return Section("methods", "Methods", [Paragraph(f"Of {len(material)} samples.")])

"""Decisions and their reasons over the time of a recording."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """Decisions and their reasons over the time of a recording."""
    return Section("overview", "Overview over time", [Paragraph(f"Of {len(material)} samples.")])

"""Two results side by side, on one scale."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """Two results side by side, on one scale."""
    return Section("comparison", "Comparison", [Paragraph(f"Of {len(material)} samples.")])

"""One decision: the signal, the part that drove it, and attributions."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """One decision: the signal, the part that drove it, and attributions."""
    return Section("sample", "One sample", [Paragraph(f"Of {len(material)} samples.")])

"""What was explained, and what decided, in sentences made from numbers."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """What was explained, and what decided, in sentences made from numbers."""
    return Section("summary", "Summary", [Paragraph(f"Of {len(material)} samples.")])

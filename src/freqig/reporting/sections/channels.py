"""Where on the head, or in which channel, the reasons lie."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """Where on the head, or in which channel, the reasons lie."""
    return Section("channels", "Channels", [Paragraph(f"Of {len(material)} samples.")])

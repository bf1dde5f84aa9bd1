"""How far the explanation can be trusted, and what to do where it cannot."""

from __future__ import annotations

from ..content import Paragraph, Section
from ..material import Material


def section(material: Material) -> Section:
    """How far the explanation can be trusted, and what to do where it cannot."""
    return Section("trust", "Trust", [Paragraph(f"Of {len(material)} samples.")])

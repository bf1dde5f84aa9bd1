"""What was explained, and what decided, in sentences made from numbers."""

from __future__ import annotations

from ..content import Section
from ..material import Material
from ..words.naming import summarised


def section(material: Material) -> Section:
    """What was explained, and what decided, in sentences made from numbers."""
    return Section("summary", "Summary", summarised(material.result, seed=material.seed))

"""Settings, versions, citations, and the command that makes the page again."""

from __future__ import annotations

from ..content import Section
from ..material import Material
from ..words.sources import sources


def section(material: Material) -> Section:
    """Settings, versions, citations, and the command that makes the page again."""
    return Section("methods", "Methods", sources(material.result, material.command))

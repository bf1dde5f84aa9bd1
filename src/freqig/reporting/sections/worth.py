"""Wrong, uncertain and odd decisions, with links to each."""

from __future__ import annotations

from ..content import Section
from ..material import Material
from ..words.looking import pieces_of


def section(material: Material) -> Section:
    """Wrong, uncertain and odd decisions, with links to each."""
    return Section("worth", "Decisions worth a look", pieces_of(material.look, material.result))

"""How far the explanation can be trusted, and what to do where it cannot."""

from __future__ import annotations

from ..content import Section
from ..material import Material
from ..words.trusting import trusted


def section(material: Material) -> Section:
    """How far the explanation can be trusted, and what to do where it cannot."""
    return Section("trust", "Trust", trusted(material.result, material.evaluation))

"""Two results side by side, on one scale."""

from __future__ import annotations

from ..content import Missing, Piece, Section
from ..material import Material
from ..words.comparing import compared


def section(material: Material) -> Section:
    """Two results side by side, on one scale."""
    pieces: list[Piece]
    if material.other is None:
        text = "There is one result. A second one, of another model, baseline or scale, is laid beside it."
        pieces = [Missing(text, "freqig.report(result, other=...)")]
    else:
        pieces = compared(material.result, material.other, material.names, seed=material.seed)
    return Section("comparison", "Comparison", pieces)

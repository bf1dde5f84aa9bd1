"""How many samples a page holds in full."""

from __future__ import annotations

import numpy as np

from ..material import Material
from .part import Part

SMALL, LARGE = 11.5e6, 34e6
"""Letters of the arrays of a page of up to 1,000 samples, and of 5,000 or more."""
LETTERS = 4 / 3
"""Letters of base64 for a byte; that gzip makes fewer bytes of it is taken as `SAVED`."""
SAVED = 0.86


def room_for(count: int) -> float:
    """How many letters the arrays of a page may have.

    Examples
    --------
    >>> room_for(10) == room_for(1000) < room_for(2000) < room_for(5000) == room_for(10**6)
    True
    """
    return float(np.interp(count, [1000, 5000], [SMALL, LARGE]))


def held_rows(material: Material, part: Part) -> np.ndarray:
    """Positions of the samples that are held with signal and attributions.

    All, if there is room for them; else those worth a look first, and of the others as many as there is room
    for, evenly spread.
    """
    count = len(material)
    most = int(room_for(count) / max(_letters(material, part), 1))
    if most >= count:
        return np.arange(count)
    first = list(material.chosen)[:most]
    others = np.setdiff1d(np.arange(count), first)
    spread = np.unique(np.linspace(0, len(others) - 1, max(most - len(first), 0)).astype(int))
    return np.sort(np.concatenate([np.array(first, dtype=int), others[spread]]))


def _letters(material: Material, part: Part) -> float:
    """Of one sample, about."""
    result, held = material.result, 0.0
    if "signal" in result and "time" in result["signal"].dims:
        held += (
            result["signal"].size / len(material) * (1 + (part.start is not None) + (part.waves is not None))
        )
    if material.spectrum is not None:
        held += 2 * result.sizes[material.dim_of(material.spectrum, "frequency")]
    if part.mask is not None:
        held += part.mask[0].size / 8
    if material.course is not None:
        held += 2 * 400
    if material.banded is not None:
        held += 2 * material.banded.values[0].size
    return held * SAVED * LETTERS

"""Whether F rises near a place as its gradient says, over stretches that lie side by side.

A gradient of something else is wrong over every stretch and to the same side. All else is not: over a kink or
a ripple the slopes at both ends of a stretch differ, curvature does the same, and rounding changes sides and
is the less of a stretch the longer it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..diagnosis import Array
from ..path.nodes import TINY, Flags

ALIKE = 0.25
"""Share of what is off by which slopes at both ends of a stretch may differ: one kink makes no more off than
half of that difference."""

FEW = 3
"""Stretches that tell at least."""

SPREAD = 2.5
"""Ratio of what is off, in shares of what F or its slopes say, over the stretches that tell."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Rises of F over stretches between K ascending positions, and what slopes say, per length: (..., K - 1).

    `bend` is by how much slopes at both ends of each differ, and `steady`, (...), whether none change sign.
    """

    rise: Array
    told: Array
    bend: Array
    length: Array
    steady: Flags

    @classmethod
    def of(cls, position: Array, values: Array, slopes: Array) -> Stretches:
        """Those between positions, F and its slopes there, all of shape (..., K)."""
        length = np.diff(position)
        told = (slopes[..., 1:] + slopes[..., :-1]) / 2
        steady: Flags = slopes.max(-1) * slopes.min(-1) >= 0
        return cls(np.diff(values) / length, told, np.abs(np.diff(slopes)), length, steady)

    def judge(
        self, share: float, rounding: Array, least: Array | float = 0.0, flat: bool = True
    ) -> tuple[Flags, Flags]:
        """Near which places F rises otherwise than slopes say, and near which it rises as they say, (...).

        Neither where kinks or rounding hide it. It is off by a `share` of what F or its slopes say, or of the
        `least` that counts; `rounding` is that of a difference of values. A
        rise of exactly nothing counts if it is `flat` there: else it may have been rounded away.
        """
        unit = np.maximum(np.maximum(np.abs(self.rise), np.abs(self.told)), least)
        off, hidden = self.rise - self.told, 2 * rounding / self.length
        size = np.abs(off)
        right = (size <= share * unit) & (2 * hidden < share * unit) & (self.bend <= ALIKE * unit)
        wrong = (size > share * unit + hidden) & (self.bend <= ALIKE * size)
        wrong &= flat | (self.rise != 0)
        share_off = np.where(wrong, off / np.maximum(unit, TINY), np.nan)
        most, fewest = np.fmax.reduce(share_off, -1), np.fmin.reduce(share_off, -1)
        # Of rounding it is the more the shorter they are, and changes sides.
        alike = (most <= SPREAD * fewest) | (-fewest <= -SPREAD * most)
        against: Flags = (wrong.sum(-1) >= FEW) & ~right.any(-1) & alike & self.steady
        in_favour: Flags = (right.sum(-1) >= FEW) & ~wrong.any(-1)
        return against, in_favour

"""How much memory a run may take beside its input, its results and the model, and what for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from ._check import check_number, shown

MIB = 2**20
DEFAULT = 384 * MIB
"""Beyond one pass of the model, where nothing was asked for."""

UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": MIB,
    "gi": 2**30,
    "ti": 2**40,
}

SMALL_BLOCK, SMALL_STORE = 32 * MIB, 24 * MIB
"""More sums and gradients save hardly any time; with fewer, rounds of few samples cost as much as of more."""

POINT_BYTES = 28
"""A value of a gradient as it is taken: itself, in float64, times the difference of the ends, and added
up."""

HOLES = 1.5
"""Memory of the process over what is in use in it: the system's allocator keeps freed blocks, with holes
between those that are not. A network's own passes, repeated, show as much."""

LEAST_KEPT, WANTED_KEPT = 8, 256
"""Gradients at nodes without which no path is integrated, and those that are kept if there is room: most
rough paths need less."""


@dataclass(frozen=True)
class Memory:
    """What is free beyond one pass of the model.

    Parameters
    ----------
    free : int, default 384 MiB
        Bytes.

    Examples
    --------
    >>> Memory().n_kept(4 * 3000), Memory(32 * 2**20).n_kept(4 * 100_000)
    (2097, 33)
    """

    free: int = DEFAULT

    @property
    def block(self) -> int:
        """Bytes of the ends and mean gradients of a block."""
        return min(SMALL_BLOCK, self.free // 8)

    def n_points(self, values_per_point: int) -> int:
        """Points whose gradients, for all targets together of so many values, fit."""
        return self.free // 4 // (POINT_BYTES * max(1, values_per_point))

    def n_kept(self, bytes_per_gradient: int) -> int:
        """Gradients that are kept at once, all samples of a block together.

        Examples
        --------
        >>> Memory().n_kept(4 * 3000), Memory().n_kept(4 * 16000 * 60)
        (2097, 41)
        """
        # They are there twice when new ones are put in order.
        room = min(max(SMALL_STORE, WANTED_KEPT * bytes_per_gradient), self.free * 2 // 5)
        return max(LEAST_KEPT, room // max(1, bytes_per_gradient))

    def most_targets(self, bytes_per_gradient: int) -> int:
        """Targets whose gradients, of so many bytes each, fit at all nodes that a rough path may need.

        Examples
        --------
        >>> Memory().most_targets(4 * 3000), Memory().most_targets(4 * 10_000_000)
        (52, 1)
        """
        return max(1, self.free * 2 // 5 // (WANTED_KEPT * max(1, bytes_per_gradient)))


def least(one_pass: float, n_features: int) -> int:
    """Bytes without which a sample of so many values cannot be explained, one pass included."""
    return int(HOLES * (one_pass + n_features * 2 * (LEAST_KEPT * 8 + POINT_BYTES)))


def read_memory(memory: Any) -> int | None:
    """Bytes of `memory=`: a number, or a string with a unit; None as it is.

    Raises
    ------
    TypeError, ValueError
        If it is no such number or string.

    Examples
    --------
    >>> read_memory("500 MB"), read_memory("1.5GiB"), read_memory(10**9)
    (500000000, 1610612736, 1000000000)
    """
    if memory is None:
        return None
    wanted = 'memory must be a number of bytes above 0, a string such as "500 MB" or "2 GiB", or None'
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?i?)b?\s*", memory.lower())
        size = float(match[1]) * UNITS[match[2]] if match and match[2] in UNITS else 0.0
    elif isinstance(memory, (bool, np.timedelta64)) or not isinstance(memory, Integral):
        raise TypeError(f"{wanted}, got {shown(memory)}")
    else:
        size = check_number(memory, "memory")
    if not 1 <= size < 2**63:
        raise ValueError(f"{wanted}, got {shown(memory)}")
    return int(size)


def described(size: float) -> str:
    """A number of bytes in words, of three digits, and not less than it is.

    Examples
    --------
    >>> described(123_456_789), described(1_234_567)
    ('124 MB', '1.24 MB')
    """
    unit = 10.0 ** (math.floor(math.log10(max(size, 1))) - 2)
    return f"{math.ceil(size / unit) * unit / 1e6:.7g} MB"

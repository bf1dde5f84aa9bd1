"""What somebody who looks at gradients as they come may say of a path: here they are taken for those of F."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..diagnosis import Array, Diagnosis
from .gradients import Lines
from .nodes import Indices, Nodes
from .tolerance import Tolerance


@dataclass(frozen=True, eq=False)
class Finding:
    """What was found of the path of one `sample`, for `used` evaluations.

    `wrong` ends the path, and `hidden`, (T,), is by how much rounding changes F beyond what its size tells.
    """

    sample: int
    used: int
    wrong: Diagnosis | None = None
    hidden: Array | float = 0.0


Inspect = Callable[[Nodes, Indices], Iterable[Finding]]
"""Looks at A samples, whose nodes are new, and who have (A,) evaluations left."""

Inspector = Callable[[Lines, Tolerance], Inspect]
"""Begins to look at a block of paths."""

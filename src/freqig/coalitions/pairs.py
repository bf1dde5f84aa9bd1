"""Pairs of players: the table of their interactions."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor

from ..domains import Domain
from ..domains.base import Coords
from .players import NAME, Players

MOST_IN_PAIRS = 256
"""Players of which all pairs are looked at; of more, the table of pairs would be larger than any result."""


class Pairs(Domain):
    """Pairs of players, for the table of interactions.

    Parameters
    ----------
    players : Players
        Bound or not.
    name : str
        Name of the variable in the result.
    """

    inverts = "always"
    affine = False
    shared = ()
    held = 1

    def __init__(self, players: Players, name: str) -> None:
        super().__init__(name)
        self.players = players

    def among(self, players: Players) -> Pairs:
        """The pairs of these players."""
        twin = copy.copy(self)
        twin.players = players
        return twin

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Pairs:
        bound = copy.copy(self)
        bound.players = self.players.bind(shape, fs)
        bound.consumes = bound.players.consumes
        count = bound.players.count
        if count > MOST_IN_PAIRS:
            raise ValueError(
                f"players must be at most {MOST_IN_PAIRS} for max_order=2, which looks at every pair, "
                f"got {count}: take fewer, or max_order=1"
            )
        return bound

    def analyze(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.players.analyze(x)

    def synthesize(self, c: tuple[Tensor, Tensor], n: int) -> Tensor:
        return self.players.synthesize(c, n)

    def attribution(self, delta: Tensor, mean_gradient: Tensor) -> Tensor:
        """Zeros: in a linear model no two players interact."""
        count = self.players.count
        return delta.new_zeros(*delta.shape[: delta.ndim - len(self.players.shape)], count, count)

    def coords(self, n: int, fs: float | None) -> Coords:
        labels = self.players.labels()
        return {"player": labels, "other": labels}

    def dims(self, keys: Any) -> tuple[str, ...]:
        return tuple(f"{NAME}_{key}" for key in keys)

"""What was asked of a `Shapley`, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._check import check_choice, check_count, check_seed
from ..domains import Domain, FilterBank, Segments
from ..explain.methods import Method
from ..explain.settings import OF_PATHS, Settings
from .method import ALONE, ERROR, INTERACTION, PAIR_ERROR, Coalitions
from .pairs import Pairs
from .players import Players, Whole, read_players

INDICES = ("SV", "k-SII")
BUDGET = 2048
"""Coalitions evaluated per sample by default."""
MOST = 2**20
"""Coalitions of a sample that are held: all of 20 players."""


@dataclass(frozen=True)
class ShapleySettings(Settings):
    """Settings of a `Shapley`; those of gradients in them mean nothing.

    Parameters
    ----------
    players : tuple of FilterBank, Segments or "channels"
        What divides signals into players.
    index : {"SV", "k-SII"}
        What is computed.
    max_order : int
        1 or 2.
    budget : int
        Coalitions evaluated per sample, where not all are.
    seed : int
        Of the coalitions that are drawn.
    """

    players: tuple[FilterBank | Segments | str, ...]
    index: str
    max_order: int
    budget: int
    seed: int

    @classmethod
    def of(
        cls, *, players: Any, index: Any, max_order: Any, budget: Any, seed: Any, **others: Any
    ) -> ShapleySettings:
        """Check what a caller asked for."""
        given = read_players(FilterBank() if players is None else players)
        index, max_order = read_order(index, max_order)
        grid = Players(given)
        variables: list[Domain] = [grid, grid.named(ERROR)]
        if max_order == 2:
            variables += [grid.named(ALONE), Pairs(grid, INTERACTION), Pairs(grid, PAIR_ERROR)]
        return cls.without_paths(
            {**others, "domains": variables},
            players=given,
            index=index,
            max_order=max_order,
            budget=BUDGET if budget is None else check_count(budget, "budget", most=MOST),
            seed=check_seed(seed, "seed"),
        )

    @property
    def of_ends(self) -> Settings:
        whole = Whole()
        return replace(self, domains=(whole, whole.named(ERROR)), max_order=1, progress=False)

    @property
    def method(self) -> Method:
        return Coalitions(self.tol, self.max_order, self.budget, self.seed)

    def described(self) -> dict[str, Any]:
        hidden = ("domains", *OF_PATHS)
        return {
            **{name: value for name, value in super().described().items() if name not in hidden},
            "budget": self.budget,
            "engine": "shapley",
            "index": self.index,
            "max_order": self.max_order,
            "players": [repr(one) if not isinstance(one, str) else one for one in self.players],
            "seed": self.seed,
        }


def read_order(index: Any, max_order: Any) -> tuple[str, int]:
    """Index and order, of which one says the other.

    Examples
    --------
    >>> read_order(None, None), read_order("k-SII", None), read_order(None, 2)
    (('SV', 1), ('k-SII', 2), ('k-SII', 2))
    """
    if index is not None:
        check_choice(index, "index", INDICES)
    if max_order is not None and check_count(max_order, "max_order") > 2:
        raise ValueError(f"max_order must be 1 or 2, got {max_order}")
    if index == "SV" and max_order == 2:
        raise ValueError(
            "max_order must be 1 for index='SV', which knows no pairs, got 2: take index='k-SII' for them"
        )
    order = int(max_order) if max_order is not None else 2 if index == "k-SII" else 1
    return index or ("k-SII" if order == 2 else "SV"), order

"""Explains samples by coalitions, exactly or approximately, in the place of a method of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from ..chunks import Chunks
from ..completeness import ROUNDING, gap_limit
from ..domains import Domain
from ..errors import ConvergenceWarning, warn
from ..explain.blocks import BlockSize
from ..explain.methods import Method
from ..explain.projection import working_dtype
from ..objective.paths import Paths
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .approximate import LEAST, REPLICATES, approximate, mean_and_error
from .exact import MOST_PLAYERS, alone, interactions, shapley_values
from .game import Game
from .pairs import Pairs
from .players import NAME, Players, channel_names

ALONE, INTERACTION, ERROR = f"{NAME}_alone", f"{NAME}_interaction", f"{NAME}_standard_error"
PAIR_ERROR = f"{INTERACTION}_standard_error"


@dataclass(frozen=True)
class Coalitions(Method):
    """Shapley values of players, and with `order` 2 interactions of their pairs.

    Parameters
    ----------
    order : int
        1 or 2.
    budget : int
        Coalitions evaluated per sample, where not all are.
    seed : int
        Of the coalitions that are drawn.
    """

    order: int
    budget: int
    seed: int

    engine = "shapley"
    exact: ClassVar[bool] = False

    @property
    def n_least(self) -> int:
        return self.budget

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        # Targets share what the model says of a coalition.
        return BlockSize(1, n_targets)

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        players = next((domain for domain in domains if isinstance(domain, Players)), None)
        if players is None:
            raise TypeError("domains must hold the players of a freqig.Shapley")
        players = players.called(channel_names(axes))
        game = Game(paths, players, axes.sizes, chunks, paths.objective.evaluated)
        if players.count <= MOST_PLAYERS or 2**players.count <= self.budget:
            found = self._exact(game)
        else:
            found = self._approximate(game)
        return self._told(found, game, paths, domains)

    def _exact(self, game: Game) -> dict[str, np.ndarray]:
        values = game.all_values()
        phi = shapley_values(values)
        found = {NAME: phi, ERROR: np.zeros_like(phi)}
        if self.order == 2:
            pairs = interactions(values)
            found |= {ALONE: alone(phi, pairs), INTERACTION: pairs, PAIR_ERROR: np.zeros_like(pairs)}
        return found

    def _approximate(self, game: Game) -> dict[str, np.ndarray]:
        if self.budget < LEAST * REPLICATES:
            raise ValueError(
                f"budget must be at least {LEAST * REPLICATES} for {game.players.count} players, not all of "
                f"whose coalitions are evaluated, got {self.budget}"
            )
        columns: dict[str, list[np.ndarray]] = {}
        for target in range(game.n_targets):

            def values(coalitions: np.ndarray, t: int = target) -> np.ndarray:
                column: np.ndarray = game.values(coalitions)[:, t]
                return column

            drawn = approximate(values, game.players.count, self.order, self.budget, self.seed)
            single = drawn.alone
            if drawn.pairs is not None:
                pairs, pair_error = mean_and_error(drawn.pairs)
                own, _ = mean_and_error(drawn.alone)
                single = drawn.alone + drawn.pairs.sum(2) / 2
                for name, column in ((ALONE, own), (INTERACTION, pairs), (PAIR_ERROR, pair_error)):
                    columns.setdefault(name, []).append(column)
            phi, error = mean_and_error(single)
            columns.setdefault(NAME, []).append(phi)
            columns.setdefault(ERROR, []).append(error)
        return {name: np.stack(column, -1) for name, column in columns.items()}

    def _told(
        self, found: dict[str, np.ndarray], game: Game, paths: Paths, domains: Sequence[Domain]
    ) -> Attributions:
        output, start = paths.output, paths.baseline_output
        if start is None:
            raise ValueError("paths must know the outputs at their baselines, and do not")
        phi = torch.from_numpy(found[NAME]).movedim(-1, 0)[None].to(output.device)
        norm = phi.abs().sum(-1)
        gap = phi.sum(-1) - (output - start)
        # Values add up by construction: what is left below is the rounding of this sum.
        rounding = ROUNDING * torch.finfo(gap.dtype).eps * torch.from_numpy(game.largest).to(gap)
        gap = torch.where(gap.abs() <= rounding, 0.0, gap)
        errors = [_relative(found[NAME], found[ERROR])]
        if self.order == 2:
            # Pairs that hardly interact are small beside what there is to explain.
            errors.append(_relative(found[INTERACTION], found[PAIR_ERROR], floor=found[NAME]))
        error = torch.from_numpy(np.max(errors, axis=0))[None].to(output.device)
        dtype = working_dtype(paths.x.dtype)
        limit = gap_limit(norm, output, start, self.tol, paths.objective.rounding_dtype)
        return Attributions(
            [_called(domain, game.players) for domain in domains],
            [self._placed(found, domain, game.players, dtype) for domain in domains],
            output,
            start,
            gap,
            torch.zeros_like(gap),
            limit,
            (error <= self.tol) & (gap.abs() <= limit),
            error,
            torch.tensor([game.n_evaluations]),
        )

    @staticmethod
    def _placed(
        found: dict[str, np.ndarray], domain: Domain, players: Players, dtype: torch.dtype
    ) -> torch.Tensor:
        """Values of one variable, shape (1, T, *players) or (1, T, players, players)."""
        values = torch.from_numpy(np.moveaxis(found[domain.name], -1, 0).copy()).to(dtype)
        shape = players.grid if isinstance(domain, Players) else tuple(values.shape[1:])
        return values.reshape(1, len(values), *shape)

    def warn_of_shortfalls(self, found: Attributions) -> None:
        bad = (~found.converged).any(1).nonzero().flatten().tolist()
        if bad:
            worst = float(found.error.max())
            warn(
                f"Shapley values of {len(bad)} of {len(found.converged)} samples did not reach "
                f"tol={self.tol:g}: the largest estimated error is {worst:.2g}, from {self.budget} "
                f"coalitions. Raise budget or tol, or take at most {MOST_PLAYERS} players: these are exact",
                ConvergenceWarning,
            )


def _relative(values: np.ndarray, errors: np.ndarray, floor: np.ndarray | None = None) -> np.ndarray:
    """L1 norm of errors by that of values, by target, shape (T,)."""
    scale, size = (np.abs(one).reshape(-1, one.shape[-1]).sum(0) for one in (values, errors))
    if floor is not None:
        scale = np.maximum(scale, np.abs(floor).reshape(-1, floor.shape[-1]).sum(0))
    # Where nothing is attributed nothing is wrong.
    relative: np.ndarray = np.divide(size, scale, out=np.where(size > 0, np.inf, 0.0), where=scale > 0)
    return relative


def _called(domain: Domain, players: Players) -> Domain:
    """A domain of the result, whose channels have names."""
    if isinstance(domain, Pairs):
        return domain.among(players)
    return domain.called(players.channels) if isinstance(domain, Players) else domain

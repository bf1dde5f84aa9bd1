"""One pass over the samples: a few nodes of each, added up by group, and no sample kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...chunks import Chunks
from ...domains import Domain
from ...objective.paths import Paths
from ...path.fixed import integrate_at
from ...result.attributions import Attributions
from ...signals.axes import Axes
from ..blocks import BlockSize
from ..methods import AdaptiveNodes, Method
from ..projection import Analysis, project
from .shifts import new_places, turns
from .sums import Pairs, Round, Scatter, norm

STREAMS = 8
"""Parts of a group whose places are independent, and whose errors therefore tell more than one would."""

REPLICATES = 2
"""Independent estimates of every sample, whose difference tells how much they err."""


@dataclass(eq=False)
class Small:
    """Samples of small groups, each integrated by itself: sums of attributions, squares, and squared errors.

    Errors of samples add in quadrature, as a model's kinks lie elsewhere on each path.
    """

    n_groups: int

    def __post_init__(self) -> None:
        self.round, self.scatter = Round(self.n_groups), Scatter(self.n_groups)
        self.errors = torch.zeros(0)
        self.failed = torch.zeros(self.n_groups, 1, dtype=torch.int64)

    def add(self, groups: Tensor, found: Attributions) -> None:
        """Add what was found of samples of these groups, int64, shape (S,), from one baseline."""
        self.round.add(groups, found.values, found.gap.cpu())
        sizes = torch.stack([norm(value.double()) for value in found.values])
        if not len(self.errors):
            self.errors = torch.zeros(len(sizes), self.n_groups, sizes.shape[2], dtype=torch.float64)
            self.failed = torch.zeros(self.n_groups, sizes.shape[2], dtype=torch.int64)
        self.errors.index_add_(1, groups, (sizes * found.error.nan_to_num(nan=torch.inf)).square().cpu())
        self.failed.index_add_(0, groups, (~found.converged).long().cpu())


@dataclass(eq=False)
class Pass:
    """What one pass over all samples adds up.

    Parameters
    ----------
    n_groups : int
        How many groups there are.
    nodes : int
        Nodes per sample that each replicate has after it; half of them are new, or the first.
    seed : int
        Of the random turns.
    wanted, small : numpy.ndarray
        Groups that are looked at, and those whose samples are integrated one by one, bool, shape (G,).
    """

    n_groups: int
    nodes: int
    seed: int
    wanted: NDArray[np.bool_]
    small: NDArray[np.bool_]

    def __post_init__(self) -> None:
        self.rounds = [Round(STREAMS * self.n_groups) for _ in range(REPLICATES)]
        self.alone = Small(self.n_groups)
        self.pairs, self.scatter = Pairs(self.n_groups), Scatter(self.n_groups)
        self.evaluations = np.zeros(self.n_groups, dtype=np.int64)

    @property
    def n_new(self) -> int:
        """New nodes per sample of each replicate."""
        return max(1, self.nodes // 2)

    def add(self, groups: Tensor, found: Sequence[tuple[Sequence[Tensor], Tensor]]) -> None:
        """Add an estimate of each replicate, (attributions by domain, gaps), by group and stream, (S,)."""
        for round_, (values, gaps) in zip(self.rounds, found, strict=True):
            round_.add(groups, values, gaps)
        self.pairs.add(groups // STREAMS, *found)


@dataclass(frozen=True, eq=False)
class Collecting(Method):
    """Puts the new nodes of a pass on the paths of one batch, and adds what they find to its sums.

    Parameters
    ----------
    into : Pass
        Where sums go.
    groups, numbers : numpy.ndarray
        Group of every sample of the batch, and its number in the group, int64, shape (N,).
    adaptive : AdaptiveNodes
        For samples of small groups.
    n_baselines : int
        Baselines of every sample, whose paths come one after another.
    """

    into: Pass
    groups: NDArray[np.int64]
    numbers: NDArray[np.int64]
    adaptive: AdaptiveNodes
    n_baselines: int
    _seen: dict[int, int] = field(default_factory=dict)
    _held: dict[tuple[int, int], list[Tensor]] = field(default_factory=dict)

    exact: ClassVar[bool] = True

    @property
    def n_least(self) -> int:
        return REPLICATES * self.into.n_new

    def warn_of_shortfalls(self, found: Attributions) -> None:
        """Nothing: of single samples nothing is asked."""

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        # Sums know targets by their place, so these are not parted.
        return replace(super().block_size(chunks, n_features, n_targets), targets=n_targets)

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        begin, n = paths.objective.offset, len(paths)
        baseline = self._seen[begin] = self._seen.get(begin, -1) + 1
        groups, wanted = self.groups[begin : begin + n], self.into.wanted
        small = self.into.small[groups] & wanted[groups]
        chosen = np.flatnonzero(wanted[groups] & ~small)
        used, sizes = np.zeros(n, dtype=np.int64), torch.zeros(len(domains), *paths.output.shape)
        if len(chosen):
            chunks = chunks.at_most(chunks.memory.n_points(paths.n_targets * paths.n_features))
            analysis, found = Analysis.of(paths, axes, domains), []
            own, stream = np.divmod(self.numbers[begin + chosen], STREAMS)
            equal = np.full(self.into.n_new, 1 / self.into.n_new)
            for replicate in range(REPLICATES):
                angles = turns(self.into.seed, replicate, baseline, STREAMS)
                where = new_places(own, self.into.nodes, angles[stream])
                path = integrate_at(paths, where, equal, chunks, chosen)
                run = project(path, paths, analysis, self.tol)
                found.append(([value[chosen] for value in run.values], run.gap[chosen].cpu()))
            self.into.add(torch.as_tensor(STREAMS * groups[chosen] + stream), found)
            both = [
                self._over_baselines((begin, -k - 1), values, baseline) for k, (values, _) in enumerate(found)
            ]
            if both[0] and both[1]:
                self.into.scatter.add(torch.as_tensor(groups[chosen]), both[0], both[1])
            used[chosen] = self.n_least
            sizes[:, chosen] = torch.stack([norm(value).cpu().float() for value in found[0][0]])
        for part in _runs(small):
            block = paths.block(part, slice(0, paths.n_targets))
            run = self.adaptive.explain(block, axes, domains, chunks)
            self.into.alone.add(torch.as_tensor(groups[part]), run)
            if whole := self._over_baselines((begin, part.start), run.values, baseline):
                self.into.alone.scatter.add(torch.as_tensor(groups[part]), whole, whole)
            used[part] = run.n_evaluations
            sizes[:, part] = torch.stack([norm(value).cpu().float() for value in run.values])
        np.add.at(self.into.evaluations, groups, used)
        return _scalars(paths, domains, sizes, used)

    def _over_baselines(self, key: tuple[int, int], values: Sequence[Tensor], baseline: int) -> list[Tensor]:
        """Means over baselines of what was found of some samples, when the last has come; else nothing."""
        held = self._held.pop(key, None)
        found = list(values) if held is None else [a + b for a, b in zip(held, values, strict=True)]
        if baseline < self.n_baselines - 1:
            self._held[key] = found
            return []
        return [value / self.n_baselines for value in found]


def _runs(chosen: NDArray[np.bool_]) -> list[slice]:
    """Slices of neighbours that are chosen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _scalars(paths: Paths, domains: Sequence[Domain], sizes: Tensor, used: NDArray[np.int64]) -> Attributions:
    """Outputs at both ends, and of the attributions the L1 norms alone, shape (domains, S, T)."""
    nothing = torch.zeros(paths.output.shape, dtype=torch.float64)
    start = nothing if paths.baseline_output is None else paths.baseline_output.cpu()
    unknown, yes = torch.full_like(nothing, torch.nan), torch.ones_like(nothing, dtype=torch.bool)
    evaluations = torch.as_tensor(used)
    ends = paths.output.cpu(), start
    return Attributions(
        domains, list(sizes.unsqueeze(3)), *ends, nothing, nothing, nothing, yes, unknown, evaluations
    )

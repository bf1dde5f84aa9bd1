"""Methods: fixed or adaptive nodes of paths, and others, behind one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

import torch

from ..chunks import Chunks
from ..domains import Domain
from ..domains.nonlinear import NonlinearDomain
from ..foreign import Foreign
from ..objective.paths import Paths
from ..path.adaptive import integrate_adaptive
from ..path.fixed import integrate
from ..path.measuring import Projection
from ..path.path import Path
from ..path.rules import gauss_legendre
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .blocks import BlockSize
from .own_path import explain_nonlinear
from .projection import Analysis, project
from .shortfalls import doubted, warn_of_gaps, warn_of_own_paths, warn_of_paths

FIRST_RULES = (7, 15, 31)
"""Nodes that adaptive integration may begin with, where it was not told."""
FULL = 14
"""Chunks that the first nodes of a block fill: one that is not full is a small part of them, and coefficients
of many samples take more memory than their ends."""


@dataclass(frozen=True)
class Method(ABC):
    """How a block of samples is explained.

    Parameters
    ----------
    tol : float
        Relative tolerance of attributions and completeness gap.
    """

    tol: float

    engine: ClassVar[str] = "path"
    exact: ClassVar[bool]
    """Whether every sample gets as many evaluations as it gets at least."""

    adds_up: ClassVar[bool] = True
    """Whether attributions are made to sum to F(x) - F(x')."""

    rows_kept: ClassVar[int] = 4
    """Float64 numbers that are held per sample, target and feature: sums, what is added to them, and products
    and projections of them."""

    @property
    @abstractmethod
    def n_least(self) -> int:
        """Evaluations that a sample gets at least."""

    def for_call(self, n_rows: int, chunks: Chunks) -> Method:
        """The same method for a call of so many samples, times targets."""
        return self

    @abstractmethod
    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        """Explain a block of samples.

        Parameters
        ----------
        paths : Paths
            What is explained.
        axes : Axes
            Axes of the signal that appear in the result.
        domains : sequence of Domain
            Domains made ready.
        chunks : Chunks
            Points per call.
        """

    def doubting(self, doubts: bool) -> Method:
        """The same method, where an earlier call had doubts about the gradients of the model or not."""
        return self

    def concluded(self, found: Attributions, doubts: bool) -> tuple[Attributions, bool]:
        """Attributions, after what was found of some and holds for others, and whether doubts are left."""
        return found, doubts

    @abstractmethod
    def warn_of_shortfalls(self, found: Attributions) -> None:
        """Say once where attributions are not what was asked for."""

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        """Samples and targets per block: enough that most chunks are full, few enough to bound memory."""
        full, fit = -(-FULL * chunks.size // self.n_least), self.most_rows(chunks, n_features)
        targets = max(1, min(fit, n_targets))
        return BlockSize(max(1, min(full, fit // targets)), targets)

    def most_rows(self, chunks: Chunks, n_features: int) -> int:
        """Samples, times targets, of which there is room for what is held of each."""
        return max(1, chunks.memory.block // (self.rows_kept * 8 * n_features))


@dataclass(frozen=True)
class Nodes(Method):
    """Gradients at nodes of the paths, averaged and projected on every domain."""

    @abstractmethod
    def integrate(self, paths: Paths, projections: Sequence[Projection], chunks: Chunks) -> Path:
        """Average gradients along paths, watched in projections."""

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        linear = [domain for domain in domains if domain.linear]
        chunks = chunks.at_most(chunks.memory.n_points(paths.n_targets * paths.n_features))
        analysis = Analysis.of(paths, axes, linear)
        path = self.integrate(paths, analysis.projections(), chunks)
        found = project(path, paths, analysis, self.tol)
        values = dict(zip([domain.name for domain in linear], found.values, strict=True))
        own = {}
        for domain in domains:
            if isinstance(domain, NonlinearDomain):
                along = partial(self.integrate, projections=(), chunks=chunks)
                curved = explain_nonlinear(domain, paths, path.baseline_output, axes.sizes, along, self.tol)
                values[domain.name], own[domain.name] = curved.attributions, curved.diagnostics()
        return replace(found, domains=domains, values=[values[domain.name] for domain in domains], own=own)


@dataclass(frozen=True)
class FixedNodes(Nodes):
    """Gauss-Legendre nodes, as many on every path.

    Parameters
    ----------
    n_steps : int
        How many.
    """

    n_steps: int

    exact: ClassVar[bool] = True

    @property
    def n_least(self) -> int:
        return self.n_steps

    def integrate(self, paths: Paths, projections: Sequence[Projection], chunks: Chunks) -> Path:
        return integrate(paths, gauss_legendre(self.n_steps), chunks)

    def warn_of_shortfalls(self, found: Attributions) -> None:
        warn_of_gaps(found, self.n_steps)
        warn_of_own_paths(found, self.tol, exact=True)


@dataclass(frozen=True)
class AdaptiveNodes(Nodes):
    """As few nodes as each path allows.

    Parameters
    ----------
    max_evaluations : int
        Most evaluations per sample.
    n_initial : int or None
        Nodes of the first rule; None takes as many as cost about what the fewest do.
    foreign : Foreign
        What was seen of gradients that are not those of F, in all blocks of this call.
    """

    max_evaluations: int
    n_initial: int | None
    foreign: Foreign = field(default_factory=Foreign, repr=False, compare=False)

    exact: ClassVar[bool] = False

    @property
    def n_least(self) -> int:
        return FIRST_RULES[0] if self.n_initial is None else self.n_initial

    def for_call(self, n_rows: int, chunks: Chunks) -> Method:
        if self.n_initial is not None:
            return self
        # Each has one place more, which no rule uses.
        cheap = [n for n in FIRST_RULES if n_rows * (n + 1) <= chunks.light]
        return replace(self, n_initial=max(cheap, default=self.n_least))

    def integrate(self, paths: Paths, projections: Sequence[Projection], chunks: Chunks) -> Path:
        return integrate_adaptive(
            paths,
            projections=projections,
            tol=self.tol,
            max_evaluations=self.max_evaluations,
            n_initial=self.n_least,
            chunks=chunks,
            inspector=self.foreign,
        )

    def doubting(self, doubts: bool) -> Method:
        return replace(self, foreign=Foreign(doubts))

    def concluded(self, found: Attributions, doubts: bool) -> tuple[Attributions, bool]:
        stands = self.foreign.stands
        return doubted(found, self.foreign.right) if stands else found, stands

    def warn_of_shortfalls(self, found: Attributions) -> None:
        warn_of_paths(found, self.tol)
        warn_of_own_paths(found, self.tol, exact=False)

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        # Their gradients are kept at every node, and many targets take as many nodes as the worst of them.
        most = chunks.memory.most_targets(4 * n_features)
        return super().block_size(chunks, n_features, min(n_targets, most))


@dataclass(frozen=True)
class EndsOnly(Method):
    """Outputs at both ends, and nothing between them."""

    exact: ClassVar[bool] = True

    @property
    def n_least(self) -> int:
        return 1

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        found = Attributions.empty((0, *axes.sizes, axes.n), paths.n_targets, domains, torch.float32)
        room = found.room(len(paths), paths.n_targets)
        start = paths.output if paths.baseline_output is None else paths.baseline_output
        room.output[:], room.baseline_output[:] = paths.output, start
        return room

    def warn_of_shortfalls(self, found: Attributions) -> None:
        """Nothing: nothing was attributed."""

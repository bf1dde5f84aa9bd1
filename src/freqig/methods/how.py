"""How a method explains a block of samples, and what its numbers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..completeness import gap_limit
from ..domains import Domain
from ..explain.blocks import BlockSize
from ..explain.methods import Method
from ..objective.paths import Paths
from ..result.attributions import Attributions

IMPORTANCE = "importance"
"""Unit of what ranks coefficients and is no share of the output."""


@dataclass(frozen=True)
class How(Method):
    """A method whose numbers may add up to F(x) - F(x'), or not.

    Attributes
    ----------
    title : str
        Name of the method and its source.
    units : str or None
        Unit of attributions; None for that of the output.
    meaning : str
        What an attribution is.
    """

    tol: float = field(default=0.01, kw_only=True)

    exact: ClassVar[bool] = True
    title: ClassVar[str]
    adds_up: ClassVar[bool] = False
    units: ClassVar[str | None] = None
    meaning: ClassVar[str]

    def described(self) -> dict[str, Any]:
        """What was asked for, as the settings of a result tell it."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "tol"}

    def allowed(self, domains: Sequence[Domain]) -> None:
        """ValueError where the method does not hold in one of the domains."""
        for domain in domains:
            if not domain.linear:
                raise ValueError(
                    f"domains must be linear for {self.title}, got {domain!r}, whose coefficients have a "
                    "path of their own: take another, such as freqig.RFFT()"
                )

    def warn_of_shortfalls(self, found: Attributions) -> None:
        """Nothing: there is no more to be had than was asked for."""

    def told(
        self,
        paths: Paths,
        domains: Sequence[Domain],
        values: list[Tensor],
        n_evaluations: Tensor,
        sums: Tensor | None = None,
        error: Tensor | None = None,
    ) -> Attributions:
        """Attributions of a block, and whether they add up where they are made to.

        Parameters
        ----------
        paths : Paths
            S samples.
        domains : sequence of Domain
            Domains of the result.
        values : list of torch.Tensor
            One per domain, shape (S, T, ...).
        n_evaluations : torch.Tensor
            Points at which the model was evaluated, int64, shape (S,).
        sums : torch.Tensor, optional
            Sum and L1 norm of the attributions, shape (2, S, T), where they are made to add up.
        error : torch.Tensor, optional
            Estimated L1 error, relative to the norm, shape (S, T).
        """
        output, start = paths.output, paths.baseline_output
        if start is None:
            raise ValueError("paths must know the outputs at their baselines, and do not")
        unknown = torch.full_like(output, torch.nan)
        gap, limit, converged = unknown, unknown, torch.ones_like(output, dtype=torch.bool)
        if sums is not None:
            gap = sums[0] - (output - start)
            limit = gap_limit(sums[1], output, start, self.tol, paths.objective.rounding_dtype)
            converged = gap.abs() <= limit
        return Attributions(
            domains,
            values,
            output,
            start,
            gap,
            torch.zeros_like(output),
            limit,
            converged,
            unknown if error is None else error,
            n_evaluations,
        )


def one_by_one(n_targets: int) -> BlockSize:
    """Blocks of one sample, whose targets share what the model says."""
    return BlockSize(1, n_targets)

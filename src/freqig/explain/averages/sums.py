"""Running sums over the samples of every group, in the order of the samples: the same however they are cut.

Axes are group G, target T, and those of a domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...path.nodes import TINY


def along(scalars: Tensor, like: Tensor) -> Tensor:
    """Numbers with axes of size one behind, for those of a domain that `like` has."""
    return scalars.reshape(*scalars.shape, *(1,) * (like.ndim - scalars.ndim))


def norm(values: Tensor, leading: int = 2) -> Tensor:
    """L1 norm over all axes but the first, (G, T, ...) to (G, T). What is not there is NaN."""
    return values.flatten(leading).abs().nansum(leading)


@dataclass(eq=False)
class Round:
    """Estimates of one replicate in one pass: every sample at places of its own.

    Parameters
    ----------
    n_groups : int
        How many groups there are.

    Attributes
    ----------
    totals : list of torch.Tensor
        Sums of attributions by domain, float64, shape (G, T, ...); empty as long as there is no sample.
    gaps, squares : torch.Tensor
        Sums of the gaps, Σ attribution - (F(x) - F(x')), whose mean over places is zero, and of
        their squares, float64, shape (G, T).
    count : torch.Tensor
        Estimates in each group, int64, shape (G,).
    """

    n_groups: int

    def __post_init__(self) -> None:
        self.totals = list[Tensor]()
        self.gaps = self.squares = torch.zeros(self.n_groups, 1, dtype=torch.float64)
        self.count = torch.zeros(self.n_groups, dtype=torch.int64)

    def add(self, groups: Tensor, values: Sequence[Tensor], gaps: Tensor) -> None:
        """Add estimates of some samples.

        Parameters
        ----------
        groups : torch.Tensor
            Their groups, int64, shape (S,).
        values : sequence of torch.Tensor
            Attributions by domain, shape (S, T, ...).
        gaps : torch.Tensor
            Shape (S, T).
        """
        if not self.totals:
            self.totals = _room(self.n_groups, values)
            self.gaps, self.squares = torch.zeros(2, self.n_groups, gaps.shape[1], dtype=torch.float64)
        for total, value in zip(self.totals, values, strict=True):
            total.index_add_(0, groups, value.double().cpu())
        self.gaps.index_add_(0, groups, gaps)
        self.squares.index_add_(0, groups, gaps.square())
        self.count.index_add_(0, groups, torch.ones_like(groups))

    def means(self, k: int) -> Tensor:
        """Means of the attributions in domain k, shape (G, T, ...)."""
        return self.totals[k] / along(self.number, self.totals[k])

    @property
    def number(self) -> Tensor:
        """Estimates in each group, one at least, float64, shape (G, 1)."""
        return _at_least_one(self.count)


@dataclass(eq=False)
class Pairs:
    """Sums over what two independent estimates of the same differ by, of G groups; attributes are by domain.

    Attributes
    ----------
    crossed : list of torch.Tensor
        Of the difference times that of their gaps, shape (G, T, ...).
    squares, fourths : torch.Tensor
        Of the squared difference of gaps, and of its fourth power, shape (G, T).
    """

    n_groups: int

    def __post_init__(self) -> None:
        self.crossed = list[Tensor]()
        self.squares = self.fourths = torch.zeros(0)

    def add(
        self, groups: Tensor, one: tuple[Sequence[Tensor], Tensor], other: tuple[Sequence[Tensor], Tensor]
    ) -> None:
        """Add two estimates, (attributions by domain, gaps), of samples of these groups."""
        gaps = one[1] - other[1]
        if not self.crossed:
            self.crossed = _room(self.n_groups, one[0])
            self.squares, self.fourths = torch.zeros(2, self.n_groups, gaps.shape[1], dtype=torch.float64)
        for crossed, a, b in zip(self.crossed, one[0], other[0], strict=True):
            apart = (a.double() - b.double()).cpu()
            crossed.index_add_(0, groups, apart * along(gaps, apart))
        self.squares.index_add_(0, groups, gaps.square())
        self.fourths.index_add_(0, groups, gaps.square().square())

    @property
    def effective(self) -> Tensor:
        """So many pairs with gaps of one size would have made the same sums (Kish), shape (G, T)."""
        return self.squares.square() / self.fourths.clamp(min=TINY)


@dataclass(eq=False)
class Scatter:
    """Sums over samples of the attributions of each, from two estimates of it, of G groups.

    Attributes
    ----------
    products : list of torch.Tensor
        Of one times the other, by domain, shape (G, T, ...).
    sizes : torch.Tensor
        Of the L1 norm of their mean, shape (domains, G, T).
    count : torch.Tensor
        Samples, int64, shape (G,).
    """

    n_groups: int

    def __post_init__(self) -> None:
        self.products = list[Tensor]()
        self.sizes = torch.zeros(0)
        self.count = torch.zeros(self.n_groups, dtype=torch.int64)

    def add(self, groups: Tensor, one: Sequence[Tensor], other: Sequence[Tensor]) -> None:
        """Add two estimates, independent or the same, of samples of these groups."""
        both = [(a.double().cpu(), b.double().cpu()) for a, b in zip(one, other, strict=True)]
        if not self.products:
            self.products = _room(self.n_groups, one)
            self.sizes = torch.zeros(len(both), self.n_groups, both[0][0].shape[1], dtype=torch.float64)
        for products, (a, b) in zip(self.products, both, strict=True):
            products.index_add_(0, groups, a * b)
        self.sizes.index_add_(1, groups, torch.stack([norm(a + b) / 2 for a, b in both]))
        self.count.index_add_(0, groups, torch.ones_like(groups))

    def squares(self) -> list[Tensor]:
        """Means over samples of the squared attributions, free of what estimates err by where independent."""
        return [products / along(self.number, products) for products in self.products]

    @property
    def number(self) -> Tensor:
        """Samples in each group, one at least, float64, shape (G, 1)."""
        return _at_least_one(self.count)


def _room(n_groups: int, values: Sequence[Tensor]) -> list[Tensor]:
    """Zeros for the sums of groups, by domain, for values of samples, shape (S, T, ...)."""
    return [torch.zeros(n_groups, *value.shape[1:], dtype=torch.float64) for value in values]


def _at_least_one(count: Tensor) -> Tensor:
    """Counts of groups as divisors, float64, shape (G,) to (G, 1)."""
    return count.clamp(min=1).unsqueeze(1).double()

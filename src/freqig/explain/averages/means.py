"""Means of groups from rounds of independent estimates, and how much they err."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...path.nodes import TINY
from .collecting import STREAMS, Pass, Small
from .sums import Pairs, Round, along, norm

MARGIN = 1.5
"""Of the error of a mean: what two or three estimates of it differ by is itself a matter of chance.
`benchmarks/averages.py` shows how often the true error is larger."""

SAMPLING = 0.25
"""Share of the sampling error below which that of integration is of no account."""

CANCELS = 0.1
"""Norm of a mean, relative to the mean of the norms, below which attributions cancel: then the error is
measured against a tenth of the latter."""

MEAN_SIZE = math.sqrt(2 / math.pi)
"""E|N(0, 1)|: what an L1 norm makes of a standard error."""


@dataclass(eq=False)
class Means:
    """What is known of G groups in K streams each, whose places are independent; T targets.

    Lists are by domain. Errors of streams are independent, so that squares add: with one stream alone the
    difference of two rounds could be small by luck.

    Parameters
    ----------
    values : list of torch.Tensor
        Means of the attributions, float64, shape (G, K, T, ...).
    apart : torch.Tensor
        L1 distance of the last round from the mean of those before, shape (domains, G, K, T).
    weight : torch.Tensor
        Sum of the weights of the rounds, shape (G, 1).
    share : torch.Tensor
        Of a stream in its group, shape (G, K).
    sizes : torch.Tensor
        Mean L1 norm of what was found of a sample, shape (domains, G, T).
    squares : list of torch.Tensor
        Means over samples of the squared attributions, free of the error of integration, shape (G, T, ...).
    gap, gap_error : torch.Tensor
        Mean gap, before gaps are used as control variates, and its standard error, shape (G, T).
    slopes : list of torch.Tensor
        What is taken off the attributions per gap, shape (G, 1, T, ...); zero where that does not help.
    """

    values: list[Tensor]
    apart: Tensor
    weight: Tensor
    share: Tensor
    sizes: Tensor
    squares: list[Tensor]
    gap: Tensor
    gap_error: Tensor
    slopes: list[Tensor]

    @classmethod
    def of_pair(cls, first: Pass) -> Means:
        """Two independent rounds, which differ by twice the error of their mean."""
        one, other = first.rounds
        number = _streams(one.count).sum(1, keepdim=True).clamp(min=1).double()
        share = _streams(one.count) / number
        slopes = _slopes(first.pairs)
        gaps = [_streams(each.gaps / each.number) for each in (one, other)]
        pairs = [(_streams(one.means(k)), _streams(other.means(k))) for k in range(len(one.totals))]
        moved = [along(gaps[0] - gaps[1], slope) * slope for slope in slopes]
        apart = torch.stack([norm(a - b, 3) for a, b in pairs])
        closer = torch.stack([norm(a - b - m, 3) for (a, b), m in zip(pairs, moved, strict=True)])
        helps = (_joined(closer, share) / (_joined(apart, share) + TINY)).amax(0, keepdim=True) < 1
        helps = helps.movedim(0, 1)
        slopes = [torch.where(along(helps, slope), slope, 0.0) for slope in slopes]
        middle = (gaps[0] + gaps[1]) / 2
        squares = [_streams(products).sum(1) for products in first.pairs.products]
        variance = sum(_streams(each.squares).sum(1) for each in (one, other)) / (2 * number).square()
        return cls(
            [(a + b) / 2 - along(middle, s) * s for (a, b), s in zip(pairs, slopes, strict=True)],
            torch.where(helps, closer, apart),
            torch.full_like(number, 2.0),
            share,
            torch.stack([_streams(sizes).sum(1) for sizes in first.pairs.sizes]) / number,
            [products / along(number.expand_as(variance), products) for products in squares],
            (middle * share.unsqueeze(2)).sum(1),
            torch.as_tensor(variance).sqrt(),
            slopes,
        )

    def join(self, new: Round, nodes: int, groups: Tensor) -> None:
        """Take in another round, of so many nodes per sample, of some groups, bool, shape (G,).

        Rounds are weighted by the square of their nodes, as if their errors fell like 1/n.
        """
        weight = float(nodes**2)
        whole = self.weight + weight
        chosen = groups.reshape(-1, 1, 1)
        step = torch.where(groups.unsqueeze(1), weight / whole, 0.0)
        gaps = _streams(new.gaps / new.number)
        for k, value in enumerate(self.values):
            fresh = _streams(new.means(k)) - along(gaps, value) * self.slopes[k]
            change = torch.where(along(chosen, value), fresh - value, 0.0)
            self.apart[k] = torch.where(chosen, norm(change, 3), self.apart[k])
            self.values[k] = value + along(step.unsqueeze(2), value) * change
        gap, number = (gaps * self.share.unsqueeze(2)).sum(1), _streams(new.count).sum(1, keepdim=True)
        error = _streams(new.squares).sum(1).sqrt() / number.clamp(min=1)
        self.gap = self.gap + step * torch.where(groups.unsqueeze(1), gap - self.gap, 0.0)
        self.gap_error = torch.hypot((1 - step) * self.gap_error, step * error)
        self.weight = torch.where(groups.unsqueeze(1), whole, self.weight)

    def known(self) -> Known:
        """Means of the groups, and how much they err.

        Of two independent estimates with errors e and σ, the mean with weights 1 - p and p errs by
        √((1 - p)² e² + p² σ²), and they differ by √(e² + σ²). Of the first pair p is 1/2: the error is half
        of the difference whatever e and σ are. Later p is 3/4: 0.53 of the difference where the error of a
        round falls like 1/√n, 0.43 where like 1/n, and less where it falls faster.
        """
        values = [(value * along(self.share.unsqueeze(2), value)).sum(1) for value in self.values]
        error = MARGIN * _joined(self.apart, self.share) / 2
        return Known(values, error, self.sizes, self.squares, self.gap, self.gap_error)


@dataclass(frozen=True, eq=False)
class Known:
    """Means of G groups, T targets; fields as those of `Means`, without streams, and the L1 `error`."""

    values: list[Tensor]
    error: Tensor
    sizes: Tensor
    squares: list[Tensor]
    gap: Tensor
    gap_error: Tensor

    @classmethod
    def of_alone(cls, alone: Small) -> Known:
        """Of samples that were integrated one by one."""
        round_, number = alone.round, alone.round.number
        gap = round_.gaps / number
        return cls(
            [round_.means(k) for k in range(len(round_.totals))],
            alone.errors.sqrt() / number,
            alone.sizes / number,
            [squares / along(number.expand_as(gap), squares) for squares in alone.squares],
            gap,
            # What each of them was content with is no matter of chance, and good enough.
            torch.where(alone.failed > 0, 0.0, gap.abs()),
        )

    def or_else(self, other: Known, chosen: Tensor) -> Known:
        """Those of another for the groups chosen, bool, shape (G,)."""

        def either(one: Tensor, two: Tensor, axis: int = 0) -> Tensor:
            shape = [1] * one.ndim
            shape[axis] = -1
            return torch.where(chosen.reshape(shape), two, one)

        return Known(
            [either(a, b) for a, b in zip(self.values, other.values, strict=True)],
            either(self.error, other.error, 1),
            either(self.sizes, other.sizes, 1),
            [either(a, b) for a, b in zip(self.squares, other.squares, strict=True)],
            either(self.gap, other.gap),
            either(self.gap_error, other.gap_error),
        )

    def scale(self) -> Tensor:
        """Norms that errors are relative to, shape (domains, G, T)."""
        norms = torch.stack([norm(value) for value in self.values])
        return torch.maximum(norms, CANCELS * self.sizes)

    def cancels(self) -> Tensor:
        """Whether the attributions of a group cancel in the mean, bool, shape (G, T)."""
        norms = torch.stack([norm(value) for value in self.values])
        return (norms < CANCELS * self.sizes).any(0)

    def standard_errors(self, counts: Tensor) -> list[Tensor]:
        """Standard error of the means over samples, NaN for groups of one.

        The product of two independent estimates of one sample has the mean of its square: what integration
        adds to the scatter of samples is not in it.
        """
        number = counts.reshape(-1, 1).double()
        found = []
        for value, squares in zip(self.values, self.squares, strict=True):
            n = along(number.expand_as(self.gap), value)
            variance = (squares - value.square()).clamp(min=0) * n / (n - 1)
            found.append(torch.where(n > 1, (variance / n).sqrt(), torch.nan))
        return found

    def good_enough(self, tol: float | None, counts: Tensor) -> Tensor:
        """Whether integration errs by `tol` at most, or, where it is None, as sampling allows, (G, T)."""
        if tol is not None:
            return (self.error <= tol * self.scale()).all(0)
        sampling = torch.stack([norm(one) for one in self.standard_errors(counts)])
        return (self.error <= SAMPLING * MEAN_SIZE * sampling).all(0)


def _streams(sums: Tensor) -> Tensor:
    """Sums of groups and streams, shape (G · K, ...), as (G, K, ...)."""
    return sums.reshape(-1, STREAMS, *sums.shape[1:])


def _slopes(pairs: Pairs) -> list[Tensor]:
    """How attributions err with the gap, E[ΔA · Δgap] / E[Δgap²], of all streams together, (G, 1, T, ...).

    A gap has the mean zero over places. So its mean over a group, times this, is error and nothing else,
    whatever the slope: a control variate. Differences of two estimates of the same sample hold nothing of
    what samples differ by.
    """
    squares = _streams(pairs.squares).sum(1, keepdim=True).clamp(min=TINY)
    whole = (_streams(crossed).sum(1, keepdim=True) for crossed in pairs.crossed)
    return [crossed / along(squares, crossed) for crossed in whole]


def _joined(errors: Tensor, share: Tensor) -> Tensor:
    """Error of the means of groups by those of their streams, (domains, G, K, T) to (domains, G, T)."""
    return (errors * share.unsqueeze(2)).square().sum(2).sqrt()

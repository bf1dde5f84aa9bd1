"""Means of groups from two independent estimates, and how much they err."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...path.nodes import TINY
from .collecting import REPLICATES, STREAMS, Pass, Small
from .sums import Pairs, along, norm

MARGIN, FEW = 1.5, 3.2
"""Of the error of a mean, and what is added to it over the samples of a stream: what two estimates of it
differ by is itself a matter of chance, and the more so the fewer samples make it up.
`benchmarks/averages.py` shows how often the true error is larger."""

SAMPLING = 0.25
"""Share of the sampling error below which that of integration is of no account."""

CANCELS = 0.1
"""Norm of a mean, relative to the mean of the norms, below which attributions cancel: then the error is
measured against a tenth of the latter."""

LUCK = 3.0
"""Standard errors of a mean gap within which it is a matter of chance. A jump, which no gradient sees, makes
the same gap whatever the places."""

ENOUGH = 8.0
"""Pairs of estimates, as good as so many, that a control variate needs. Where hardly any node meets a steep
place one pair makes the slope: it fits itself, and says nothing of the other samples."""

MEAN_SIZE = math.sqrt(2 / math.pi)
"""E|N(0, 1)|: what an L1 norm makes of a standard error."""


@dataclass(frozen=True, eq=False)
class Means:
    """What is known of G groups in K streams each, whose places are independent; T targets.

    Lists are by domain, then by replicate. Errors of streams are independent, so that squares add: with one
    stream alone the difference of two replicates could be small by luck.

    Parameters
    ----------
    values : list of list of torch.Tensor
        Means of the attributions, float64, shape (G, K, T, ...).
    gaps : list of torch.Tensor
        Mean gaps by replicate, shape (G, K, T).
    gap_error : torch.Tensor
        Standard error of the mean gap, shape (G, T).
    number : torch.Tensor
        Estimates in each group, shape (G, 1).
    share : torch.Tensor
        Of a stream in its group, shape (G, K).
    sizes : torch.Tensor
        Mean L1 norm of what the newest nodes found of a sample, shape (domains, G, T).
    squares : list of torch.Tensor
        By domain alone, means over samples of the squared attributions, free of the error of integration,
        shape (G, T, ...).
    weight : torch.Tensor
        Sum of the weights of these, shape (G,).
    slopes : list of torch.Tensor
        By domain alone, how attributions err with the gap, shape (G, 1, T, ...).
    effective : torch.Tensor
        How many pairs of estimates of equal weight the slopes are as good as those of, shape (G, T).
    """

    values: list[list[Tensor]]
    gaps: list[Tensor]
    gap_error: Tensor
    number: Tensor
    share: Tensor
    sizes: Tensor
    squares: list[Tensor]
    weight: Tensor
    slopes: list[Tensor]
    effective: Tensor

    @classmethod
    def of(cls, found: Pass) -> Means:
        """What the new nodes of a pass say alone."""
        rounds, scatter = found.rounds, found.scatter
        number = _streams(rounds[0].count).sum(1, keepdim=True).clamp(min=1).double()
        squared = sum(_streams(each.squares).sum(1) for each in rounds)
        return cls(
            [[_streams(each.means(k)) for each in rounds] for k in range(len(scatter.products))],
            [_streams(each.gaps / each.number) for each in rounds],
            torch.as_tensor(squared).sqrt() / (REPLICATES * number),
            number,
            _streams(rounds[0].count) / number,
            scatter.sizes / scatter.number,
            scatter.squares(),
            torch.full((len(number),), float(found.n_new**2)),
            _slopes(found.pairs),
            found.pairs.effective,
        )

    def with_more(self, found: Pass) -> Means:
        """With the new nodes of another pass, as many as there were, of the groups that it looked at."""
        new, wanted = Means.of(found), torch.as_tensor(found.wanted & ~found.small)
        # The newest nodes are as many as all before, and what is found by more is better known.
        step = new.weight / (self.weight + new.weight)

        def half(old: Tensor, fresh: Tensor) -> Tensor:
            return _chosen(wanted, (old + fresh) / 2, old)

        def newest(old: Tensor, fresh: Tensor, axis: int = 0) -> Tensor:
            return _chosen(wanted, fresh, old, axis)

        return Means(
            [
                [half(*each) for each in zip(*both, strict=True)]
                for both in zip(self.values, new.values, strict=True)
            ],
            [half(*each) for each in zip(self.gaps, new.gaps, strict=True)],
            newest(self.gap_error, new.gap_error),
            self.number,
            self.share,
            newest(self.sizes, new.sizes, 1),
            [
                _chosen(wanted, old + along(step, old) * (fresh - old), old)
                for old, fresh in zip(self.squares, new.squares, strict=True)
            ],
            _chosen(wanted, self.weight + new.weight, self.weight),
            [newest(*each) for each in zip(self.slopes, new.slopes, strict=True)],
            newest(self.effective, new.effective),
        )

    def known(self) -> Known:
        """Means of the groups, and how much they err.

        Two independent estimates differ by twice what their mean errs by. Gaps are taken off where that makes
        them differ less, and where they are a matter of chance: what is left of a jump is no error of places,
        and taking it off would put the jump where gradients happen to be large.
        """
        without_gaps = self._without_gaps()
        apart, closer = (
            torch.stack([norm(one - other, 3) for one, other in values])
            for values in (self.values, without_gaps)
        )
        plain, corrected = (_joined(each, self.share) for each in (apart, closer))
        gap = (sum(self.gaps) / 2 * self.share.unsqueeze(2)).sum(1)
        sizes = torch.stack([norm(slope.squeeze(1)) for slope in self.slopes])
        # Slopes err by about themselves, over the root of the pairs that make them.
        corrected = torch.hypot(corrected, 2 * sizes * gap.abs() / self.effective.clamp(min=1).sqrt())
        helps = (corrected < plain) & is_chance(gap, self.gap_error) & (self.effective >= ENOUGH)
        best = [
            torch.where(along(h.unsqueeze(1), a), c + d, a + b) / 2
            for h, (a, b), (c, d) in zip(helps, self.values, without_gaps, strict=True)
        ]
        values = [(each * along(self.share.unsqueeze(2), each)).sum(1) for each in best]
        margin = MARGIN + FEW * STREAMS / self.number
        # A sum that is off by a gap errs by no less: by that which it has, and by that which it might have.
        least = torch.maximum(gap.abs(), MEAN_SIZE * self.gap_error) * sizes.clamp(min=1)
        error = torch.where(helps, margin * corrected / 2, torch.maximum(margin * plain / 2, least))
        return Known(values, error, self.sizes, self.squares, gap, self.gap_error)

    def _without_gaps(self) -> list[list[Tensor]]:
        return [
            [value - along(gap, value) * slope for value, gap in zip(both, self.gaps, strict=True)]
            for both, slope in zip(self.values, self.slopes, strict=True)
        ]


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
            alone.scatter.sizes / alone.scatter.number,
            alone.scatter.squares(),
            gap,
            # What each of them was content with is no matter of chance, and good enough.
            torch.where(alone.failed > 0, 0.0, gap.abs()),
        )

    def or_else(self, other: Known, chosen: Tensor) -> Known:
        """Those of another for the groups chosen, bool, shape (G,)."""
        return Known(
            [_chosen(chosen, b, a) for a, b in zip(self.values, other.values, strict=True)],
            _chosen(chosen, other.error, self.error, 1),
            _chosen(chosen, other.sizes, self.sizes, 1),
            [_chosen(chosen, b, a) for a, b in zip(self.squares, other.squares, strict=True)],
            _chosen(chosen, other.gap, self.gap),
            _chosen(chosen, other.gap_error, self.gap_error),
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


def is_chance(gap: Tensor, error: Tensor) -> Tensor:
    """Whether a mean gap is as small as chance makes it, by its standard error."""
    return gap.abs() <= LUCK * error


def _chosen(groups: Tensor, one: Tensor, other: Tensor, axis: int = 0) -> Tensor:
    """One for the groups chosen, bool, shape (G,), along this axis, and the other for the rest."""
    shape = [1] * one.ndim
    shape[axis] = -1
    return torch.where(groups.reshape(shape), one, other)


def _streams(sums: Tensor) -> Tensor:
    """Sums of groups and streams, shape (G · K, ...), as (G, K, ...)."""
    return sums.reshape(-1, STREAMS, *sums.shape[1:])


def _slopes(pairs: Pairs) -> list[Tensor]:
    """How attributions err with the gap, E[ΔA · Δgap] / E[Δgap²], of all streams together, (G, 1, T, ...).

    A gap has the mean zero over places. So its mean over a group, times this, is error and nothing else,
    whatever the slope: a control variate. Differences of two estimates of the same sample hold nothing of
    what samples differ by.
    """
    squares = pairs.squares.clamp(min=TINY)
    return [(crossed / along(squares, crossed)).unsqueeze(1) for crossed in pairs.crossed]


def _joined(errors: Tensor, share: Tensor) -> Tensor:
    """Error of the means of groups by those of their streams, (domains, G, K, T) to (domains, G, T)."""
    return (errors * share.unsqueeze(2)).square().sum(2).sqrt()

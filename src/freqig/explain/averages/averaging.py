"""Rounds of passes over all samples, until the mean of every group is known well enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...completeness import gap_limit
from ...path.nodes import TINY
from ...result.attributions import Attributions
from ..methods import AdaptiveNodes, Method
from .collecting import REPLICATES, Collecting, Pass
from .means import Known, Means, is_chance
from .sums import norm

SMALL = 32
"""Samples below which a group has too few for errors to average: each is integrated by itself."""

MANY, STEADY = 64, 0.1
"""Gradients per sample from which on a group is given up where gaps are as large as with half and a quarter
of them, but for this share. For want of nodes gaps fall, or rise where the first node meets a steep place;
those of jumps stay as they are."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples, to be explained by a method, the group of each, int64, shape (N,), and their baselines.

    `explain` is told whether the model was checked on them before.
    """

    explain: Callable[[Method, bool], Attributions]
    groups: NDArray[np.int64]
    n_baselines: int


@dataclass(eq=False)
class Averages:
    """Means of G groups; lists are by domain, T targets.

    Parameters
    ----------
    values, standard_errors : list of torch.Tensor
        Means of attributions, and their standard errors over samples, shape (G, T, ...).
    errors : torch.Tensor
        Estimated L1 errors by integration, relative, shape (domains, G, T).
    output, baseline_output, gap, correction : torch.Tensor
        Means over samples, with Σ values = output - baseline_output + gap + correction, shape (G, T).
    converged, cancels : torch.Tensor
        Whether integration errs by no more than was asked for, and whether attributions of samples cancel,
        bool, shape (G, T).
    evaluations, small : numpy.ndarray
        Gradients per sample, and whether each sample was integrated by itself, shape (G,).
    first : Attributions
        What is known of the first batch: domains, targets, and how outputs were read.
    """

    values: list[Tensor]
    standard_errors: list[Tensor]
    errors: Tensor
    output: Tensor
    baseline_output: Tensor
    gap: Tensor
    correction: Tensor
    converged: Tensor
    cancels: Tensor
    evaluations: NDArray[np.float64]
    small: NDArray[np.bool_]
    first: Attributions


def average(
    batches: Callable[[], Iterable[Batch]],
    counts: NDArray[np.int64],
    adaptive: AdaptiveNodes,
    *,
    sampling: bool,
    seed: int,
    dtype: torch.dtype,
) -> Averages:
    """Average over groups by two replicates of 1, 2, 4, … nodes per sample each.

    Parameters
    ----------
    batches : callable
        Gives all samples anew, in the same order.
    counts : numpy.ndarray
        Samples of each group, int64, shape (G,).
    adaptive : AdaptiveNodes
        Integrates samples of small groups; its `tol` is that of the means, and no sample of others gets
        more nodes than its `max_evaluations`.
    sampling : bool
        Whether a quarter of the sampling error takes the place of `tol`.
    seed : int
        Of the random turns of places.
    dtype : torch.dtype
        Dtype of the model, whose rounding gaps are allowed.
    """
    small, nodes = counts < SMALL, 1
    begin = Pass(len(counts), nodes, seed, np.ones(len(counts), dtype=bool), small)
    ends = _Ends(len(counts))
    first = _walk(batches, begin, adaptive, ends)
    evaluations = begin.evaluations
    alone = Known.of_alone(begin.alone) if small.any() else None
    means, gaps = None if small.all() else Means.of(begin), list[Tensor]()
    while True:
        known = _together(means, alone, small)
        good = known.good_enough(None if sampling else adaptive.tol, torch.as_tensor(counts))
        done = good & _is_complete(known, ends, adaptive.tol, dtype)
        wanted = ~done.all(1).numpy() & ~small
        gaps.append(known.gap_error)
        if REPLICATES * nodes >= MANY:
            wanted &= (done | _move(gaps)).all(1).numpy()
        nodes *= 2
        if means is None or not wanted.any() or REPLICATES * nodes > adaptive.max_evaluations:
            break
        more = Pass(len(counts), nodes, seed, wanted, small)
        _walk(batches, more, adaptive, None)
        means = means.with_more(more)
        evaluations = evaluations + more.evaluations
    output, baseline_output = ends.means()
    correction = known.values[0].flatten(2).nansum(2) - (output - baseline_output) - known.gap
    return Averages(
        known.values,
        known.standard_errors(torch.as_tensor(counts)),
        known.error / (known.scale() + TINY),
        output,
        baseline_output,
        known.gap,
        correction,
        done,
        known.cancels(),
        evaluations / np.maximum(counts, 1),
        small,
        first,
    )


def _walk(
    batches: Callable[[], Iterable[Batch]], into: Pass, adaptive: AdaptiveNodes, ends: _Ends | None
) -> Attributions:
    """Go through all samples once; of the first pass the outputs at both ends are added up too."""
    first, seen = None, np.zeros(into.n_groups, dtype=np.int64)
    for batch in batches():
        if not len(batch.groups):
            continue
        numbers = np.empty(len(batch.groups), dtype=np.int64)
        for group in np.unique(batch.groups):
            own = batch.groups == group
            numbers[own] = seen[group] + np.arange(own.sum())
            seen[group] += own.sum()
        method = Collecting(adaptive.tol, into, batch.groups, numbers, adaptive, batch.n_baselines)
        found = batch.explain(method, ends is None)
        first = first or found
        if ends is not None:
            ends.add(torch.as_tensor(batch.groups), found)
    if first is None:
        raise ValueError("x must hold at least one sample, got none")
    return first


@dataclass(eq=False)
class _Ends:
    """Sums of outputs at both ends of the paths, of G groups."""

    n_groups: int

    def __post_init__(self) -> None:
        self.count = torch.zeros(self.n_groups, 1, dtype=torch.float64)
        self.sums = torch.zeros(2, self.n_groups, 1, dtype=torch.float64)

    def add(self, groups: Tensor, found: Attributions) -> None:
        if self.count.sum() == 0:
            self.sums = torch.zeros(2, self.n_groups, found.output.shape[1], dtype=torch.float64)
        both = torch.stack([found.output, found.baseline_output]).double()
        self.sums.index_add_(1, groups, both)
        self.count.index_add_(0, groups, torch.ones(len(groups), 1, dtype=torch.float64))

    def means(self) -> tuple[Tensor, Tensor]:
        output, baseline_output = self.sums / self.count.clamp(min=1)
        return output, baseline_output


def _together(means: Means | None, alone: Known | None, small: NDArray[np.bool_]) -> Known:
    """Those of large groups, and of small ones; there is a group of one kind at least."""
    if means is None or alone is None:
        return cast(Known, alone if means is None else means.known())
    return means.known().or_else(alone, torch.as_tensor(small))


def _move(gaps: Sequence[Tensor]) -> Tensor:
    """Whether the newest of gaps, (G, T), is not as large as the two before, bool, shape (G, T)."""
    *_, first, second, newest = gaps
    return ((newest - first).abs() > STEADY * first) | ((newest - second).abs() > STEADY * second)


def _is_complete(means: Known, ends: _Ends, tol: float, dtype: torch.dtype) -> Tensor:
    """Whether the mean gap, before its use as a control variate, is small or a matter of chance, (G, T)."""
    limit = gap_limit(norm(means.values[0]), *ends.means(), tol, dtype)
    return (means.gap.abs() <= limit) | is_chance(means.gap, means.gap_error)

"""Rough paths: the gradients at all nodes are kept, and intervals divided where they make the error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .division import between, divide, next_count
from .measuring import Measured, as_array
from .node_trace import SIZES, VALUES, unit
from .path import Array
from .roughness import measure
from .sample import Sample, Settings
from .streaming import Group, Sums
from .verdict import CLOSING, RULE, Verdict, reach_verdict

if TYPE_CHECKING:
    from .cohort import Cohort

NARROWEST = 1e-6
"""Width of an interval below which this is no matter of kinks: panels tell a jump from a pole."""

LOOK = 0.1
"""Where in the stretches to both ends of the path the gradient is looked at. Of these only one side
is known: a kink there is seen by F alone, and two that bend F to and fro not even by F. Where kinks
are few and large, and not many and small, somebody has to look."""

ORDER, FIRST, HOPE = 1.5, 8, 10.0
"""Of the error of a walk; beyond the first nodes, it is asked whether this many times the evaluations
that are left would do. Where they would not, the path must be smooth between its steps to be
integrated at all, and panels are for that."""

STALLED = 2.5
"""Times as many nodes without a smaller error: what is left is rounding."""

STEP = 0.75
"""Power of the excess by which nodes are added: fewer than needed, as the next look is cheap."""


class Kept:
    """A samples with the same number of nodes, each with its own.

    Parameters
    ----------
    samples : sequence of Sample
        Whose they are.
    settings : Settings
        What is asked.
    nodes : numpy.ndarray
        Places, ascending, shape (A, n).
    trace : numpy.ndarray
        What `node_trace` lists, at the nodes and both ends of the path, shape (4, A, n + 2, T); all but F is
        NaN at the ends.
    gradients : torch.Tensor
        At the nodes, shape (A, n, T, D).
    origins : sequence of (Cohort, int)
        Where the samples came from, and where they go if their path is not one of kinks.
    probed : numpy.ndarray
        Which of their nodes no rule uses, by its place, shape (A,).
    astray : numpy.ndarray
        Whether the gradient there is not what the other nodes lead to expect, bool, shape (A,): then all
        intervals are looked into once, before any is taken for solved.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        settings: Settings,
        nodes: Array,
        trace: Array,
        gradients: Tensor,
        origins: Sequence[tuple[Cohort, int]],
        probed: Array,
        astray: NDArray[np.bool_],
    ) -> None:
        self.samples, self.settings, self.origins = list(samples), settings, list(origins)
        self.nodes, self.trace, self.gradients, self.probed = nodes, trace, gradients, probed
        self.astray = astray
        self.added = np.empty((len(nodes), 0))
        self.looked = np.zeros(len(nodes), dtype=bool)
        # The least error as yet, and at how many nodes.
        self.best = np.full((2, len(nodes)), np.inf)
        self.fresh = np.empty((len(trace), len(nodes), 0, trace.shape[-1]))
        self.fresh_gradients = gradients[:, :0]

    @property
    def index(self) -> list[int]:
        """Which samples these are."""
        return [sample.index for sample in self.samples]

    @property
    def n_nodes(self) -> int:
        """Of each sample, once those that are wanted are in."""
        n_nodes: int = self.nodes.shape[1] + self.added.shape[1]
        return n_nodes

    @classmethod
    def joined(cls, parts: Sequence[Kept]) -> Kept:
        """Samples with the same number of nodes, together."""
        if len(parts) == 1:
            return parts[0]
        whole = cls(
            [sample for part in parts for sample in part.samples],
            parts[0].settings,
            np.concatenate([part.nodes for part in parts]),
            np.concatenate([part.trace for part in parts], 1),
            torch.cat([part.gradients for part in parts]),
            [origin for part in parts for origin in part.origins],
            np.concatenate([part.probed for part in parts]),
            np.concatenate([part.astray for part in parts]),
        )
        whole.added = np.concatenate([part.added for part in parts])
        whole.looked = np.concatenate([part.looked for part in parts])
        whole.best = np.concatenate([part.best for part in parts], 1)
        return whole

    def part(self, chosen: NDArray[np.bool_]) -> Kept:
        """Some of the samples."""
        if chosen.all():
            return self
        rows = np.flatnonzero(chosen)
        part = Kept(
            [self.samples[a] for a in rows],
            self.settings,
            self.nodes[rows],
            self.trace[:, rows],
            self.gradients[torch.as_tensor(rows, device=self.gradients.device)],
            [self.origins[a] for a in rows],
            self.probed[rows],
            self.astray[rows],
        )
        part.added, part.looked, part.best = self.added[rows], self.looked[rows], self.best[:, rows]
        return part

    def propose(self) -> Group:
        """The nodes to add, each sample's own."""
        n_samples, m = self.added.shape
        self.fresh = np.empty((len(self.trace), n_samples, m, self.trace.shape[-1]))
        self.fresh_gradients = self.gradients.new_empty(n_samples, m, *self.gradients.shape[2:])
        for sample in self.samples:
            sample.used += m
        return Group(self.index, self.added, np.zeros((0, m)), store=self.fresh_gradients)

    def absorb(self, part: slice, result: Sums) -> None:
        """Take what came of some of these samples."""
        self.fresh[:, part] = result.trace()

    def grow(self) -> Kept:
        """All nodes are in: put them where they belong; samples that failed leave."""
        nodes = np.concatenate([self.nodes, self.added], 1)
        order = np.argsort(nodes, axis=1)
        self.nodes = np.take_along_axis(nodes, order, 1)
        inner = np.concatenate([self.trace[:, :, 1:-1], self.fresh], 2)
        self.trace = np.concatenate(
            [
                self.trace[:, :, :1],
                np.take_along_axis(inner, order[None, :, :, None], 2),
                self.trace[:, :, -1:],
            ],
            2,
        )
        n, places = self.gradients.shape[1], np.argsort(order, axis=1)
        where = torch.as_tensor(places, device=self.gradients.device)
        rows = torch.arange(len(order), device=where.device).unsqueeze(1)
        gradients = self.gradients.new_empty(*order.shape, *self.gradients.shape[2:])
        gradients[rows, where[:, :n]] = self.gradients
        gradients[rows, where[:, n:]] = self.fresh_gradients
        self.gradients, self.fresh_gradients = gradients, gradients[:, :0]
        self.added = self.added[:, :0]
        return self.part(np.array([sample.status is None for sample in self.samples], dtype=bool))

    def judge(
        self, measured: Measured, weights: Array, delta: Tensor, sums: Tensor
    ) -> tuple[list[Kept], list[Cohort]]:
        """Take in new estimates: some samples end, some go on.

        Parameters
        ----------
        measured : Measured
            What was measured of the combinations.
        weights : numpy.ndarray
            What `verdict.combinations` returned.
        delta : torch.Tensor
            Input minus baseline of these samples, shape (A, D).
        sums : torch.Tensor
            Running sums of all samples, shape (S, R, T, D): those that end leave their estimate there.

        Returns
        -------
        parts : list of Kept
            Those that get more nodes.
        refused : list of Cohort
            Those whose gradients cannot be kept, or whose path is no matter of kinks.
        """
        settings, n = self.settings, self.nodes.shape[1]
        size = unit(self.trace[SIZES])
        rough = measure(self.gradients, delta, self.nodes, size)
        verdict = reach_verdict(self.nodes, self.trace, rough, measured, settings, size)
        look = verdict.few & ~self.looked
        astray = self.astray
        look &= ~astray
        misled = np.array([sample.misled for sample in self.samples], dtype=bool)
        done = verdict.done.all(1) & ~(look | astray)
        excess = np.maximum(verdict.excess.max(1), 1.05)
        left = settings.max_evaluations - np.array([sample.used for sample in self.samples])
        counts = np.array([next_count(n, e) for e in (excess**STEP).tolist()])
        counts = np.where(astray, 2 * n - 1, counts)
        goes_on = ~done & (counts <= settings.kept_nodes) & ~(astray & (left < n - 1))
        counts = np.minimum(counts, n + np.maximum(left, 0))
        goes_on &= ~misled & (counts > n + look) & ~self._in_vain(excess, n + left)
        parts: list[Kept] = []
        ways = zip(counts[goes_on].tolist(), look[goes_on].tolist(), astray[goes_on].tolist(), strict=True)
        for count, looks, strays in sorted(set(ways)):
            chosen = goes_on & (counts == count) & (look == looks) & (astray == strays)
            part = self.part(chosen)
            fine = part._add(verdict.strength[chosen], count - n, looks)
            goes_on[np.flatnonzero(chosen)[~fine]] = False
            if fine.any():
                parts.append(part.part(fine))
        refused: list[Cohort] = []
        for a in np.flatnonzero(~goes_on):
            cohort, row = self.origins[a]
            back = None if done[a] or misled[a] or counts[a] <= n + look[a] else cohort.resumed(row)
            if back is not None:
                refused.append(back)
                goes_on[a] = True
        self._end(np.flatnonzero(~goes_on), verdict, weights, look, delta, sums)
        return parts, refused

    def _in_vain(self, excess: Array, most: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the error of a walk would be too large with `most` nodes, or nodes have not helped."""
        n = self.nodes.shape[1]
        # An estimate that one more place contradicts is none to come back to.
        self.best[0, self.astray] = np.inf
        excess = np.where(self.astray, np.inf, excess)
        better = excess < self.best[0]
        self.best = np.where(better, np.stack([excess, np.full_like(excess, n)]), self.best)
        far = (n > FIRST) & (n * excess ** (1 / ORDER) > HOPE * most)
        vain: NDArray[np.bool_] = far | (n > STALLED * self.best[1])
        return vain & ~self.astray

    def _end(
        self,
        rows: NDArray[np.intp],
        verdict: Verdict,
        weights: Array,
        look: NDArray[np.bool_],
        delta: Tensor,
        sums: Tensor,
    ) -> None:
        """Leave estimates in the running sums; samples that have yet to look are not converged."""
        if not len(rows):
            return
        tol = self.settings.tol
        closing = verdict.steps[rows][:, :, None] * weights[rows, :, CLOSING]
        parts = torch.as_tensor(np.stack([weights[rows, :, RULE], closing])).to(sums)
        own = torch.as_tensor(rows, device=sums.device)
        rule, step = torch.einsum("katn,antd->katd", parts, self.gradients[own].to(sums))
        corrections = as_array((step * delta[own].to(sums)[:, None]).sum(-1))
        index = torch.tensor([self.samples[a].index for a in rows], device=sums.device)
        sums[index] = 0
        sums[index, 0] = rule + step
        for a, correction in zip(rows, corrections, strict=True):
            sample = self.samples[a]
            sample.correction = correction
            done = verdict.done[a] & ~(look[a] | self.astray[a])
            sample.error, sample.converged = verdict.relative[a], done & (verdict.relative[a] <= tol)
            sample.coefficients = np.eye(1, sums.shape[1]).T.repeat(sums.shape[2], 1)
            sample.finish(done, self.trace[VALUES, a])

    def _add(self, strength: Array, m: int, look: bool) -> NDArray[np.bool_]:
        """Choose `m` more nodes; False where they are too close for gradients to differ by kinks."""
        self.looked = self.looked | look
        if self.astray.all():
            self.added = between(self.nodes, self.probed)
            self.astray = np.zeros_like(self.astray)
        elif look:
            ends = np.stack([LOOK * self.nodes[:, 0], 1 - LOOK * (1 - self.nodes[:, -1])], 1)
            inner = strength.copy()
            inner[:, [0, -1]] = 0
            self.added = np.concatenate([ends, divide(self.nodes, inner, m - 2)], 1)
        else:
            self.added = divide(self.nodes, strength, m)
        closest = np.diff(np.sort(np.concatenate([self.nodes, self.added], 1))).min(1)
        fine: NDArray[np.bool_] = closest >= max(NARROWEST, self.settings.narrowest)
        return fine


def together(parts: Sequence[Kept]) -> list[Kept]:
    """Join those who have, or will have, the same number of nodes."""
    by_count: dict[tuple[int, int], list[Kept]] = {}
    for part in parts:
        by_count.setdefault((part.nodes.shape[1], part.added.shape[1]), []).append(part)
    return [Kept.joined(same) for same in by_count.values()]


def admitted(parts: Sequence[Kept], most: int) -> tuple[list[Kept], list[Kept]]:
    """Those whose gradients may be kept together, `most` at a time, and those who wait.

    Those with most nodes go first: they are done first, and make room.
    """
    now, later, used = list[Kept](), list[Kept](), 0
    for part in sorted(parts, key=lambda part: -part.n_nodes):
        fits = max(0, (most - used) // part.n_nodes)
        first = np.arange(len(part.samples)) < fits
        if first.any():
            now.append(part.part(first))
            used += int(first.sum()) * part.n_nodes
        if not first.all():
            later.append(part.part(~first))
    return now, later

"""First phase: samples whose paths have had the same nested rules, judged together.

Judging one sample at a time would cost more than a small network does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..quadrature import fejer2
from .estimates import FEW, completion, error_from_gap, expected_error, trusted_order
from .kept import Kept
from .measuring import Gauge, Measured
from .nested import increment, next_sizes
from .node_trace import MIXES, SIZES, SLOPES, TINY, VALUES, NodeTrace, amplification, mean_size, unit
from .path import Array
from .probe import Probe, interpolation
from .sample import Sample, Settings
from .streaming import Group, Sums

GROWTH = 0.02
"""Of the L1 norm a doubling, below which it is no divergence. With gradients like 1/α the norm grows
by a constant, which is 1/20 of it at 1,000 nodes; what converges grows by half as much each time."""

REFINED = 16
"""Size of rule from which on a path may be cut into panels."""

KEPT = 16
"""Size of rule up to which the gradients at its nodes are kept."""

SMOOTH = 2.3
"""Order of convergence that must be believed for the next rule to be better than divided intervals."""

SURE = 0.05
"""Error, in tolerances, that rules cannot agree to by luck: of rough paths whose rules agree less, the
gradients at the nodes say more."""

FAR = 300.0
"""Error, in tolerances, from which on this is not decided by the first rule."""


LOOSE = 1.0
"""Tolerances by which the gradient at the unused place may miss what a rule makes of it there: between
nodes a polynomial is far worse than its integral."""


class Cohort:
    """A samples with the same history of rules.

    Parameters
    ----------
    samples : sequence of Sample
        Their outputs at both ends are finite.
    settings : Settings
        What is asked.
    probe : Probe or None
        Their unused places; None where the budget has no room for them.
    """

    def __init__(self, samples: Sequence[Sample], settings: Settings, probe: Probe | None) -> None:
        self.samples, self.settings, self.probe = list(samples), settings, probe
        self.size, self.target = 1, settings.first
        self.compared = [size for size in settings.sizes if size < settings.first]
        ends = np.stack([[s.baseline_output, s.output] for s in samples])
        unknown = np.full_like(ends, np.nan)
        self.trace = np.stack([ends, unknown, unknown, unknown])
        self.fresh = np.empty((4, len(samples), 0, ends.shape[-1]))
        self.differences: list[Array] = []
        self.totals: list[Array] = []
        self.lengths: list[Array] = []
        # Gradients at all nodes so far, shape (A, n, T, D), as long as they may be wanted.
        self.gradients: Tensor | None = None
        self.fresh_gradients: Tensor | None = None
        self.trusted = np.ones_like(ends[:, 0])

    @property
    def index(self) -> list[int]:
        """Which samples these are."""
        return [sample.index for sample in self.samples]

    def propose(self, room: Callable[[int, int], Tensor]) -> Group:
        """The nodes of the next size.

        Parameters
        ----------
        room : callable
            Makes room for the gradients of so many samples at so many nodes, shape (A, n, T, D).
        """
        nodes, weights = increment(self.settings.sizes, self.size, self.target)
        self.fresh = np.empty((4, len(self.samples), len(nodes), self.trace.shape[-1]))
        for sample in self.samples:
            sample.used += len(nodes)
        known = self.size == 1 or self.gradients is not None
        self.fresh_gradients = None
        if known and self.target <= KEPT and self.target - 1 <= self.settings.kept_nodes:
            self.fresh_gradients = room(len(self.samples), len(nodes))
        return Group(self.index, nodes, weights, store=self.fresh_gradients)

    def absorb(self, part: slice, result: Sums, sums: Tensor) -> None:
        """Take what came of some of these samples into the running sums of all, shape (S, R, T, D)."""
        rows = torch.as_tensor(self.index[part], device=sums.device)
        sums[:, : len(self.settings.sizes)].index_add_(0, rows, result.sums)
        self.fresh[:, part] = result.trace()

    def grow(self) -> None:
        """All groups are in: these samples have had the rule, and those that failed leave."""
        k = np.arange(self.target + 1)
        new = k * self.size % self.target != 0
        trace = np.empty((4, len(self.samples), self.target + 1, self.trace.shape[-1]))
        trace[:, :, ~new] = self.trace
        trace[:, :, new] = self.fresh
        self.trace = trace
        self._keep_gradients(new[1:-1])
        self.size = self.target
        if self.size not in self.compared:
            self.compared.append(self.size)
        failed = np.array([sample.status is not None for sample in self.samples])
        if failed.any():
            self._keep(~failed)

    def known(self) -> tuple[Array, Array]:
        """Nodes of the first rule, the unused places among them, and their trace."""
        nodes = np.tile(fejer2(self.size - 1).nodes, (len(self.samples), 1))
        return (nodes, self.trace) if self.probe is None else self.probe.merged(nodes, self.trace)

    def _keep_gradients(self, new: NDArray[np.bool_]) -> None:
        fresh, self.fresh_gradients = self.fresh_gradients, None
        if fresh is None or self.gradients is None:
            self.gradients = fresh
            return
        order = torch.as_tensor(np.argsort(np.argsort(new, kind="stable")), device=fresh.device)
        self.gradients = torch.cat([self.gradients, fresh], 1)[:, order]

    def _keep(self, chosen: NDArray[np.bool_]) -> None:
        if chosen.all():
            return
        self.samples = [sample for sample, c in zip(self.samples, chosen, strict=True) if c]
        self.trace, self.trusted = self.trace[:, chosen], self.trusted[chosen]
        self.probe = self.probe and self.probe.part(chosen)
        if self.gradients is not None:
            self.gradients = self.gradients[torch.as_tensor(chosen, device=self.gradients.device)]
        for history in (self.differences, self.totals, self.lengths):
            history[:] = [values[chosen] for values in history]

    def _part(self, chosen: NDArray[np.bool_], target: int) -> Cohort:
        """Those who go on to the same size."""
        part = copy(self)
        part.differences, part.totals, part.lengths = (
            list(history) for history in (self.differences, self.totals, self.lengths)
        )
        part.compared, part.target = list(self.compared), target
        part._keep(chosen)
        return part

    def resumed(self, row: int) -> Cohort | None:
        """One of the samples, for the next size without gradients kept; None where none is left."""
        target = 2 * self.size
        if target not in self.settings.sizes or self._left() < self.size:
            return None
        part = self._part(np.arange(len(self.samples)) == row, target)
        part.gradients = None
        return part

    def _left(self) -> int:
        """Evaluations that each of the samples may still have."""
        return self.settings.max_evaluations - max(sample.used for sample in self.samples)

    def combinations(self, n_rows: int) -> Array:
        """Estimate, its difference to the one before, and the difference before that.

        Returns
        -------
        numpy.ndarray
            Coefficients of the running sums, shape (K, R), K at most 3.
        """
        estimates = self._estimates(n_rows)[-3:][::-1]
        return np.concatenate([estimates[:1], estimates[:-1] - estimates[1:]])

    def _estimates(self, n_rows: int) -> Array:
        estimates = np.zeros((len(self.compared), n_rows))
        estimates[range(len(estimates)), [self.settings.sizes.index(size) for size in self.compared]] = 1
        return estimates

    def judge(self, measured: Measured, n_rows: int, gauge: Gauge) -> tuple[list[Cohort], Kept | None]:
        """Take in new estimates: some samples end, some are refined, some go on.

        Parameters
        ----------
        measured : Measured
            What was measured of the combinations; all differences the first time, the last after that.
        n_rows : int
            Number of running sums.
        gauge : Gauge
            Measures what the nodes missed at the unused places.

        Returns
        -------
        cohorts : list of Cohort
            Those who go on. Samples that are to be refined know their panels.
        kept : Kept or None
            Those whose intervals are to be divided.
        """
        settings, norms, watched = self.settings, measured.norms, self.settings.watched
        # Latest last.
        self.differences += [norms[:, k] for k in range(norms.shape[1] - 1, 0, -1)]
        self.totals += [measured.totals[:, k] for k in range(norms.shape[1] - 1, 0, -1)]
        self.lengths.append(norms[:, 0])
        # From here on in units of the size of F: nothing depends on its scale.
        size = unit(self.trace[SIZES])
        trace, measured, norms = (
            self.trace / size[:, None],
            measured.in_units(size),
            norms / size[:, None, None],
        )
        # Rounding in each gradient is relative to its own size, not to that of the mean.
        # Nor can attributions be better than the rounding of F, to whose difference they add up.
        noise = settings.noise(mean_size(self.trace[SIZES]), self.trace[VALUES, :, [0, -1]]) / size
        rounding = settings.rounding(self.trace[VALUES], 1) / size
        differences = np.array(self.differences).reshape(-1, *norms[:, 0].shape) / size[:, None]
        totals = np.array(self.totals).reshape(-1, *size.shape) / size
        gap = measured.totals[:, 0] - (trace[VALUES, :, -1] - trace[VALUES, :, 0])
        # What rounding can make of a gap is none.
        telling = np.maximum(np.abs(gap) - rounding, 0.0)
        error = self._error(telling, measured.alignment, trace, differences, totals)
        allowed = settings.allowed(norms[:, 0], noise) + TINY
        over = error / allowed
        closed = measured.allowed_gap + TINY
        gaps = np.abs(gap) / closed
        steps, cost = completion(gap, differences, totals)
        stepped = ((error + cost) / allowed)[:, watched].max(1)
        helps = (gaps > 1) & (stepped <= 1) & (np.abs(gap) <= measured.correctable)
        worst, gaps = np.where(helps, stepped, over[:, watched].max(1)), np.where(helps, 0.0, gaps)
        done = (worst <= 1) & (helps | settings.complete(np.abs(gap), closed, norms[:, 0, 0], noise))
        diverges = self._diverges()
        excess = worst.max(1)
        misled = np.array([sample.misled for sample in self.samples], dtype=bool)
        done[misled] = False
        sure = done.all(1) & (excess <= SURE)
        divisible = self._divisible(np.where(excess > 1, excess, 2.0)) & ~(diverges | sure | misled)
        off = np.zeros_like(over)
        if (ending := done.all(1) & ~(diverges | divisible)).any():
            off[ending] = self.missed(ending, gauge) / size[ending, None]
        caught = ending & ((off / allowed)[:, watched].max((1, 2)) > LOOSE)
        done[caught] = False
        error = np.where(caught[:, None, None], np.maximum(error, off), error)
        steps = np.where(helps, steps, 0.0)
        error += np.where(helps[:, None], cost, 0.0)
        relative = settings.relative(error, norms[:, 0], noise)
        converged = done & (relative <= settings.tol)
        self._tell(relative, converged, steps, (steps * totals).sum(0) * size, n_rows)
        goes_on = ~(done.all(1) | diverges)
        # A gap that fails alone falls by no law: twice the nodes, whatever its size.
        excess = np.where(excess > 1, excess, 2.0)
        # After the first judgement the rate is guesswork: a smooth path would pay for three times
        # what it needs.
        hint = excess if len(self.lengths) > 1 else np.ones_like(excess)
        targets = next_sizes(settings.sizes, self.size, self._left(), hint)
        kept = divisible | (caught & self._keeps())
        for a, sample in enumerate(self.samples):
            if kept[a] or misled[a]:
                goes_on[a] = False
                if misled[a]:
                    sample.finish(done[a], self.trace[VALUES, a])
            elif diverges[a]:
                sample.end("diverging", self._trace_of(a))
            elif not goes_on[a]:
                sample.finish(done[a], self.trace[VALUES, a])
            elif self.size >= REFINED and (targets[a] == 0 or max(excess[a], gaps[a].max()) > 2):
                sample.watch(
                    norms[a, 0] * size[a], over[a], noise[a] * size[a], measured.allowed_gap[a] * size[a]
                )
                goes_on[a] = not sample.cut(self._trace_of(a), self.size)
            if goes_on[a] and targets[a] == 0:
                sample.end("budget")
                goes_on[a] = False
        parts = [self._part(goes_on & (targets == t), int(t)) for t in np.unique(targets[goes_on])]
        return parts, self._kept(kept, caught, gauge)

    def _keeps(self) -> bool:
        """Whether there are gradients enough to divide the path."""
        return self.gradients is not None and self.probe is not None and self.size >= 4

    def missed(self, chosen: NDArray[np.bool_], gauge: Gauge) -> Array:
        """What the nodes of some samples do not tell of the gradients at their unused places.

        Parameters
        ----------
        chosen : numpy.ndarray
            Which, bool, shape (A,).
        gauge : Gauge
            Measures it.

        Returns
        -------
        numpy.ndarray
            L1 norms in every projection, shape (A', P, T); infinite where there are no unused places.
        """
        shape = (int(chosen.sum()), self.lengths[-1].shape[1], self.trace.shape[-1])
        if self.probe is None:
            return np.full(shape, np.inf)
        probe, trace = self.probe.part(chosen), self.trace[:, chosen]
        weights = interpolation(probe.places, self.size)
        if self.gradients is not None:
            rows = torch.as_tensor(np.flatnonzero(chosen), device=self.gradients.device)
            both = torch.cat([self.gradients[rows], probe.gradients], 1)
            each = np.pad(-weights, ((0, 0), (0, 1)), constant_values=1.0)
            each = np.broadcast_to(each[:, None, None], (len(each), shape[2], 1, each.shape[1]))
            return gauge.of_gradients([s.index for s in probe.samples], both, each.copy()).norms[:, 0]
        # Of larger rules a mixture is known, and from its size beside the norm that of all.
        off = probe.trace[MIXES] - np.einsum("an,ant->at", weights, trace[MIXES, :, 1:-1])
        off = np.abs(off) * amplification(trace[MIXES], trace[SIZES])
        everywhere: Array = np.broadcast_to(off[:, None], shape)
        return everywhere

    def _divisible(self, excess: Array) -> NDArray[np.bool_]:
        """Whose gradients are kept, and whose path is not so smooth that the next rule serves it better."""
        if not self._keeps():
            return np.zeros(len(self.samples), dtype=bool)
        rough: NDArray[np.bool_] = self.trusted.min(1) < SMOOTH
        # Far from its goal a path needs many nodes either way, and more of them tell better which.
        return rough & ((excess < FAR) | (2 * self.size > KEPT))

    def _kept(self, chosen: NDArray[np.bool_], caught: NDArray[np.bool_], gauge: Gauge) -> Kept | None:
        part = self._part(chosen, self.target)
        if part.gradients is None or part.probe is None or not part.samples:
            return None
        nodes = np.tile(fejer2(self.size - 1).nodes, (len(part.samples), 1))
        origins = [(part, row) for row in range(len(part.samples))]
        delta = gauge.delta.flatten(1)[torch.tensor(part.index, device=gauge.delta.device)]
        negligible = self.settings.tol * mean_size(part.trace[SIZES])
        astray = caught[chosen] | part.probe.astray(nodes, part.gradients, delta, negligible)
        gradients = part.probe.merged_gradients(nodes, part.gradients)
        nodes, trace = part.probe.merged(nodes, part.trace)
        part.gradients = None
        return Kept(part.samples, self.settings, nodes, trace, gradients, origins, part.probe.places, astray)

    def _error(self, gap: Array, alignment: Array, trace: Array, differences: Array, totals: Array) -> Array:
        """Estimated L1 error of the estimates, shape (A, P, T)."""
        if not len(differences):
            return np.full_like(self.lengths[-1], np.inf)
        last: Array = differences[-1]
        if len(differences) < 2:
            # Nothing is known of the rate.
            doubled: Array = 2 * last
            return doubled
        old, mid, new = self.compared[-3:]
        fine = trace[: SLOPES + 1]
        coarse = fine[:, :, :: new // mid]
        before = differences[-2]
        self.trusted = trusted_order(coarse, fine, mid, new)
        error = expected_error(last, before, (old, mid, new), self.trusted, alignment)
        pair = np.stack([last, before])
        lucky = np.maximum(error, error_from_gap(gap[:, None], pair, totals[-2:, :, None]))
        error = np.where(alignment[:, None] > FEW, lucky, error)
        # No gap is larger than the L1 error, if that was estimated well.
        hidden = np.maximum(gap[:, None] - error, 0.0)
        return error + hidden * amplification(trace[SLOPES], trace[SIZES])[:, None]

    def _diverges(self) -> NDArray[np.bool_]:
        """Whether the L1 norm grew by the same notable amount with each of the last three doublings."""
        if len(self.lengths) < 4 or self.size < 8 * self.compared[0]:
            return np.zeros(len(self.samples), dtype=bool)
        growth = np.diff([length[:, 0] for length in self.lengths[-4:]], axis=0)
        growth /= np.log2(np.array(self.compared[-3:]) / np.array(self.compared[-4:-1]))[:, None, None]
        notable = (growth > GROWTH * self.lengths[-1][:, 0]).all(0)
        found: NDArray[np.bool_] = np.any(notable & (growth[1:] > 0.8 * growth[:-1]).all(0), axis=1)
        return found

    def _tell(
        self, error: Array, converged: NDArray[np.bool_], steps: Array, correction: Array, n_rows: int
    ) -> None:
        """Let every sample know its estimate as it stands."""
        estimates = self._estimates(n_rows)
        differences = np.diff(estimates, axis=0)[len(estimates) - 1 - len(steps) :]
        final = estimates[-1][:, None] + np.einsum("mr,mat->art", differences, steps)
        for a, sample in enumerate(self.samples):
            sample.error, sample.converged, sample.coefficients = error[a], converged[a], final[a]
            sample.correction = correction[a]

    def _trace_of(self, a: int) -> NodeTrace:
        nodes = (1 - np.cos(np.pi * np.arange(self.size + 1) / self.size)) / 2
        return NodeTrace(nodes, *self.trace[: SIZES + 1, a])

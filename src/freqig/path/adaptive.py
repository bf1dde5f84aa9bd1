"""The adaptive path integrator: as few nodes as each path allows, and a statement where none suffice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..chunks import Chunks
from ..diagnosis import too_little_room
from ..objective.objective import widest
from ..objective.paths import Paths
from . import ends, slopes, smooth, unused
from .division import LOOK, divide, everywhere, next_count, with_ends
from .fixed import baseline_values
from .gradients import Lines
from .measuring import Gauge, Projection, as_array
from .nodes import SIZES, VALUES, Flags, Nodes
from .path import Array, Diagnosis, Jump, Path
from .rules import fejer2
from .tolerance import Tolerance
from .verdict import MARGINS, Margins, Verdict, judge
from .walk import trapezoid

ROWS_PER_SAMPLE = 4
"""Float64 values per feature and target that are held for a sample beside its gradients: its ends, δ and
ḡ."""


def integrate_adaptive(
    paths: Paths,
    *,
    projections: Sequence[Projection],
    tol: float,
    max_evaluations: int,
    n_initial: int,
    chunks: Chunks,
    margins: Margins = MARGINS,
) -> Path:
    """Average gradients along straight paths until attributions are within `tol` in every projection.

    Bayesian quadrature with a Brownian bridge: the gradients at all nodes are kept, and new nodes go into the
    intervals that make the error. As long as a path looks smooth, Fejér's rules of 7, 15 and 31 nodes are
    the estimate. Where F jumps, no division helps, and F alone is bisected until that is clear.

    Parameters
    ----------
    paths : Paths
        What is integrated: so many samples that `ROWS_PER_SAMPLE` numbers per feature and target of each fit
        into memory.
    projections : sequence of callables
        Domains in which the attributions are wanted, see `Projection`; without any it is δ · ḡ itself.
    tol : float
        Relative L1 error of the attributions, and tolerance of the completeness gap.
    max_evaluations : int
        The most evaluations of a sample, both ends not counted.
    n_initial : int
        Nodes of the first rule at least: 3, 7, 15, 31 … of them, and one that no rule uses. Where a call of
        the model costs what a few points do, more of them save rounds. What is narrower than their spacing
        and does not change F is seen by no rule.
    chunks : Chunks
        Points per call, and the memory that kept gradients may take.
    margins : Margins
        Fitted numbers of the error estimate.
    """

    def dtype() -> torch.dtype:
        # The coarser of both: under autocast outputs are rounded more than points.
        return max(paths.x.dtype, paths.objective.rounding_dtype, key=lambda dtype: torch.finfo(dtype).eps)

    output = paths.output.to(widest(paths.x.device))
    lines = Lines(paths.objective, paths.baseline, paths.delta, chunks)
    gauge = Gauge(paths.delta, output, baseline_values(paths, chunks), projections, tol, chunks)
    tolerance = Tolerance(tol, dtype, slice(1 if projections else 0, None))
    kept = chunks.memory.n_kept(paths.n_targets * paths.n_features * paths.x.element_size())
    return _Loop(lines, gauge, tolerance, margins, max_evaluations, n_initial, kept).run()


@dataclass(eq=False)
class Progress:
    """What has come of S samples as yet, T targets, D features. The loop below alone writes it."""

    mean: Tensor
    error: Array
    converged: Flags
    correction: Array
    used: NDArray[np.int64]
    examined: Flags
    bisected: Flags
    diagnosis: dict[int, Diagnosis] = field(default_factory=dict)

    def end(self, sample: int, diagnosis: Diagnosis) -> None:
        """The first diagnosis of a sample stays."""
        self.diagnosis.setdefault(sample, diagnosis)

    def going(self, sample: NDArray[np.int64]) -> Flags:
        """Which of these have no diagnosis yet."""
        return np.array([i not in self.diagnosis for i in sample.tolist()], dtype=bool)


@dataclass(eq=False)
class _Loop:
    """One block of samples: rounds of evaluating nodes together, judging, and wanting new ones."""

    lines: Lines
    gauge: Gauge
    tolerance: Tolerance
    margins: Margins
    most: int
    n_initial: int
    kept: int

    def __post_init__(self) -> None:
        self.delta = self.gauge.delta.flatten(1)
        n, scalars = len(self.delta), np.zeros(tuple(self.gauge.output.shape))
        # Of several samples each may have half of the room, so that one can always go on.
        self.limit = self.kept if n == 1 else max(self.kept // 2, 8)
        self.first = smooth.first_size(self.n_initial, min(self.most, self.limit))
        mean = self.delta.new_zeros((*scalars.shape, self.delta.shape[1]), dtype=self.gauge.output.dtype)
        used, flags = np.zeros(n, dtype=np.int64), np.zeros((2, n), dtype=bool)
        self.progress = Progress(mean, scalars + np.inf, scalars > 0, scalars, used, *flags)

    def run(self) -> Path:
        """Rounds until every sample has a diagnosis."""
        waiting, progress = self._begin(), self.progress
        while waiting:
            now, waiting = self._admit(waiting)
            for nodes in _joined(self._evaluate(now)):
                waiting += self._judge(nodes)
        return Path(
            progress.mean.reshape(*progress.error.shape, *self.gauge.delta.shape[1:]),
            self.gauge.output,
            self.gauge.baseline_output,
            torch.as_tensor(progress.used),
            torch.as_tensor(progress.correction).to(progress.mean),
            torch.as_tensor(progress.converged),
            torch.as_tensor(progress.error),
            tuple(progress.diagnosis[i] for i in range(len(progress.error))),
        )

    def _begin(self) -> list[Nodes]:
        """All samples with finite ends, wanting the nodes of the first rule and their unused place."""
        both = np.stack([as_array(self.gauge.baseline_output), as_array(self.gauge.output)], 1)
        finite: Flags = np.all(np.isfinite(both), axis=2)
        good: Flags = np.all(finite, axis=1)
        for i in np.flatnonzero(~good).tolist():
            self._not_finite(i, float(finite[i, 0]))
        sample = np.flatnonzero(good)
        own = unused.places_of(self.delta, self.first)[sample]
        rule = np.tile(fejer2(self.first - 1).nodes, (len(sample), 1))
        wanted = np.concatenate([rule, own[:, None]], 1)[:, : self.most]
        return [Nodes.none(sample, own, wanted, both[sample], self.delta)] if len(sample) else []

    def _admit(self, waiting: Sequence[Nodes]) -> tuple[list[Nodes], list[Nodes]]:
        """Those whose gradients may be kept together, and those who wait.

        Those with most nodes go first: they are done first, and make room. Samples are begun as long as half
        of the room is free.
        """
        held, now, later = sum(p.place.size for p in waiting), list[Nodes](), list[Nodes]()
        for part in sorted(waiting, key=lambda part: -part.n):
            room, m = self.kept if part.n else self.kept // 2, part.wanted.shape[1]
            fits = np.arange(len(part.place)) < max((room - held) // m, 0 if now else 1)
            held += m * int(fits.sum())
            for chosen, those in ((fits, now), (~fits, later)):
                those += [part.take(chosen)] if chosen.any() else []
        return now, later

    def _evaluate(self, now: Sequence[Nodes]) -> list[Nodes]:
        """Gradients at the places wanted, in full chunks; samples that are not finite there leave."""
        sample = np.concatenate([np.repeat(part.sample, part.wanted.shape[1]) for part in now])
        place = np.concatenate([part.wanted.ravel() for part in now])
        trace, gradient = self.lines.gradients(sample, place)
        np.add.at(self.progress.used, sample, 1)
        for k in np.flatnonzero(np.isnan(trace[SIZES]).any(1)):
            self._not_finite(int(sample[k]), float(place[k]))
        parts, begin = list[Nodes](), 0
        for part in now:
            shape, own = part.wanted.shape, slice(begin, begin := begin + part.wanted.size)
            fresh = trace[:, own].reshape(3, *shape, -1), gradient[own].reshape(*shape, *gradient.shape[1:])
            nodes, going = part.merged(*fresh), self.progress.going(part.sample)
            parts += [nodes.take(going)] if going.any() else []
        return parts

    def _judge(self, nodes: Nodes) -> list[Nodes]:
        """Take in new estimates: some samples end, some go on."""
        progress = self.progress
        if nodes.n < 4:
            # Too few to be judged, and no more are allowed.
            self._store(nodes, np.repeat(trapezoid(nodes.place)[:, None], progress.error.shape[1], 1))
            for i in nodes.sample.tolist():
                progress.end(i, Diagnosis("budget"))
            return []
        self._examine(nodes)
        delta = self.delta[torch.as_tensor(nodes.sample, device=self.delta.device)]
        verdict = judge(nodes, self.gauge, delta, self.tolerance, self.margins)
        solved = verdict.done.all(1)
        # A path in doubt is solved where it is so before and after every interval was looked into.
        doubt = np.where(verdict.doubt | (~solved & (nodes.doubt == 2)), 1, nodes.doubt).astype(np.int8)
        stray = verdict.astray | (solved & (doubt == 1))
        blind = np.minimum(nodes.place[:, 0], 1 - nodes.place[:, -1])
        look = verdict.few & ~nodes.looked & ~stray & (LOOK * blind >= self.tolerance.narrowest)
        unsure = look | stray
        going = progress.going(nodes.sample) & (~solved | unsure)
        parts = self._more(replace(nodes, doubt=doubt), verdict, going, look, stray)
        parts = self._wide_enough(parts, nodes, verdict)
        ended = ~np.isin(nodes.sample, np.concatenate([[-1], *(part.sample for part in parts)]))
        if ended.any():
            self._finish(nodes.take(ended), verdict.take(ended), unsure[ended])
        return parts

    def _more(self, nodes: Nodes, verdict: Verdict, going: Flags, look: Flags, stray: Flags) -> list[Nodes]:
        """Those that go on want new nodes, as many as the budget and the room for gradients allow."""
        n, size = nodes.n, smooth.size_of(nodes)
        room = np.minimum(self.most - self.progress.used[nodes.sample], self.limit - n)
        even = verdict.smooth & (0 < size < smooth.LARGEST) & (n <= room) & ~stray
        counts = np.array([next_count(n, e) for e in np.maximum(verdict.excess, 1.05)]) - n
        counts = np.where(stray, n + 1, np.where(even, n, np.minimum(counts, room)))
        going = going & (counts > look) & (counts <= room)
        ways, parts = np.stack([counts, look, stray, even], 1), list[Nodes]()
        for m, looks, strays, evens in np.unique(ways[going], axis=0).tolist():
            chosen = going & (ways == [m, looks, strays, evens]).all(1)
            part, strength = nodes.take(chosen), verdict.strength[chosen]
            if strays:
                part, wanted = replace(part, doubt=2 * np.minimum(part.doubt, 1)), everywhere(part)
            elif evens:
                wanted = np.tile(fejer2(2 * size - 1).nodes[::2], (len(part.place), 1))
            elif looks:
                part, wanted = replace(part, looked=part.looked | True), with_ends(part, strength, m)
            else:
                wanted = divide(part.edges, strength, m)
            parts.append(replace(part, wanted=wanted))
        return parts

    def _examine(self, nodes: Nodes) -> None:
        """Samples whose F does not rise as its gradient says are looked at from near by, once."""
        progress, doubtful = self.progress, slopes.Suspicion.of(nodes, self.tolerance)
        for a in np.flatnonzero(doubtful.found & ~progress.examined[nodes.sample]).tolist():
            i, around = int(nodes.sample[a]), slopes.places_around(nodes.place[a], self.tolerance.eps)
            if progress.used[i] + around.size <= self.most:
                values = self.lines.values(np.full(around.size, i), around.ravel()).reshape(*around.shape, -1)
                progress.examined[i], progress.used[i] = True, progress.used[i] + around.size
                foreign = doubtful.holds(a, around, values)
                if not foreign and doubtful.silent(a):
                    steep, used = doubtful.steep(a, self.lines, self.tolerance.narrowest)
                    foreign, progress.used[i] = not steep, progress.used[i] + used
                if foreign:
                    progress.end(i, doubtful.told(a))

    def _wide_enough(self, parts: Sequence[Nodes], nodes: Nodes, verdict: Verdict) -> list[Nodes]:
        """Those whose nodes will be far enough apart; of others F alone is asked what it does there."""
        kept, narrowest = list[Nodes](), self.tolerance.narrowest
        for part in parts:
            places = np.sort(np.concatenate([part.edges, part.wanted], 1))
            known = self.progress.bisected[part.sample]
            fine = np.diff(places).min(1) >= np.where(known, narrowest, max(ends.NARROW, narrowest))
            kept += [part.take(fine)] if fine.any() else []
            if not fine.all():
                part = part.take(~fine)
                kept += self._at_the_end(part, nodes, verdict.take(np.isin(nodes.sample, part.sample)))
        return kept

    def _at_the_end(self, part: Nodes, nodes: Nodes, verdict: Verdict) -> list[Nodes]:
        """What to do where an interval is too narrow: a jump, a pole, or a step that is only steep."""
        progress, rows, j = self.progress, np.arange(len(part.place)), verdict.strength.argmax(1)
        gaps, blind = verdict.gaps[rows, j], ends.blind_to_scale(part.trace)
        # In float32 there is one decade more to follow: too little to tell a pole from a jump that F shows.
        coarse = self.tolerance.narrowest > ends.NARROW / 100
        hides = gaps.max(1) > 1
        pole = ends.pole(part.place, part.trace) & (j == 0) & ~(hides & coarse)
        hides &= ~pole
        again = ~hides & ~pole & ~progress.bisected[part.sample]
        progress.bisected[part.sample] = True
        for a in np.flatnonzero(pole):
            progress.end(int(part.sample[a]), Diagnosis("diverging", blind_to_scale=bool(blind[a])))
        kept = self._wide_enough([part.take(again)], part, verdict) if again.any() else []
        edges, values = (np.stack([v[rows, j], v[rows, j + 1]], 1) for v in (part.edges, part.trace[VALUES]))
        own = part.sample[hides], edges[hides], values[hides], gaps[hides]
        found = ends.bisect(self.lines, *own, self.tolerance.narrowest)
        for k, a in enumerate(np.flatnonzero(hides)):
            i, visited = int(part.sample[a]), found.visited[k]
            progress.used[i] += len(visited)
            left, right = found.edges[k].tolist()
            if not found.resolved[k]:
                progress.end(i, Diagnosis("jump", (Jump((left + right) / 2, right - left, found.rise[k]),)))
            elif progress.used[i] + len(visited) <= self.most:
                # Those places are graded towards the step: just where gradients are wanted now.
                kept.append(replace(part.take(rows == a), wanted=visited[None]))
        return kept

    def _finish(self, nodes: Nodes, verdict: Verdict, unsure: Flags) -> None:
        """Leave estimates of samples that end, and say how those ended that nothing was said of yet."""
        progress, tol = self.progress, self.tolerance.tol
        self._store(nodes, verdict.estimate)
        progress.error[nodes.sample], progress.correction[nodes.sample] = verdict.relative, verdict.correction
        for a, i in enumerate(nodes.sample.tolist()):
            done, error = verdict.done[a] & ~unsure[a], verdict.relative[a]
            diagnosis, full = (
                Diagnosis("budget"),
                progress.used[i] + 2 <= self.most and nodes.n + 2 > self.limit,
            )
            if done.all() and (error <= tol).all():
                diagnosis = Diagnosis("converged")
            elif done.all():
                diagnosis = self.tolerance.told_of_rounding(error, nodes.trace[VALUES, a])
            elif full:
                diagnosis = too_little_room(nodes.n)
            progress.end(i, diagnosis)
            if progress.diagnosis[i] is diagnosis:
                progress.converged[i] = done & (error <= tol)
            elif progress.diagnosis[i].status == "gradient":
                progress.error[i] = np.inf

    def _store(self, nodes: Nodes, estimate: Array) -> None:
        like, (_, n, n_targets, n_features) = self.progress.mean, nodes.gradient.shape
        # In float64 a block at a time: of a long series all of its gradients would be there three times.
        columns = Chunks(max(1, 2**20 // (n * n_targets)))
        for part in Chunks(max(1, 2**20 // (n * n_targets * n_features))).split(len(estimate)):
            weights, sample = torch.as_tensor(estimate[part]).to(like), torch.as_tensor(nodes.sample[part])
            for own in columns.split(n_features):
                gradient = nodes.gradient[part, ..., own].to(like)
                like[sample, :, own] = torch.einsum("atn,antd->atd", weights, gradient)

    def _not_finite(self, sample: int, place: float) -> None:
        self.progress.end(sample, Diagnosis("nonfinite", place=place))
        self.progress.mean[sample] = torch.nan


def _joined(parts: Sequence[Nodes]) -> list[Nodes]:
    """Those together which can be judged together: as many nodes, and all of a rule or none."""
    alike: dict[tuple[int, int], list[Nodes]] = {}
    for part in parts:
        alike.setdefault((part.n, smooth.size_of(part)), []).append(part)
    return [Nodes.join(same) for same in alike.values()]

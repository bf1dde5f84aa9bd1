"""The adaptive path integrator: as few nodes as each path allows, and a statement where none suffice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .._tensor_check import widest
from ..chunks import Chunks
from ..diagnosis import Array, Diagnosis, Jump, too_little_room
from ..objective.ends import baseline_values
from ..objective.paths import Paths
from . import ends, smooth, unused
from .division import LOOK, divide, everywhere, next_count, with_ends
from .gradients import Lines
from .inspection import Inspect, Inspector
from .measuring import Gauge, Projection, as_array
from .nodes import SIZES, VALUES, Flags, Indices, Nodes, blocks
from .path import Path
from .rules import fejer2
from .tolerance import Tolerance
from .verdict import MARGINS, Margins, Verdict, judge
from .walk import trapezoid


def integrate_adaptive(
    paths: Paths,
    *,
    projections: Sequence[Projection],
    tol: float,
    max_evaluations: int,
    n_initial: int,
    chunks: Chunks,
    inspector: Inspector,
    margins: Margins = MARGINS,
) -> Path:
    """Average gradients along straight paths until attributions are within `tol` in every projection.

    Bayesian quadrature with a Brownian bridge: the gradients at all nodes are kept, and new nodes go into the
    intervals that make the error. As long as a path looks smooth, Fejér's rules of 7, 15 and 31 nodes are
    the estimate. Where F jumps, no division helps, and F alone is bisected until that is clear.

    Parameters
    ----------
    paths : Paths
        What is integrated.
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
    inspector : Inspector
        Who looks whether gradients are those of F, as they come.
    margins : Margins, optional
        Fitted numbers of the error estimate.
    """
    lines = Lines(paths.objective, paths.baseline, paths.delta, chunks)
    tolerance = Tolerance(tol, paths.rounding_dtype, slice(1 if projections else 0, None))
    output = paths.output.to(widest(paths.x.device))
    gauge = Gauge(paths.delta, output, baseline_values(paths, chunks), projections, tol, chunks)
    kept = chunks.memory.n_kept(paths.n_targets * paths.n_features * paths.x.element_size())
    # Of several samples each may have half of the room, so that one can always go on.
    limit = kept if len(paths) == 1 else max(kept // 2, 8)
    progress, inspect = Progress(output, paths.n_features), inspector(lines, tolerance)
    loop = _Loop(lines, gauge, tolerance, margins, inspect, max_evaluations, kept, limit, progress)
    return loop.run(smooth.first_size(n_initial, min(max_evaluations, limit)))


class Progress:
    """What has come of S samples as yet, T targets, D features. The loop below alone writes it.

    Beside what a `Path` has: `doubt` is 1 where every interval is yet to be looked into before the path is
    believed, 2 while that is being done, else 0, and `hidden` what rounding of other outputs makes
    of F. What is done once: the gradient near both ends was `looked` at, and F `bisected` where an interval
    is narrow.
    """

    def __init__(self, output: Tensor, n_features: int) -> None:
        scalars, n = np.zeros(tuple(output.shape)), len(output)
        self.mean = output.new_zeros(*output.shape, n_features)
        self.error, self.correction, self.converged = scalars + np.inf, scalars, scalars > 0
        self.hidden, (self.used, self.doubt) = scalars.copy(), np.zeros((2, n), dtype=np.int64)
        self.looked, self.bisected = np.zeros((2, n), dtype=bool)
        self.diagnosis: dict[int, Diagnosis] = {}

    def end(self, sample: int, diagnosis: Diagnosis) -> None:
        """The first diagnosis of a sample stays."""
        self.diagnosis.setdefault(sample, diagnosis)

    def not_finite(self, sample: int, place: float) -> None:
        """F or its gradient is not, at this place of the path."""
        self.end(sample, Diagnosis("nonfinite", place=place))
        self.mean[sample] = torch.nan

    def going(self, sample: Indices) -> Flags:
        """Which of these have no diagnosis yet."""
        return np.array([i not in self.diagnosis for i in sample.tolist()], dtype=bool)


INTERVALS, ENDS, RULE, EVERYWHERE = range(4)
"""Where new nodes go: into the intervals that err, also near both ends, those of a rule, or into all."""

Wanted = tuple[Indices, Array]
"""Rows of some nodes, ascending, and the places that each of them wants next, as many."""


@dataclass(frozen=True, eq=False)
class _Loop:
    """One block of samples: rounds of evaluating nodes together, judging, and wanting new ones.

    At `most` so many evaluations of a sample, gradients `kept` of all together, and the `limit` of one.
    """

    lines: Lines
    gauge: Gauge
    tolerance: Tolerance
    margins: Margins
    inspect: Inspect
    most: int
    kept: int
    limit: int
    progress: Progress

    def run(self, first: int) -> Path:
        """Rounds until every sample has a diagnosis, the first one with a rule of this size."""
        waiting, progress = self._begin(first), self.progress
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
            torch.as_tensor(progress.converged, device=progress.mean.device),
            torch.as_tensor(progress.error).to(progress.mean),
            tuple(progress.diagnosis[i] for i in range(len(progress.error))),
        )

    def _begin(self, first: int) -> list[Nodes]:
        """All samples with finite ends, wanting the nodes of the first rule and their unused place."""
        both = np.stack([as_array(self.gauge.baseline_output), as_array(self.gauge.output)], 1)
        finite: Flags = np.all(np.isfinite(both), axis=2)
        good: Flags = np.all(finite, axis=1)
        for i in np.flatnonzero(~good).tolist():
            self.progress.not_finite(i, float(finite[i, 0]))
        sample, delta = np.flatnonzero(good), self.lines.delta.flatten(1)
        own = unused.places_of(delta, first)[sample]
        rule = np.tile(fejer2(first - 1).nodes, (len(sample), 1))
        wanted = np.concatenate([rule, own[:, None]], 1)[:, : self.most]
        return [Nodes.none(sample, own, wanted, both[sample], delta)] if len(sample) else []

    def _admit(self, waiting: Sequence[Nodes]) -> tuple[list[Nodes], list[Nodes]]:
        """Those whose gradients may be kept together, and those who wait.

        Those with most nodes go first: they are done first, and make room. Samples are begun as long as three
        quarters of the room are free, or they would soon fill it, and go on one at a time in small calls.
        """
        held, now, later = sum(p.place.size for p in waiting), list[Nodes](), list[Nodes]()
        for part in sorted(waiting, key=lambda part: -part.n):
            room, (count, m) = self.kept if part.n else self.kept // 4, part.wanted.shape
            fits = min(max((room - held) // m, 0 if now else 1), count)
            held += m * fits
            now += [part.take(np.arange(fits))] if fits else []
            later += [part.take(np.arange(fits, count))] if fits < count else []
        return now, later

    def _evaluate(self, now: Sequence[Nodes]) -> list[Nodes]:
        """Gradients at the places wanted, in full chunks; samples that are not finite there leave."""
        sample = np.concatenate([np.repeat(part.sample, part.wanted.shape[1]) for part in now])
        place = np.concatenate([part.wanted.ravel() for part in now])
        trace, gradient = self.lines.gradients(sample, place)
        np.add.at(self.progress.used, sample, 1)
        for k in np.flatnonzero(np.isnan(trace[SIZES]).any(1)):
            self.progress.not_finite(int(sample[k]), float(place[k]))
        parts, begin = list[Nodes](), 0
        for part in now:
            shape, own = part.wanted.shape, slice(begin, begin := begin + part.wanted.size)
            fresh = trace[:, own].reshape(3, *shape, -1), gradient[own].reshape(*shape, *gradient.shape[1:])
            nodes, going = part.merged(*fresh), np.flatnonzero(self.progress.going(part.sample))
            parts += [nodes.take(going)] if len(going) else []
        return parts

    def _judge(self, nodes: Nodes) -> list[Nodes]:
        """Take in new estimates: some samples end, some go on."""
        progress, sample = self.progress, nodes.sample
        if nodes.n < 4:
            # Too few to be judged, and no more are allowed.
            estimate = trapezoid(nodes.place)[:, None].repeat(progress.error.shape[1], 1)
            self._store(nodes, np.arange(len(sample)), estimate)
            for i in sample.tolist():
                progress.end(i, Diagnosis("budget"))
            return []
        self._inspected(nodes)
        hidden = progress.hidden[sample]
        verdict = judge(nodes, self.gauge, self.tolerance, self.margins, hidden)
        solved = verdict.done.all(1)
        # A path in doubt is solved where it is so before and after every interval was looked into.
        progress.doubt[sample[verdict.doubt | (~solved & (progress.doubt[sample] == 2))]] = 1
        stray = verdict.astray | (solved & (progress.doubt[sample] == 1))
        blind = np.minimum(nodes.place[:, 0], 1 - nodes.place[:, -1])
        look = verdict.few & ~progress.looked[sample] & ~stray & (LOOK * blind >= self.tolerance.narrowest)
        unsure, parts, ended = look | stray, list[Nodes](), np.ones(len(sample), dtype=bool)
        for more in self._more(nodes, verdict, look, stray):
            for rows, wanted in self._apart(nodes, verdict, *more):
                parts.append(replace(nodes.take(rows), wanted=wanted))
                ended[rows] = False
        self._finish(nodes, verdict, np.flatnonzero(ended & solved), unsure)
        if len(short := np.flatnonzero(ended & ~solved)):
            # Their gaps are closed as well, as far as that helps.
            nodes = nodes.take(short)
            verdict = judge(nodes, self.gauge, self.tolerance, self.margins, hidden[short], last=True)
            self._finish(nodes, verdict, np.arange(len(short)), unsure[short])
        return parts

    def _more(self, nodes: Nodes, verdict: Verdict, look: Flags, stray: Flags) -> Iterator[Wanted]:
        """New nodes for those that go on, as many as the budget and the room for gradients allow."""
        n, size, progress = nodes.n, smooth.size_of(nodes), self.progress
        room = np.minimum(self.most - progress.used[nodes.sample], self.limit - n)
        even = verdict.smooth & (0 < size < smooth.LARGEST) & (n <= room) & ~stray
        counts = np.array([next_count(n, e) for e in np.maximum(verdict.excess, 1.05)]) - n
        counts = np.where(stray, n + 1, np.where(even, n, np.minimum(counts, room)))
        going = progress.going(nodes.sample) & (~verdict.done.all(1) | look | stray)
        going &= (counts > look) & (counts <= room)
        kinds = np.select([stray, even, look], [EVERYWHERE, RULE, ENDS], INTERVALS)
        for m, kind in sorted(set(zip(counts[going].tolist(), kinds[going].tolist(), strict=True))):
            rows = np.flatnonzero(going & (counts == m) & (kinds == kind))
            sample, edges, strength = nodes.sample[rows], nodes.edges[rows], verdict.strength[rows]
            if kind == EVERYWHERE:
                progress.doubt[sample] = 2 * np.minimum(progress.doubt[sample], 1)
                yield rows, everywhere(edges)
            elif kind == RULE:
                yield rows, np.tile(fejer2(2 * size - 1).nodes[::2], (len(rows), 1))
            elif kind == ENDS:
                progress.looked[sample] = True
                yield rows, with_ends(edges, strength, m)
            else:
                yield rows, divide(edges, strength, m)

    def _inspected(self, nodes: Nodes) -> None:
        """Take in what is said of gradients that are new, and how many evaluations it took to tell."""
        progress = self.progress
        for found in self.inspect(nodes, self.most - progress.used[nodes.sample]):
            progress.used[found.sample] += found.used
            progress.hidden[found.sample] = np.maximum(progress.hidden[found.sample], found.hidden)
            if found.wrong:
                progress.end(found.sample, found.wrong)

    def _apart(self, nodes: Nodes, verdict: Verdict, rows: Indices, wanted: Array) -> Iterator[Wanted]:
        """Those whose nodes will be far enough apart; of others F alone is asked what it does there.

        Where an interval is narrow there is a jump, a pole, or a step that is only steep.
        """
        progress, narrowest, sample = self.progress, self.tolerance.narrowest, nodes.sample[rows]
        apart = np.diff(np.sort(np.concatenate([nodes.edges[rows], wanted], 1))).min(1)
        bisected = progress.bisected[sample]
        narrow = apart < np.where(bisected, narrowest, max(ends.NARROW, narrowest))
        progress.bisected[sample[narrow]] = True
        if not narrow.all():
            yield rows[~narrow], wanted[~narrow]
        # In float32 there is one decade more to follow: too little to tell a pole from a jump that F shows.
        coarse = narrowest > ends.NARROW / 100
        for k in np.flatnonzero(narrow).tolist():
            i, a = int(sample[k]), int(rows[k])
            trace, j = nodes.trace[:, a], int(verdict.strength[a].argmax())
            gaps = verdict.gaps[a, j]
            hides = gaps.max() > 1
            if j == 0 and not (hides and coarse) and ends.pole(nodes.place[a], trace):
                progress.end(i, Diagnosis("diverging", blind_to_scale=ends.blind_to_scale(trace)))
            elif hides:
                both = nodes.edges[a, j : j + 2], trace[VALUES, j : j + 2]
                found = ends.bisect(self.lines, i, *both, int(gaps.argmax()), narrowest)
                progress.used[i] += len(found.visited)
                if found.share >= ends.CONCENTRATED:
                    begin, end = found.edges.tolist()
                    progress.end(i, Diagnosis("jump", (Jump((begin + end) / 2, end - begin, found.rise),)))
                elif progress.used[i] + len(found.visited) <= self.most:
                    # Those places are graded towards the step: just where gradients are wanted now.
                    yield rows[[k]], found.visited[None]
            elif not bisected[k] and apart[k] >= narrowest:
                yield rows[[k]], wanted[[k]]

    def _finish(self, nodes: Nodes, verdict: Verdict, rows: Indices, unsure: Flags) -> None:
        """Leave estimates of samples that end, and say how those ended that nothing was said of yet."""
        progress, tol, sample = self.progress, self.tolerance.tol, nodes.sample[rows]
        self._store(nodes, rows, verdict.estimate[rows])
        progress.error[sample], progress.correction[sample] = verdict.relative[rows], verdict.correction[rows]
        for a, i in zip(rows.tolist(), sample.tolist(), strict=True):
            done, error = verdict.done[a] & ~unsure[a], verdict.relative[a]
            if done.all():
                diagnosis = Diagnosis("converged")
                if (error > tol).any():
                    known = nodes.trace[VALUES, a], progress.hidden[i]
                    diagnosis = self.tolerance.told_of_rounding(error, *known)
            else:
                full = progress.used[i] + 2 <= self.most and nodes.n + 2 > self.limit
                diagnosis = too_little_room(nodes.n) if full else Diagnosis("budget")
            progress.end(i, diagnosis)
            if progress.diagnosis[i] is diagnosis:
                progress.converged[i] = done & (error <= tol)
            elif progress.diagnosis[i].status == "gradient":
                progress.error[i] = np.inf

    def _store(self, nodes: Nodes, rows: Indices, estimate: Array) -> None:
        """Mean gradients of some of the samples, from weights (R, T, n)."""
        mean, sample = self.progress.mean, nodes.sample[rows]
        # In float64 a block at a time: of a long series all of its gradients would be there three times.
        for part, columns in blocks(len(rows), nodes.gradient.shape):
            gradient = nodes.gradient[rows[part], ..., columns].to(mean)
            weights = torch.as_tensor(estimate[part]).to(mean)
            mean[sample[part], :, columns] = torch.einsum("atn,antd->atd", weights, gradient)


def _joined(parts: Sequence[Nodes]) -> list[Nodes]:
    """Those together which can be judged together: as many nodes, and all of a rule or none."""
    alike: dict[tuple[int, int], list[Nodes]] = {}
    for part in parts:
        alike.setdefault((part.n, smooth.size_of(part)), []).append(part)
    return [Nodes.join(same) for same in alike.values()]

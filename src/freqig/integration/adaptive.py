"""The adaptive path integrator: as few nodes as each path allows, and a statement where none suffice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..chunks import Chunks
from ..objective.failures import at_the_baseline
from ..objective.objective import Objective, widest
from . import refinement
from .cohort import KEPT, Cohort
from .fixed import points_on_path, values_at
from .kept import Kept, admitted, together
from .measuring import Gauge, Projection, as_array
from .nested import affordable, family, first_size
from .node_trace import SIZES, VALUES
from .panels import Panel
from .path import Array, Path
from .probe import Probe, places_of
from .sample import NOISE, Sample, Settings
from .slopes import COARSE, contradicted, places_around, suspects, told_of
from .streaming import Group, Sums, stream
from .verdict import combinations


def integrate_adaptive(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    output: Tensor,
    *,
    projections: Sequence[Projection],
    tol: float,
    max_evaluations: int,
    n_initial: int,
    chunks: Chunks,
) -> Path:
    """Average gradients along straight paths until attributions are within `tol` in every projection.

    Each path is first given a small rule of Fejér's second kind, and the next one that contains it
    as long as it looks smooth. The gradients at the nodes of other paths are kept, and the intervals
    that make the error are divided. What no division resolves is cut into panels, which tell a jump
    from a pole.

    Parameters
    ----------
    objective : Objective
        Explained scalars of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape), dtype and device of the model. `rows_per_sample` sums
        and gradients of T targets are kept for each: choose S so that they fit.
    output : torch.Tensor
        Explained scalars at the input, shape (S, T).
    projections : sequence of callables
        Domains in which the attributions are wanted, see `Projection`. Without any, δ · ḡ itself
        is watched.
    tol : float
        Relative L1 error of the attributions, and tolerance of the completeness gap.
    max_evaluations : int
        The most evaluations of a sample, both ends not counted.
    n_initial : int
        Nodes of the first rule at least. What is narrower than their spacing and does not change F
        is seen by no rule.
    chunks : Chunks
        Points a call.

    Returns
    -------
    Path
        With `converged`, `error` and a diagnosis of every sample.
    """

    def dtype() -> torch.dtype:
        # The coarser of both: under autocast outputs are rounded more than points.
        return max(x.dtype, objective.rounding_dtype, key=lambda dtype: torch.finfo(dtype).eps)

    settings = Settings(
        tol,
        max_evaluations,
        affordable(
            family(first := first_size(n_initial, max_evaluations - 1), max_evaluations),
            first,
            chunks.memory.n_sums(objective.n_targets * x[0].numel()),
        ),
        first,
        dtype,
        slice(1 if projections else 0, None),
        chunks.memory.n_kept(objective.n_targets * x[0].numel() * x.element_size()),
    )
    return _Integrator(objective, x, baseline, output, projections, settings, chunks).run()


def rows_per_sample(n_initial: int, max_evaluations: int) -> int:
    """Number of running sums and first gradients that are kept for a sample and target.

    Examples
    --------
    >>> rows_per_sample(7, 2000)
    33
    """
    return _n_rows(family(first_size(n_initial, max_evaluations - 1), max_evaluations)) + KEPT


def _n_rows(sizes: tuple[int, ...]) -> int:
    return max(len(sizes), refinement.N_ROWS)


class _Integrator:
    """One block of samples: rounds of proposing nodes, evaluating them together, and judging."""

    def __init__(
        self,
        objective: Objective,
        x: Tensor,
        baseline: Tensor,
        output: Tensor,
        projections: Sequence[Projection],
        settings: Settings,
        chunks: Chunks,
    ) -> None:
        self.objective, self.x, self.baseline, self.chunks = objective, x, baseline, chunks
        self.settings = settings
        self.delta = (x - baseline).flatten(1)
        wide = widest(x.device)
        self.output = output.to(wide)
        with at_the_baseline():
            self.baseline_output = values_at(objective, baseline, chunks)
        ends = zip(as_array(self.baseline_output), as_array(self.output), strict=True)
        self.samples = [Sample(i, *pair, settings) for i, pair in enumerate(ends)]
        shape = (len(x), _n_rows(settings.sizes), objective.n_targets, self.delta.shape[1])
        self.sums = torch.zeros(shape, dtype=wide, device=x.device)
        delta, tol = self.delta.reshape(x.shape), settings.tol
        self.gauge = Gauge(delta, self.output, self.baseline_output, projections, tol, chunks)

    def run(self) -> Path:
        """Rounds until every sample has a status."""
        started = [sample for sample in self.samples if sample.status is None]
        cohorts = [self._first(started)] if started else []
        waiting = list[Kept]()
        while cohorts or waiting or self._refined():
            kept, waiting = admitted(waiting, self.settings.kept_nodes)
            self._evaluate_cuts(self._refined())
            self._evaluate_nodes(cohorts, kept, self._refined())
            for cohort in cohorts:
                if cohort.samples and not cohort.lengths and cohort.size >= 4:
                    self._examine(cohort.samples, *cohort.known())
            cohorts, more = self._judge(cohorts, kept)
            waiting += more
        return self._path()

    def _first(self, samples: Sequence[Sample]) -> Cohort:
        """All samples before their first nodes, each with an unused place, if that is affordable."""
        probe = None
        if self.settings.first <= self.settings.max_evaluations:
            index = [sample.index for sample in samples]
            places = places_of(self.delta, self.settings.first)[index]
            probe = Probe(samples, places, self._room(len(samples), 1))
        return Cohort(samples, self.settings, probe)

    def _refined(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.status is None and sample.phase is not None]

    def _evaluate_cuts(self, active: Sequence[Sample]) -> None:
        """F, without gradients, at cuts that are no nodes."""
        wanted = [(s, place) for s in active if s.phase for place in s.phase.unknown_ends()]
        if not wanted:
            return
        values = self._values(wanted)
        known: dict[int, dict[float, Array]] = {}
        for (sample, place), value in zip(wanted, values, strict=True):
            known.setdefault(sample.index, {})[place] = value
            if not np.isfinite(value).all():
                sample.stop_at(place)
        for sample in active:
            if sample.phase:
                sample.phase.know(known.get(sample.index, {}))

    def _values(self, wanted: Sequence[tuple[Sample, float]]) -> Array:
        """F, without gradients, at places of samples, shape (len(wanted), T)."""
        rows = torch.tensor([sample.index for sample, _ in wanted], device=self.x.device)
        places = torch.tensor([place for _, place in wanted], dtype=torch.float64).to(self.x)
        delta = self.delta.reshape(self.x.shape)
        values = np.empty((len(wanted), self.objective.n_targets))

        def evaluate(part: slice) -> None:
            points = points_on_path(self.baseline, delta, rows[part], places[part])
            values[part] = as_array(self.objective.value(points, rows[part]))

        self.chunks.run(len(wanted), evaluate)
        for sample, _ in wanted:
            sample.used += 1
        return values

    def _examine(self, samples: Sequence[Sample], nodes: Array, trace: Array) -> None:
        """Compare F with its gradient from near by where it does not rise as that says, once per sample."""
        if self.settings.eps > COARSE:
            return
        # Of F, and of its slopes, whose terms may cancel where the gradient does not see the path.
        rounding = self.settings.rounding(trace[VALUES], 1)
        of_slopes = NOISE * self.settings.eps * np.nanmax(trace[SIZES], 1)
        found = suspects(nodes, trace, rounding, of_slopes).any(1)
        for a in np.flatnonzero(found).tolist():
            sample, around = samples[a], places_around(nodes[a], self.settings.eps)
            if sample.examined or sample.used + around.size > self.settings.max_evaluations:
                continue
            sample.examined = True
            values = self._values([(sample, float(place)) for place in around.ravel()])
            values = values.reshape(*around.shape, -1)
            if (
                np.isfinite(values).all()
                and contradicted(nodes[a], trace[:, a], around, values, rounding[a], of_slopes[a]).any()
            ):
                sample.misled, sample.detail = True, told_of(nodes[a], trace[:, a])

    def _room(self, n_samples: int, n_nodes: int) -> Tensor:
        return self.x.new_empty(n_samples, n_nodes, *self.sums.shape[2:])

    def _evaluate_nodes(
        self, cohorts: Sequence[Cohort], kept: Sequence[Kept], refined: Sequence[Sample]
    ) -> None:
        """Gradients at the next nodes of all samples, in full chunks."""
        groups: list[Group] = []
        owners: list[Cohort | Kept | Probe | tuple[Sample, Panel]] = []
        for cohort in cohorts:
            if cohort.probe and cohort.size == 1:
                groups.append(cohort.probe.propose())
                owners.append(cohort.probe)
            groups.append(cohort.propose(self._room))
            owners.append(cohort)
        for rough in kept:
            groups.append(rough.propose())
            owners.append(rough)
        for sample in refined:
            if sample.phase:
                groups += (new := sample.phase.propose())
                owners += [(sample, panel) for panel in sample.phase.open]
                sample.used += sum(group.n_nodes for group in new)

        def absorb(index: int, part: slice, result: Sums) -> None:
            owner = owners[index]
            samples = [owner[0]] if isinstance(owner, tuple) else owner.samples[part]
            bad = np.any(~np.isfinite(result.sizes), axis=-1)
            for c in np.flatnonzero(np.any(bad, axis=1)):
                own = np.broadcast_to(groups[index].nodes, (len(groups[index].samples), bad.shape[1]))
                samples[c].stop_at(float(own[part][c][bad[c]].min()))
            if isinstance(owner, Kept | Probe):
                owner.absorb(part, result)
                return
            if isinstance(owner, Cohort):
                owner.absorb(part, result, self.sums)
                return
            sample, panel = owner
            if sample.phase and sample.status is None:
                rows = self.sums[sample.index]
                sample.phase.absorb(panel, result.of_one(), rows, sample.allowed, sample.allowed_gap)

        if groups:
            stream(self.objective, self.x, self.baseline, groups, self.chunks, absorb)
        for cohort in cohorts:
            cohort.grow()

    def _judge(self, cohorts: Sequence[Cohort], kept: Sequence[Kept]) -> tuple[list[Cohort], list[Kept]]:
        """Let all samples decide how to go on, and return those that go on before panels."""
        n_rows, going = self.sums.shape[1], list[Cohort]()
        rough = [part for part in (old.grow() for old in kept) if part.samples]
        refined = self._refined()
        if refined:
            combined = refinement.combinations(n_rows)
            index = [sample.index for sample in refined]
            measured = self.gauge.of_sums(index, self.sums, combined, len(combined))
            for a, sample in enumerate(refined):
                sample.judge(measured, a, self.sums[sample.index])
        for cohort in cohorts:
            if not cohort.samples:
                continue
            combined = cohort.combinations(n_rows)
            # The difference before last has been projected, unless this is the first judgement.
            n_projected = min(2, len(combined)) if cohort.lengths else len(combined)
            measured = self.gauge.of_sums(cohort.index, self.sums, combined, n_projected)
            parts, divided = cohort.judge(measured, n_rows, self.gauge)
            going += parts
            if divided:
                rough.append(divided)
        for cohort in cohorts:
            for sample in cohort.samples:
                if sample.phase:
                    self.sums[sample.index].zero_()
        more = list[Kept]()
        for part in together(rough):
            grown, refused = self._judge_kept(part)
            more += grown
            going += refused
        return going, together(more)

    def _judge_kept(self, part: Kept) -> tuple[list[Kept], list[Cohort]]:
        self._examine(part.samples, part.nodes, part.trace)
        weights = combinations(part.nodes, part.trace, part.probed)
        measured = self.gauge.of_gradients(part.index, part.gradients, weights)
        delta = self.delta[torch.as_tensor(part.index, device=self.x.device)]
        return part.judge(measured, weights, delta, self.sums)

    def _path(self) -> Path:
        coefficients = np.stack([sample.estimate(self.sums.shape[1]) for sample in self.samples])
        mean = torch.einsum("srt,srtd->std", torch.as_tensor(coefficients).to(self.sums), self.sums)
        mean[[sample.index for sample in self.samples if sample.status == "nonfinite"]] = torch.nan
        return Path(
            mean.reshape(len(self.x), self.objective.n_targets, *self.x.shape[1:]),
            self.output,
            self.baseline_output,
            torch.tensor([sample.used for sample in self.samples], dtype=torch.int64),
            torch.as_tensor(np.stack([sample.correction for sample in self.samples])).to(self.sums),
            torch.as_tensor(np.stack([sample.converged for sample in self.samples])),
            torch.as_tensor(np.stack([sample.error for sample in self.samples])),
            tuple(sample.diagnosis() for sample in self.samples),
        )

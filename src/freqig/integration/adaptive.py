"""The adaptive path integrator: as few nodes as each path allows, and a statement where none suffice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ..chunks import Chunks
from ..completeness import gap_limit
from ..objective import Objective, widest
from . import refinement
from .cohort import Cohort
from .fixed import points_on_path, values_at
from .nested import family, first_size
from .node_trace import TINY
from .panels import Panel
from .path import Array, Path
from .sample import Measured, Sample, Settings
from .streaming import Group, Sums, stream

Projection = Callable[[Tensor, Tensor], Sequence[Tensor]]
"""From a mean gradient, shape (S', T, *shape), and the samples that it belongs to, shape (S',), to
attributions, each of shape (S', T, ...): linear in the gradient."""


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

    Each path is first given nested rules of Fejér's second kind. Where the gaps of few intervals
    make the error it is cut there, and the panels are refined on their own.

    Parameters
    ----------
    objective : Objective
        Explained scalars of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape), dtype and device of the model. `rows_per_sample`
        running sums of T mean gradients are kept for each: choose S so that they fit.
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
    settings = Settings(
        tol,
        max_evaluations,
        family(first := first_size(n_initial, max_evaluations), max_evaluations),
        first,
        float(torch.finfo(x.dtype).eps),
        slice(1 if projections else 0, None),
    )
    return _Integrator(objective, x, baseline, output, projections, settings, chunks).run()


def rows_per_sample(n_initial: int, max_evaluations: int) -> int:
    """Number of running sums that are kept for a sample and target.

    Examples
    --------
    >>> rows_per_sample(7, 2000)
    17
    """
    return _n_rows(family(first_size(n_initial, max_evaluations), max_evaluations))


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
        self.projections, self.settings = projections, settings
        self.wide = widest(x.device)
        self.delta = (x - baseline).flatten(1)
        self.output = output.to(self.wide)
        self.baseline_output = values_at(objective, baseline, chunks)
        ends = zip(_numpy(self.baseline_output), _numpy(self.output), strict=True)
        self.samples = [Sample(i, *pair, settings) for i, pair in enumerate(ends)]
        shape = (len(x), _n_rows(settings.sizes), objective.n_targets, self.delta.shape[1])
        self.sums = torch.zeros(shape, dtype=self.wide, device=x.device)

    def run(self) -> Path:
        """Rounds until every sample has a status."""
        started = [sample for sample in self.samples if sample.status is None]
        cohorts = [Cohort(started, self.settings)] if started else []
        while cohorts or self._refined():
            self._evaluate_cuts(self._refined())
            self._evaluate_nodes(cohorts, self._refined())
            cohorts = self._judge(cohorts)
        return self._path()

    def _refined(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.status is None and sample.phase is not None]

    def _evaluate_cuts(self, active: Sequence[Sample]) -> None:
        """F, without gradients, at cuts that are no nodes."""
        wanted = [(s, place) for s in active if s.phase for place in s.phase.unknown_ends()]
        if not wanted:
            return
        rows = torch.tensor([sample.index for sample, _ in wanted], device=self.x.device)
        places = torch.tensor([place for _, place in wanted], dtype=torch.float64).to(self.x)
        delta = self.delta.reshape(self.x.shape)
        values = np.empty((len(wanted), self.objective.n_targets))

        def evaluate(part: slice) -> None:
            points = points_on_path(self.baseline, delta, rows[part], places[part])
            values[part] = _numpy(self.objective.value(points, rows[part]))

        self.chunks.run(len(wanted), evaluate)
        known: dict[int, dict[float, Array]] = {}
        for (sample, place), value in zip(wanted, values, strict=True):
            sample.used += 1
            known.setdefault(sample.index, {})[place] = value
            if not np.isfinite(value).all():
                sample.stop_at(place)
        for sample in active:
            if sample.phase:
                sample.phase.know(known.get(sample.index, {}))

    def _evaluate_nodes(self, cohorts: Sequence[Cohort], refined: Sequence[Sample]) -> None:
        """Gradients at the next nodes of all samples, in full chunks."""
        groups: list[Group] = []
        owners: list[Cohort | tuple[Sample, Panel]] = []
        for cohort in cohorts:
            groups.append(cohort.propose())
            owners.append(cohort)
        for sample in refined:
            if sample.phase:
                groups += (new := sample.phase.propose())
                owners += [(sample, panel) for panel in sample.phase.open]
                sample.used += sum(len(group.nodes) for group in new)

        def absorb(index: int, part: slice, result: Sums) -> None:
            owner = owners[index]
            samples = owner.samples[part] if isinstance(owner, Cohort) else [owner[0]]
            bad = np.any(~np.isfinite(result.sizes), axis=-1)
            for c in np.flatnonzero(np.any(bad, axis=1)):
                samples[c].stop_at(float(groups[index].nodes[bad[c].argmax()]))
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

    def _judge(self, cohorts: Sequence[Cohort]) -> list[Cohort]:
        """Let all samples decide how to go on, and return those that go on in their first phase."""
        n_rows, going = self.sums.shape[1], list[Cohort]()
        refined = self._refined()
        if refined:
            combined = refinement.combinations(n_rows)
            measured = self._measure([sample.index for sample in refined], combined, len(combined))
            for a, sample in enumerate(refined):
                sample.judge(measured, a, self.sums[sample.index])
        for cohort in cohorts:
            if not cohort.samples:
                continue
            combined = cohort.combinations(n_rows)
            # The difference before last has been projected, unless this is the first judgement.
            n_projected = min(2, len(combined)) if cohort.lengths else len(combined)
            going += cohort.judge(self._measure(cohort.index, combined, n_projected), n_rows)
        for cohort in cohorts:
            for sample in cohort.samples:
                if sample.phase:
                    self.sums[sample.index].zero_()
        return going

    def _measure(self, samples: list[int], combined: Array, n_projected: int) -> Measured:
        """Norms of the first `n_projected` of the same combinations of the sums of some samples."""
        index = torch.tensor(samples, device=self.x.device)
        weights = torch.as_tensor(combined).to(self.sums)
        n_targets = self.objective.n_targets
        norms, totals, aligned = list[Tensor](), list[Tensor](), list[Tensor]()

        def measure(part: slice) -> None:
            # Projections run over a few samples at a time: spectrograms can be larger than any chunk.
            rows = index[part]
            block = torch.einsum("kr,artd->katd", weights, self.sums[rows])
            products = block * self.delta[rows].to(self.wide).unsqueeze(1)
            columns = []
            for mean_gradient, product in zip(block[:n_projected], products, strict=False):
                shaped = mean_gradient.reshape(len(rows), n_targets, *self.x.shape[1:])
                column = [product.abs().sum(-1)]
                for project in self.projections:
                    column += [part.flatten(2).abs().sum(-1).to(self.wide) for part in project(shaped, rows)]
                columns.append(torch.stack(column, 1))
            cosine = torch.ones_like(products[0, :, :, 0])
            if len(products) > 2:
                cosine = torch.cosine_similarity(products[1], products[2], dim=-1, eps=TINY).abs()
            norms.append(torch.stack(columns, 1))
            totals.append(products.sum(-1).movedim(0, 1))
            aligned.append(cosine)

        self.chunks.run(len(samples), measure)
        lengths, ends = torch.cat(norms), (self.output[index], self.baseline_output[index])
        limits = gap_limit(lengths[:, 0, 0], *ends, self.settings.tol, self.x.dtype)
        return Measured(*map(_numpy, (lengths, torch.cat(totals), torch.cat(aligned), limits)))

    def _path(self) -> Path:
        coefficients = np.stack([sample.estimate(self.sums.shape[1]) for sample in self.samples])
        mean = torch.einsum("srt,srtd->std", torch.as_tensor(coefficients).to(self.sums), self.sums)
        mean[[sample.index for sample in self.samples if sample.status == "nonfinite"]] = torch.nan
        return Path(
            mean.reshape(len(self.x), self.objective.n_targets, *self.x.shape[1:]),
            self.output,
            self.baseline_output,
            torch.tensor([sample.used for sample in self.samples], dtype=torch.int64),
            torch.as_tensor(np.stack([sample.converged for sample in self.samples])),
            torch.as_tensor(np.stack([sample.error for sample in self.samples])),
            tuple(sample.diagnosis() for sample in self.samples),
        )


def _numpy(values: Tensor) -> Array:
    array: Array = values.double().cpu().numpy()
    return array

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
from .fixed import points_on_path, values_at
from .panels import Panel
from .path import Array, Path
from .refinement import Refinement
from .sample import Sample, Settings
from .streaming import Group, Sums, stream
from .whole_path import WholePath, family, first_size

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
        Domains in which the attributions are wanted, see `Projection`. Time, δ · ḡ, is always
        watched and need not be among them.
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
    )
    return _Integrator(objective, x, baseline, output, projections, settings, chunks).run()


def rows_per_sample(n_initial: int, max_evaluations: int) -> int:
    """Number of running sums that are kept for a sample and target.

    Examples
    --------
    >>> rows_per_sample(7, 2000)
    17
    """
    first = first_size(n_initial, max_evaluations)
    return max(len(family(first, max_evaluations)), refinement.N_ROWS)


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
        n_rows = max(len(settings.sizes), refinement.N_ROWS)
        shape = (len(x), n_rows, objective.n_targets, self.delta.shape[1])
        self.sums = torch.zeros(shape, dtype=self.wide, device=x.device)

    def run(self) -> Path:
        """Rounds until every sample has a status."""
        while active := self._active():
            self._evaluate_cuts(active)
            self._evaluate_nodes(self._active())
            self._judge(self._active())
        return self._path()

    def _active(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.status is None]

    def _evaluate_cuts(self, active: Sequence[Sample]) -> None:
        """F, without gradients, at cuts that are no nodes."""
        wanted = [
            (sample, place)
            for sample in active
            if isinstance(sample.phase, Refinement)
            for place in sample.phase.unknown_ends()
        ]
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
            if isinstance(sample.phase, Refinement):
                sample.phase.know(known.get(sample.index, {}))

    def _evaluate_nodes(self, active: Sequence[Sample]) -> None:
        """Gradients at the next nodes of all samples, in full chunks."""
        groups: list[Group] = []
        owners: list[tuple[Sample, Panel | None]] = []
        for sample in active:
            groups += (new := sample.phase.propose())
            panels = sample.phase.open if isinstance(sample.phase, Refinement) else [None]
            owners += [(sample, panel) for panel in panels]
            sample.used += sum(len(group.nodes) for group in new)

        def absorb(index: int, result: Sums) -> None:
            sample, panel = owners[index]
            bad = ~np.isfinite(result.sizes).all(1)
            if bad.any():
                sample.stop_at(float(groups[index].nodes[bad.argmax()]))
            if sample.status is not None:
                return
            rows = self.sums[sample.index]
            if isinstance(sample.phase, WholePath):
                sample.phase.absorb(result, rows)
                sample.trace.add(groups[index].nodes, result.values, result.slopes, result.sizes)
            elif panel is not None:
                sample.phase.absorb(panel, result, rows, sample.allowed, sample.allowed_gap)

        if groups:
            stream(self.objective, self.x, self.baseline, groups, self.chunks, absorb)

    def _judge(self, active: Sequence[Sample]) -> None:
        """Let every sample decide how to go on."""
        by_number: dict[int, list[tuple[Sample, Array]]] = {}
        for sample in active:
            combined = sample.phase.combinations(self.sums.shape[1])
            by_number.setdefault(len(combined), []).append((sample, combined))
        for pairs in by_number.values():
            norms, totals = self._measure([s.index for s, _ in pairs], np.stack([c for _, c in pairs]))
            index = torch.tensor([sample.index for sample, _ in pairs], device=self.x.device)
            length = torch.as_tensor(norms[:, 0, 0]).to(self.sums)
            limits = _numpy(
                gap_limit(
                    length,
                    self.output[index],
                    self.baseline_output[index],
                    self.settings.tol,
                    self.x.dtype,
                )
            )
            for k, (sample, _) in enumerate(pairs):
                sample.judge(norms[k], totals[k], limits[k], self.sums[sample.index])

    def _measure(self, samples: list[int], combined: Array) -> tuple[Array, Array]:
        """L1 norms in time and every projection, (A, K, P, T), and sums, (A, K, T), of combined sums."""
        index = torch.tensor(samples, device=self.x.device)
        n_targets = self.objective.n_targets
        norms: list[Array] = []
        totals = np.empty((*combined.shape[:2], n_targets))

        def measure(part: slice) -> None:
            # Projections run over a few samples at a time: spectrograms can be larger than any chunk.
            rows, delta = index[part], self.delta[index[part]].to(self.wide)
            block = torch.einsum(
                "akr,artd->katd", torch.as_tensor(combined[part]).to(self.sums), self.sums[rows]
            )
            columns, sums = [], []
            for mean_gradient in block:
                products = mean_gradient * delta.unsqueeze(1)
                sums.append(products.sum(-1))
                column = [products.abs().sum(-1)]
                shaped = mean_gradient.reshape(len(rows), n_targets, *self.x.shape[1:])
                for project in self.projections:
                    column += [part.flatten(2).abs().sum(-1).to(self.wide) for part in project(shaped, rows)]
                columns.append(torch.stack(column, 1))
            totals[part] = _numpy(torch.stack(sums, 1))
            norms.append(_numpy(torch.stack(columns, 1)))

        self.chunks.run(len(samples), measure)
        return np.concatenate(norms), totals

    def _path(self) -> Path:
        mean = torch.empty(
            (len(self.x), self.objective.n_targets, self.delta.shape[1]),
            dtype=self.wide,
            device=self.x.device,
        )
        for sample in self.samples:
            if sample.status == "nonfinite":
                mean[sample.index] = torch.nan
                continue
            coefficients = torch.as_tensor(sample.phase.estimate(self.sums.shape[1])).to(self.sums)
            mean[sample.index] = (coefficients.unsqueeze(2) * self.sums[sample.index]).sum(0)
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

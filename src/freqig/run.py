"""Walks through a batch block by block: integrate, project, keep the projections only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor
from tqdm import tqdm

from .classes import UNKNOWN, Classes
from .completeness import gap_limit, is_complete
from .domains import Domain
from .domains.base import Coefficients
from .domains.nonlinear import attribution_shape
from .frame import Frame
from .integration.fixed import NonFiniteError
from .integration.path import Diagnosis, Path
from .objective import Objective

FIELDS = ("output", "baseline_output", "gap", "correction", "limit", "converged", "error", "n_evaluations")


@dataclass(frozen=True)
class Run:
    """What was computed for some samples, without labels; S samples, T targets.

    Parameters
    ----------
    domains : sequence of Domain
        What was explained in.
    attributions : list of torch.Tensor
        One a domain, shape (S, T, *axes, *coefficients).
    output, baseline_output : torch.Tensor
        Explained scalars at both ends, float64, shape (S, T).
    gap, correction : torch.Tensor
        Completeness gap before the last correction of the attributions, and what that added to their
        sum, float64, shape (S, T): Σ attribution = output - baseline_output + gap + correction.
    limit : torch.Tensor
        Largest gap that counts as complete, float64, shape (S, T).
    converged : torch.Tensor
        Whether the tolerance was reached, bool, shape (S, T).
    error : torch.Tensor
        Estimated L1 error of the attributions relative to their norm, float64, shape (S, T); NaN
        where the integrator does not estimate it.
    n_evaluations : torch.Tensor
        Points at which a gradient was taken, int64, shape (S,).
    diagnoses : tuple of Diagnosis
        How integration ended, one a sample; empty where the integrator does not say.
    own : dict of str to dict of str to torch.Tensor
        By name of a domain that is not linear: `completeness_gap`, `correction` and `converged`,
        shape (S, T), and `n_evaluations`, shape (S,), of the path of its own.
    spreads : list of torch.Tensor
        Standard deviations over several baselines, one a domain; empty where there was one.
    targets : torch.Tensor or None
        Explained classes, shape (S, T), or output indices, shape (S, 1, m); of a callable scale
        whatever it was given, shape (S, T, ...); None where it needed none.
    predicted : torch.Tensor or None
        Predicted classes, shape (S,); None where it is not known which axis holds them.
    classes : Classes
        How the outputs were read.
    """

    domains: Sequence[Domain]
    attributions: list[Tensor]
    output: Tensor
    baseline_output: Tensor
    gap: Tensor
    correction: Tensor
    limit: Tensor
    converged: Tensor
    error: Tensor
    n_evaluations: Tensor
    diagnoses: tuple[Diagnosis, ...] = ()
    own: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    spreads: list[Tensor] = field(default_factory=list)
    targets: Tensor | None = None
    predicted: Tensor | None = None
    classes: Classes = UNKNOWN

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], n_targets: int, domains: Sequence[Domain], dtype: torch.dtype
    ) -> Run:
        """Space for the results of signals of a shape (N, *axes, n), on the CPU."""
        n_samples = shape[0]
        attributions = [
            torch.empty((n_samples, n_targets, *attribution_shape(domain, (1, *shape[1:]))[1:]), dtype=dtype)
            for domain in domains
        ]

        def scalars() -> Tensor:
            return torch.empty((n_samples, n_targets), dtype=torch.float64)

        return cls(
            domains,
            attributions,
            output=scalars(),
            baseline_output=scalars(),
            gap=scalars(),
            correction=scalars(),
            limit=scalars(),
            converged=torch.empty((n_samples, n_targets), dtype=torch.bool),
            error=scalars(),
            n_evaluations=torch.empty(n_samples, dtype=torch.int64),
            own={
                domain.name: {
                    "completeness_gap": scalars(),
                    "correction": scalars(),
                    "converged": torch.empty((n_samples, n_targets), dtype=torch.bool),
                    "n_evaluations": torch.empty(n_samples, dtype=torch.int64),
                }
                for domain in domains
                if not domain.linear
            },
        )

    def store(self, part: slice, block: Run) -> None:
        """Copy the results of a block of samples to their place."""
        for space, values in zip(self.attributions, block.attributions, strict=True):
            space[part] = values
        for name in FIELDS:
            getattr(self, name)[part] = getattr(block, name)
        for name, scalars in block.own.items():
            for key, values in scalars.items():
                self.own[name][key][part] = values


Projection = Callable[[Tensor, Tensor], tuple[Tensor, ...]]
Engine = Callable[[Objective, Tensor, Tensor, Tensor], Run]
"""From objective, input, baseline and explained scalar at the input of a block to its results."""


@dataclass(frozen=True)
class Analysis:
    """Coefficients of x - x' in linear domains: found once, for adaptive integration and projection.

    Parameters
    ----------
    domains : sequence of Domain
        Linear domains, made ready.
    coefficients : list of torch.Tensor or of tuples of torch.Tensor
        One a domain, of S samples.
    axes : tuple of int
        Axes of one signal that appear in the result, time last.
    dtype : torch.dtype
        Dtype of projections.
    """

    domains: Sequence[Domain]
    coefficients: list[Coefficients]
    axes: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, x: Tensor, baseline: Tensor, frame: Frame, domains: Sequence[Domain]) -> Analysis:
        """Analyze the ends of the paths of S samples, shape (S, *shape), dtype of the model."""
        axes, dtype = (*frame.axes, frame.n), working_dtype(x.dtype)
        ends = [end.to(dtype).reshape(len(x), *axes) for end in (x, baseline)]
        coefficients = [domain.analyze_pair(*ends) for domain in domains]
        for domain, c in zip(domains, coefficients, strict=True):
            if not all(bool(part.isfinite().all()) for part in (c if isinstance(c, tuple) else (c,))):
                largest = max(float(end.abs().max()) for end in ends)
                raise ValueError(
                    f"signals must be so small that domain {domain.name!r} does not overflow "
                    f"{str(dtype).removeprefix('torch.')}, got values up to {largest:.3g}: rescale them, for "
                    "example by choosing another unit, or pass dtype=torch.float64 to Explainer"
                )
        return cls(domains, coefficients, axes, dtype)

    def projections(self) -> list[Projection]:
        """What adaptive integration watches.

        Returns
        -------
        list of callables
            From mean gradients of some samples, shape (S', T, *shape), and which samples they are,
            int64, to tensors of attributions, each of shape (S', T, ...).
        """
        return [partial(self._project, k) for k in range(len(self.domains))]

    def attributions(self, mean_gradient: Tensor) -> list[Tensor]:
        """Attributions of all samples, one a domain, for mean gradients of shape (S, T, *shape)."""
        return [
            torch.stack([domain.assemble(parts) for parts in self._products(domain, c, mean_gradient)], 1)
            for domain, c in zip(self.domains, self.coefficients, strict=True)
        ]

    def _project(self, k: int, mean_gradient: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
        c = self.coefficients[k]
        chosen = (
            tuple(part.index_select(0, rows) for part in c)
            if isinstance(c, tuple)
            else c.index_select(0, rows)
        )
        per_target = self._products(self.domains[k], chosen, mean_gradient)
        return tuple(torch.stack(parts, 1) for parts in zip(*per_target, strict=True))

    def _products(self, domain: Domain, c: Coefficients, mean_gradient: Tensor) -> list[tuple[Tensor, ...]]:
        # The coefficients of x - x' serve every target.
        gradients = mean_gradient.to(self.dtype).unbind(1)
        return [domain.products(c, gradient.reshape(len(gradient), *self.axes)) for gradient in gradients]


def project(path: Path, x: Tensor, baseline: Tensor, analysis: Analysis, tol: float) -> Run:
    """Project integrated paths onto linear domains.

    Parameters
    ----------
    path : Path
        Path-averaged gradients of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape), dtype of the model.
    analysis : Analysis
        Coefficients of the same samples.
    tol : float
        Tolerance of the completeness gap.

    Returns
    -------
    Run
        Results of the block.
    """
    delta = (x - baseline).to(path.mean_gradient.dtype)
    products = (delta.unsqueeze(1) * path.mean_gradient).flatten(2)
    gap = products.sum(-1) - (path.output - path.baseline_output) - path.correction
    scale = products.abs().sum(-1), path.output, path.baseline_output, tol, x.dtype
    complete = is_complete(gap, path.correction, *scale)
    return Run(
        analysis.domains,
        analysis.attributions(path.mean_gradient),
        path.output,
        path.baseline_output,
        gap,
        path.correction,
        gap_limit(*scale),
        complete if path.converged is None else complete & path.converged,
        torch.full_like(gap, torch.nan) if path.error is None else path.error,
        path.n_evaluations,
        path.diagnoses,
    )


def explain_blocks(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    output: Tensor,
    engine: Engine,
    block_size: int,
    space: Run,
    progress: bool,
) -> Run:
    """Explain a batch block by block, so that memory beyond results does not grow with it.

    Parameters
    ----------
    objective : Objective
        Explained scalars of N samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (N, *shape), dtype and device of the model.
    output : torch.Tensor
        Explained scalars at the input, shape (N, T).
    engine : callable
        Explains a block.
    block_size : int
        Samples a block.
    space : Run
        Where the results go.
    progress : bool
        Whether to show a progress bar that counts samples.

    Returns
    -------
    Run
        `space`, filled.
    """
    n_samples, diagnoses = len(x), list[Diagnosis]()
    with tqdm(total=n_samples, disable=not progress, unit="sample") as bar:
        for begin in range(0, n_samples, block_size):
            part = slice(begin, min(begin + block_size, n_samples))
            ends = x[part], baseline[part], output[part]
            try:
                block = engine(objective.block(part.start, part.stop), *ends)
            except NonFiniteError as error:
                # The integrator counts from the first sample of the block.
                raise NonFiniteError(error.sample, error.place, part.start) from None
            space.store(part, block)
            diagnoses.extend(block.diagnoses)
            bar.update(part.stop - part.start)
    return replace(space, diagnoses=tuple(diagnoses))


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """Dtype of projections and results: the model's, but no less than float32."""
    return dtype if dtype in (torch.float32, torch.float64) else torch.float32

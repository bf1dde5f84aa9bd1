"""Engines: fixed nodes, adaptive nodes, and Captum's Integrated Gradients for reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .._check import check_choice, check_count, check_positive
from ..chunks import Chunks
from ..completeness import gap_limit
from ..domains import Domain
from ..domains.nonlinear import NonlinearDomain
from ..frequency_model import FrequencyModel
from ..integration.adaptive import integrate_adaptive, rows_per_sample
from ..integration.fixed import baseline_values, integrate
from ..integration.path import Path
from ..models.base import NOT_DIFFERENTIABLE
from ..objective.objective import Objective
from ..quadrature import gauss_legendre
from ..result.attributions import Run, project
from ..signals.axes import Axes
from .blocks import BlockSize
from .own_path import explain_nonlinear
from .projection import Analysis, Projection, working_dtype

ENGINES = ("path", "captum")

Integrator = Callable[..., Path]


@dataclass(frozen=True)
class Method:
    """How paths are integrated.

    Parameters
    ----------
    engine : {"path", "captum"}
        Whose integrator.
    n_steps : int or None
        Gauss-Legendre nodes; None integrates adaptively.
    tol : float
        Relative tolerance of attributions and completeness gap.
    max_evaluations : int
        Most evaluations a sample, where integration is adaptive.
    n_initial : int
        Nodes of the first rule, where integration is adaptive.
    """

    engine: str
    n_steps: int | None
    tol: float
    max_evaluations: int
    n_initial: int

    @classmethod
    def read(cls, engine: Any, n_steps: Any, tol: Any, max_evaluations: Any, n_initial: Any) -> Method:
        """Check what a caller asked for."""
        engine = check_choice(engine, "engine", ENGINES)
        if n_steps is None and engine == "captum":
            # Captum's integrator has no error estimate; 50 is its own default.
            n_steps = 50
        return cls(
            engine,
            None if n_steps is None else check_count(n_steps, "n_steps"),
            check_positive(tol, "tol"),
            check_count(max_evaluations, "max_evaluations"),
            check_count(n_initial, "n_initial"),
        )

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        """Samples and targets a block: enough that most chunks are full, few enough to bound memory."""
        n_nodes = self.n_initial if self.n_steps is None else self.n_steps
        full = -(-32 * chunks.size // n_nodes)
        rows = min(rows_per_sample(self.n_initial, self.max_evaluations), chunks.memory.n_sums(n_features))
        # Sums of one sample and target each.
        fit = max(1, chunks.memory.block // (rows * 8 * n_features))
        return BlockSize(max(1, min(full, fit // n_targets)), max(1, min(fit, n_targets)))


def explain_with_nodes(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    output: Tensor,
    *,
    method: Method,
    chunks: Chunks,
    axes: Axes,
    domains: Sequence[Domain],
) -> Run:
    """Explain a block by freqig's own integrator, with fixed or adaptive nodes.

    Parameters
    ----------
    objective : Objective
        Explained scalars of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape).
    output : torch.Tensor
        Explained scalars at the input, shape (S, T).
    method : Method
        Fixed or adaptive nodes, and tolerances.
    chunks : Chunks
        Points a call.
    axes : Axes
        Axes of the signal that appear in the result.
    domains : sequence of Domain
        Domains made ready.

    Returns
    -------
    Run
        Results of the block.
    """
    linear = [domain for domain in domains if domain.linear]
    chunks = chunks.at_most(chunks.memory.n_points(objective.n_targets * x[0].numel()))
    integrator = _integrator(method, chunks)
    analysis = Analysis.of(x, baseline, axes, linear)
    path = integrator(objective, x, baseline, output, analysis.projections())
    run = project(path, x, baseline, analysis, method.tol)
    straight, own = dict(zip([d.name for d in linear], run.attributions, strict=True)), {}
    for domain in domains:
        if isinstance(domain, NonlinearDomain):
            ends = path.output, path.baseline_output
            curved = explain_nonlinear(
                domain, objective, x, baseline, ends, axes.sizes, integrator, method.tol
            )
            straight[domain.name] = curved.attributions
            own[domain.name] = {
                "completeness_gap": curved.gap,
                "correction": curved.path.correction,
                "converged": curved.converged,
                "n_evaluations": curved.path.n_evaluations,
            }
    attributions = [straight[domain.name] for domain in domains]
    return replace(run, domains=domains, attributions=attributions, own=own)


def _integrator(method: Method, chunks: Chunks) -> Integrator:
    """Fixed or adaptive nodes, with the same arguments."""

    def integrator(
        objective: Objective,
        x: Tensor,
        baseline: Tensor,
        output: Tensor,
        projections: Sequence[Projection] = (),
    ) -> Path:
        if method.n_steps is not None:
            return integrate(objective, x, baseline, output, gauss_legendre(method.n_steps), chunks)
        return integrate_adaptive(
            objective,
            x,
            baseline,
            output,
            projections=projections,
            tol=method.tol,
            max_evaluations=method.max_evaluations,
            n_initial=method.n_initial,
            chunks=chunks,
        )

    return integrator


def explain_with_captum(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    output: Tensor,
    *,
    method: Method,
    chunks: Chunks,
    axes: Axes,
    domains: Sequence[Domain],
) -> Run:
    """Attributions of the RFFT by Captum's Integrated Gradients over `FrequencyModel`.

    Parameters
    ----------
    objective : Objective
        Explained scalars of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape, n).
    output : torch.Tensor
        Explained scalars at the input, shape (S, T).
    method : Method
        Number of nodes, and tolerance.
    chunks : Chunks
        Bounds the points a call, through Captum's `internal_batch_size`.
    axes : Axes
        Axes of the signal that appear in the result.
    domains : sequence of Domain
        The RFFT, under one name or several.

    Returns
    -------
    Run
        Results of the block.

    Raises
    ------
    TypeError
        If the model is not a PyTorch one: Captum needs the graph.
    ValueError
        If the output does not depend differentiably on the input.
    """
    # Captum imports matplotlib, which takes longer than most explanations.
    from captum.attr import IntegratedGradients

    dtype, n = working_dtype(x.dtype), x.shape[-1]
    scores = x.new_empty((len(x), objective.n_targets, *x.shape[1:-1], n // 2 + 1), dtype=dtype)

    def explain(part: slice, t: int) -> None:
        def explained(points: Tensor, rows: Tensor) -> Tensor:
            # There are no Fourier transforms in half precision.
            values = objective.differentiable(points.to(x.dtype), rows)[:, t]
            if not values.requires_grad:
                raise ValueError(NOT_DIFFERENTIABLE)
            return values.to(dtype)

        frequency_model = FrequencyModel(explained, n)
        spectrum = frequency_model.inverse.spectrum
        attributions = IntegratedGradients(frequency_model).attribute(
            spectrum(x[part].to(dtype)),
            baselines=spectrum(baseline[part].to(dtype)),
            # Captum repeats this argument with the points, and so says whose they are.
            additional_forward_args=(torch.arange(part.start, part.stop, device=x.device),),
            n_steps=method.n_steps,
            method="gausslegendre",
            internal_batch_size=chunks.size,
        )
        scores[part, t] = attributions.detach().sum(-1)

    for t in range(objective.n_targets):
        chunks.run(len(x), partial(explain, t=t), each=method.n_steps or 1)
    scores = scores.reshape(*scores.shape[:2], *axes.sizes, n // 2 + 1)
    baseline_output = baseline_values(objective, baseline, chunks)
    flat = scores.double().flatten(2)
    gap = flat.sum(-1) - (output - baseline_output)
    limit = gap_limit(flat.abs().sum(-1), output, baseline_output, method.tol, x.dtype)
    return Run(
        domains,
        [scores] * len(domains),
        output,
        baseline_output,
        gap,
        torch.zeros_like(gap),
        limit,
        gap.abs() <= limit,
        torch.full_like(gap, torch.nan),
        torch.full((len(x),), method.n_steps or 0, dtype=torch.int64),
    )

"""Walks through a batch block by block: integrate, project, keep the projections only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from .completeness import gap_limit
from .domains import Domain
from .frame import Frame
from .objective import Objective
from .paths import Path


@dataclass(frozen=True)
class Run:
    """What was computed for some samples, without labels; S samples, T targets.

    Parameters
    ----------
    domains : sequence of Domain
        What was explained in.
    attributions : list of torch.Tensor
        One a domain, shape (S, T, *axes, *coefficients).
    output, baseline_output, gap, limit : torch.Tensor
        Explained scalars at both ends, completeness gap and its limit, float64, shape (S, T).
    n_evaluations : torch.Tensor
        Points at which a gradient was taken, int64, shape (S,).
    targets : torch.Tensor or None
        Explained output indices, shape (S, T, m); None where a callable scale needed none.
    predicted : torch.Tensor or None
        Predicted classes, shape (S,).
    """

    domains: Sequence[Domain]
    attributions: list[Tensor]
    output: Tensor
    baseline_output: Tensor
    gap: Tensor
    limit: Tensor
    n_evaluations: Tensor
    targets: Tensor | None = None
    predicted: Tensor | None = None

    @property
    def converged(self) -> Tensor:
        """Whether the completeness gap is inside its limit, bool, shape (S, T)."""
        return self.gap.abs() <= self.limit

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], n_targets: int, domains: Sequence[Domain], dtype: torch.dtype
    ) -> Run:
        """Space for the results of signals of a shape (N, *axes, n), on the CPU."""
        n_samples = shape[0]
        zeros = torch.zeros((1, *shape[1:]), dtype=dtype)
        attributions = [
            torch.empty((n_samples, n_targets, *domain.attribution(zeros, zeros).shape[1:]), dtype=dtype)
            for domain in domains
        ]

        def scalars() -> Tensor:
            return torch.empty((n_samples, n_targets), dtype=torch.float64)

        evaluations = torch.empty(n_samples, dtype=torch.int64)
        return cls(domains, attributions, scalars(), scalars(), scalars(), scalars(), evaluations)

    def store(self, part: slice, block: Run) -> None:
        """Copy the results of a block of samples to their place."""
        for space, values in zip(self.attributions, block.attributions, strict=True):
            space[part] = values
        for field in ("output", "baseline_output", "gap", "limit", "n_evaluations"):
            getattr(self, field)[part] = getattr(block, field)


Engine = Callable[[Objective, Tensor, Tensor, Tensor], Run]
"""From objective, input, baseline and explained scalar at the input of a block to its results."""


def project(
    path: Path, x: Tensor, baseline: Tensor, frame: Frame, domains: Sequence[Domain], tol: float
) -> Run:
    """Project integrated paths onto every domain.

    Parameters
    ----------
    path : Path
        Path-averaged gradients of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape), dtype of the model.
    frame : Frame
        Axes of the signal that appear in the result.
    domains : sequence of Domain
        Bound domains.
    tol : float
        Tolerance of the completeness gap.

    Returns
    -------
    Run
        Results of the block.
    """
    delta = (x - baseline).to(path.mean_gradient.dtype)
    products = (delta.unsqueeze(1) * path.mean_gradient).flatten(2)
    gap = products.sum(-1) - (path.output - path.baseline_output)
    limit = gap_limit(products.abs().sum(-1), path.output, path.baseline_output, tol, x.dtype)
    dtype = working_dtype(x.dtype)
    shape = (len(x), *frame.axes, frame.n)
    ends = [end.to(dtype).reshape(shape) for end in (x, baseline)]
    gradients = [gradient.reshape(shape) for gradient in path.mean_gradient.to(dtype).unbind(1)]
    attributions = []
    for domain in domains:
        # The coefficients of x - x' serve every target.
        c = domain.analyze_pair(*ends)
        per_target = [domain.assemble(domain.products(c, gradient)) for gradient in gradients]
        attributions.append(torch.stack(per_target, 1))
    return Run(
        domains, attributions, path.output, path.baseline_output, gap, limit, path.n_evaluations
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
    n_samples = len(x)
    with tqdm(total=n_samples, disable=not progress, unit="sample") as bar:
        for begin in range(0, n_samples, block_size):
            part = slice(begin, min(begin + block_size, n_samples))
            block = objective.block(part.start, part.stop)
            space.store(part, engine(block, x[part], baseline[part], output[part]))
            bar.update(part.stop - part.start)
    return space


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """Dtype of projections and results: the model's, but no less than float32."""
    return dtype if dtype in (torch.float32, torch.float64) else torch.float32

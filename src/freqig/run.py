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


@dataclass
class Run:
    """What was computed for some samples, without labels; S samples, T targets.

    Parameters
    ----------
    attributions : dict of str to torch.Tensor
        By name of the domain, shape (S, T, *axes, *coefficients).
    output, baseline_output, gap, limit : torch.Tensor
        Explained scalars at both ends, completeness gap and its limit, float64, shape (S, T).
    n_evaluations : torch.Tensor
        Points at which a gradient was taken, int64, shape (S,).
    targets : torch.Tensor or None
        Explained output indices, shape (S, T, m); None where a callable scale needed none.
    predicted : torch.Tensor or None
        Predicted classes, shape (S,).
    """

    attributions: dict[str, Tensor]
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
        zeros = torch.zeros(shape[1:], dtype=dtype)
        attributions = {
            domain.name: torch.empty(
                (n_samples, n_targets, *domain.attribution(zeros, zeros).shape), dtype=dtype
            )
            for domain in domains
        }
        scalars = [torch.empty((n_samples, n_targets), dtype=torch.float64) for _ in range(4)]
        return cls(attributions, *scalars, torch.empty(n_samples, dtype=torch.int64))

    def store(self, part: slice, block: Run) -> None:
        """Copy the results of a block of samples to their place."""
        for name, values in block.attributions.items():
            self.attributions[name][part] = values
        for field in ("output", "baseline_output", "gap", "limit", "n_evaluations"):
            getattr(self, field)[part] = getattr(block, field)


Engine = Callable[[Objective, Tensor, Tensor], Run]
"""From the objective and ends of the paths of a block of samples to its results."""


def project(path: Path, delta: Tensor, frame: Frame, domains: Sequence[Domain], tol: float) -> Run:
    """Project integrated paths onto every domain.

    Parameters
    ----------
    path : Path
        Path-averaged gradients of S samples.
    delta : torch.Tensor
        x - x', shape (S, *shape), dtype of the model.
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
    products = (delta.to(path.mean_gradient.dtype).unsqueeze(1) * path.mean_gradient).flatten(2)
    gap = products.sum(-1) - (path.output - path.baseline_output)
    limit = gap_limit(
        products.abs().sum(-1), path.output, path.baseline_output, tol, delta.dtype
    )
    dtype = working_dtype(delta.dtype)
    # One of T targets after the other: the coefficients of delta serve all of them.
    squeezed = delta.to(dtype).reshape(len(delta), *frame.axes, frame.n)
    gradients = path.mean_gradient.to(dtype).unbind(1)
    attributions = {
        domain.name: torch.stack(
            [domain.attribution(squeezed, g.reshape(squeezed.shape)) for g in gradients], 1
        )
        for domain in domains
    }
    return Run(attributions, path.output, path.baseline_output, gap, limit, path.n_evaluations)


def explain_blocks(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
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
            space.store(part, engine(block, x[part], baseline[part]))
            bar.update(part.stop - part.start)
    return space


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """Dtype of projections and results: the model's, but no less than float32."""
    return dtype if dtype in (torch.float32, torch.float64) else torch.float32

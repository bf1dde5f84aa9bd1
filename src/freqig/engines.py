"""Captum's Integrated Gradients as a reference engine beside freqig's own path integrator."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from .chunks import Chunks
from .completeness import gap_limit
from .domains import Domain
from .layers import FrequencyModel
from .models.base import NOT_DIFFERENTIABLE
from .objective import Objective
from .paths import values_at
from .run import Run, working_dtype


def explain_with_captum(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    output: Tensor,
    *,
    n_steps: int,
    chunks: Chunks,
    domain: Domain,
    axes: tuple[int, ...],
    tol: float,
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
    n_steps : int
        Gauss-Legendre nodes.
    chunks : Chunks
        Bounds the points a call, through Captum's `internal_batch_size`.
    domain : Domain
        The RFFT domain.
    axes : tuple of int
        Sizes of the axes between sample and frequency in the result.
    tol : float
        Tolerance of the completeness gap.

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
            n_steps=n_steps,
            method="gausslegendre",
            internal_batch_size=chunks.size,
        )
        scores[part, t] = attributions.detach().sum(-1)

    for t in range(objective.n_targets):
        chunks.run(len(x), partial(explain, t=t))
    scores = scores.reshape(*scores.shape[:2], *axes, n // 2 + 1)
    baseline_output = values_at(objective, baseline, chunks)
    flat = scores.double().flatten(2)
    return Run(
        [domain],
        [scores],
        output,
        baseline_output,
        flat.sum(-1) - (output - baseline_output),
        gap_limit(flat.abs().sum(-1), output, baseline_output, tol, x.dtype),
        torch.full((len(x),), n_steps, dtype=torch.int64),
    )

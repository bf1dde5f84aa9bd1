"""Captum's Integrated Gradients over `FrequencyModel`, for reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..chunks import Chunks
from ..completeness import gap_limit
from ..domains import Domain
from ..frequency_model import FrequencyModel
from ..models.base import NOT_DIFFERENTIABLE
from ..objective.ends import finite_baseline_values
from ..objective.paths import Paths
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .methods import FixedNodes
from .projection import working_dtype

DEFAULT_NODES = 50
"""Captum's own default: its integrator has no error estimate."""


@dataclass(frozen=True)
class Captum(FixedNodes):
    """The same nodes, integrated by Captum in the spectrum itself: an independent reference."""

    engine = "captum"

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        """Attributions of the RFFT; `domains` is the RFFT, under one name or several.

        Raises
        ------
        TypeError
            If the model is not a PyTorch one: Captum needs the graph.
        ValueError
            If the output does not depend differentiably on the input.
        """
        # Captum imports matplotlib, which takes longer than most explanations.
        from captum.attr import IntegratedGradients

        x, baseline = paths.x, paths.baseline
        dtype, n = working_dtype(x.dtype), x.shape[-1]
        scores = x.new_empty((len(x), paths.n_targets, *x.shape[1:-1], n // 2 + 1), dtype=dtype)

        def explain(part: slice, t: int) -> None:
            def explained(points: Tensor, rows: Tensor) -> Tensor:
                # There are no Fourier transforms in half precision.
                values = paths.objective.differentiable(points.to(x.dtype), rows)[:, t]
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
                n_steps=self.n_steps,
                method="gausslegendre",
                internal_batch_size=chunks.size,
            )
            scores[part, t] = attributions.detach().sum(-1)

        for t in range(paths.n_targets):
            chunks.run(len(x), partial(explain, t=t), each=self.n_steps)
        scores = scores.reshape(*scores.shape[:2], *axes.sizes, n // 2 + 1)
        baseline_output = finite_baseline_values(paths, chunks)
        flat = scores.double().flatten(2)
        gap = flat.sum(-1) - (paths.output - baseline_output)
        limit = gap_limit(flat.abs().sum(-1), paths.output, baseline_output, self.tol, x.dtype)
        return Attributions(
            domains,
            [scores] * len(domains),
            paths.output,
            baseline_output,
            gap,
            torch.zeros_like(gap),
            limit,
            gap.abs() <= limit,
            torch.full_like(gap, torch.nan),
            torch.full((len(x),), self.n_steps, dtype=torch.int64),
        )

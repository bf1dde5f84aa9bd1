"""Explains signals along the path of a non-linear domain, as the package does block by block."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from freqig.chunks import Chunks
from freqig.domains import Polar, ready
from freqig.explain.own_path import OwnPath, explain_nonlinear
from freqig.integration import integrate, integrate_adaptive, values_at
from freqig.models import Model, as_model
from freqig.objective.arguments import Extra
from freqig.objective.objective import Objective
from freqig.quadrature import gauss_legendre


def objective_of(
    model: Any, x: Tensor, targets: Any = None, extra: Any = None, time_axis: int = -1
) -> Objective:
    """The output itself, for callables with one output, or the logits of targets."""
    if targets is None:
        return Objective(model, lambda raw, _: raw.reshape(len(raw)), None, Extra(), time_axis=time_axis)
    chosen = torch.tensor(targets).expand(len(x), -1).unsqueeze(-1)
    return Objective(model, "logit", chosen, Extra.of(extra, len(x), x.device), time_axis=time_axis)


def explained(
    model: Any,
    x: Tensor,
    baseline: Tensor,
    targets: Any = None,
    *,
    n_steps: int = 40,
    axes: tuple[int, ...] | None = None,
    chunk: int = 7,
    adaptive: bool = False,
    **how: Any,
) -> OwnPath:
    """Polar attributions of signals with time last."""
    adapter = model if isinstance(model, Model) else as_model(model, dtype=x.dtype)
    axes = tuple(x.shape[1:-1]) if axes is None else axes
    working = torch.float32 if x.dtype == torch.bfloat16 else x.dtype
    ends = (end.to(working).reshape(len(x), *axes, x.shape[-1]) for end in (x, baseline))
    (domain,) = ready([Polar()], *ends, None)
    chunks = Chunks(chunk)
    run = (
        partial(
            integrate_adaptive, projections=[], tol=1e-4, max_evaluations=3000, n_initial=7, chunks=chunks
        )
        if adaptive
        else partial(integrate, rule=gauss_legendre(n_steps), chunks=chunks)
    )
    with adapter.session() as running:
        objective = objective_of(running, x, targets, **how)
        outputs = (values_at(objective, x, chunks), values_at(objective, baseline, chunks))
        return explain_nonlinear(domain, objective, x, baseline, outputs, axes, run, 0.01)

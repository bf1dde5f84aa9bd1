"""Explains signals along the path of a non-linear domain, as the package does block by block."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from freqig.chunks import Chunks
from freqig.domains import Polar, ready
from freqig.explain.methods import AdaptiveNodes, FixedNodes
from freqig.explain.own_path import OwnPath, explain_nonlinear
from freqig.models import Model, as_model
from freqig.objective.arguments import Extra
from freqig.objective.ends import values_at
from freqig.objective.objective import Objective
from freqig.objective.paths import Paths


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
    method = AdaptiveNodes(1e-4, 3000, 7) if adaptive else FixedNodes(0.01, n_steps)
    with adapter.session() as running:
        objective = objective_of(running, x, targets, **how)
        paths = Paths(objective, x, baseline, values_at(objective, x, chunks))
        run = partial(method.integrate, projections=[], chunks=chunks)
        return explain_nonlinear(domain, paths, values_at(objective, baseline, chunks), axes, run, 0.01)

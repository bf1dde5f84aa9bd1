"""The package: Integrated Gradients on one path, by output and by baseline."""

from __future__ import annotations

from typing import Any

import xarray as xr

import freqig
from leaderboard.methods import Method
from leaderboard.task import Task


def setting(output: str, baseline: str, **more: Any) -> Method:
    """One setting of `freqig.Explainer`, in the domain of each problem."""

    def explain(task: Task) -> xr.Dataset:
        explainer = freqig.Explainer(
            task.model,
            fs=task.fs,
            domains=task.case.domain(),
            output=task.output(output),
            progress=False,
            **more,
        )
        return explainer(
            task.x,
            target=task.target,
            baseline=task.baseline(baseline),
            additional_forward_args=task.extra,
        )

    nodes = "".join(f" n_steps={n}" for n in more.values())
    says = f"freqig.Explainer, output={output!r}, baseline {baseline}" + (
        f", {nodes.strip()}" if nodes else ""
    )
    return Method(f"ig {output} {baseline}{nodes}", explain, says, ours=True)


METHODS = [
    setting("logit", "zero"),
    setting("log_prob", "zero"),
    setting("margin", "zero"),
    setting("probability", "zero"),
    setting("log_prob", "data"),
    setting("log_prob", "surrogate"),
    setting("log_prob", "zero", n_steps=8),
    setting("logit", "zero", n_steps=8),
]

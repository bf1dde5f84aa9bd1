"""Averages explanations over several baselines, as expected gradients do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .run import Run

MEANS = ("output", "baseline_output", "gap", "limit")


def average(runs: Iterable[Run]) -> tuple[Run, list[Tensor]]:
    """Mean of the attributions over baselines, and how far they spread.

    Every baseline has its own δ and ḡ, so attributions are averaged and never the gradients: the
    mean of δ · ḡ is not the product of the means. These are the expected gradients of Erion,
    Janizek, Sturmfels, Lundberg, Lee: Improving performance of deep learning models with axiomatic
    attribution priors and expected gradients (2021), with every path integrated in full where
    they draw one point of it.

    Runs are read one by one, mean and spread updated by the recurrence of Welford (1962), in
    float64: memory is that of three runs, whatever their number.

    Parameters
    ----------
    runs : iterable of Run
        The same samples, targets and domains, each with another baseline.

    Returns
    -------
    mean : Run
        Attributions, outputs, gap and limit are means, so that the attributions still sum to
        F(x) minus the mean of F(x'). `n_evaluations` is the sum; `converged` where all runs
        converged; `error` the largest; the diagnosis of a sample that of its first run which did
        not converge. Everything else is the first run's.
    spreads : list of torch.Tensor
        Standard deviation of the attributions over the baselines (with B - 1), one a domain, the
        shapes and dtypes of the attributions; NaN of a single baseline.

    Raises
    ------
    ValueError
        If there is no run.

    Examples
    --------
    >>> from freqig.domains import Time
    >>> def one(value):
    ...     scalar = torch.full((1, 1), value, dtype=torch.float64)
    ...     yes, count = torch.ones(1, 1, dtype=torch.bool), torch.ones(1, dtype=torch.int64)
    ...     return Run([Time()], [scalar], scalar, scalar, scalar, scalar, yes, scalar, count)
    >>> mean, (spread,) = average(one(value) for value in (1.0, 2.0, 6.0))
    >>> mean.attributions[0].item(), round(spread.item(), 3), mean.n_evaluations.item()
    (3.0, 2.646, 3)
    """
    runs = iter(runs)
    first = next(runs, None)
    if first is None:
        raise ValueError("runs must hold one run for every baseline, at least one, got none")
    attributions = [_Moments(values) for values in first.attributions]
    scalars = {name: _Moments(getattr(first, name)) for name in MEANS}
    converged, error, evaluations = first.converged, first.error, first.n_evaluations
    diagnoses = first.diagnoses
    own = {name: _Moments(s["completeness_gap"]) for name, s in first.own.items()}
    flags = {name: (s["converged"], s["n_evaluations"]) for name, s in first.own.items()}
    for run in runs:
        for moments, values in zip(attributions, run.attributions, strict=True):
            moments.add(values)
        for name, moments in scalars.items():
            moments.add(getattr(run, name))
        converged, error = converged & run.converged, torch.maximum(error, run.error)
        evaluations = evaluations + run.n_evaluations
        for name, scalars_of in run.own.items():
            own[name].add(scalars_of["completeness_gap"])
            yes, count = flags[name]
            flags[name] = yes & scalars_of["converged"], count + scalars_of["n_evaluations"]
        diagnoses = tuple(
            new if old.status == "converged" else old
            for old, new in zip(diagnoses, run.diagnoses, strict=True)
        )
    means: dict[str, Any] = {name: moments.mean for name, moments in scalars.items()}
    mean = replace(
        first,
        attributions=[moments.mean.to(moments.dtype) for moments in attributions],
        converged=converged,
        error=error,
        n_evaluations=evaluations,
        diagnoses=diagnoses,
        own={
            name: {
                "completeness_gap": gap.mean,
                "converged": flags[name][0],
                "n_evaluations": flags[name][1],
            }
            for name, gap in own.items()
        },
        **means,
    )
    return mean, [moments.deviation().to(moments.dtype) for moments in attributions]


class _Moments:
    """Running mean and sum of squared deviations, in float64 where the device has it."""

    def __init__(self, values: Tensor) -> None:
        self.dtype = values.dtype
        self.count = 1
        self.mean = values.to(torch.float32 if values.device.type == "mps" else torch.float64, copy=True)
        self.squares = torch.zeros_like(self.mean)

    def add(self, values: Tensor) -> None:
        self.count += 1
        before = values.to(self.mean.dtype) - self.mean
        self.mean += before / self.count
        self.squares += before * (values.to(self.mean.dtype) - self.mean)

    def deviation(self) -> Tensor:
        if self.count == 1:
            return torch.full_like(self.squares, torch.nan)
        return (self.squares / (self.count - 1)).sqrt()

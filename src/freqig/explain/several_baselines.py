"""Averages explanations over several baselines, as expected gradients do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .._tensor_check import widest
from ..completeness import correctable_gap, gap_limit, is_complete
from ..diagnosis import Diagnosis, first_shortfalls
from ..result.attributions import Attributions

MEANS = ("output", "baseline_output", "gap", "correction")


def average(
    runs: Iterable[Attributions], tol: float, dtype: torch.dtype
) -> tuple[Attributions, list[Tensor]]:
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
    runs : iterable of Attributions
        The same samples, targets and domains, each with another baseline.
    tol : float
        Relative tolerance of attributions and completeness gap.
    dtype : torch.dtype
        Dtype of the model, whose rounding the gap is allowed.

    Returns
    -------
    mean : Attributions
        Attributions, outputs, gap and correction are means, so that the attributions still sum to
        F(x) minus the mean of F(x'), plus both. `n_evaluations` is the sum. `error` is that of the
        mean, relative to the mean: of several paths the errors add in quadrature, as a model's kinks
        lie elsewhere on each. `converged` where all runs converged and the means keep `tol` too, which
        they need not where attributions cancel. The diagnosis of a sample is that of its first run
        which did not converge. Everything else is the first run's.
    spreads : list of torch.Tensor
        Standard deviation of the attributions over the baselines (with B - 1), one per domain, the
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
    ...     return Attributions([Time()], [scalar.unsqueeze(2)], *[scalar] * 5, yes, scalar, count)
    >>> mean, (spread,) = average((one(value) for value in (1.0, 2.0, 6.0)), 0.01, torch.float64)
    >>> mean.values[0].item(), round(spread.item(), 3), mean.n_evaluations.item()
    (3.0, 2.646, 3)
    """
    runs = iter(runs)
    first = next(runs, None)
    if first is None:
        raise ValueError("runs must hold one run for every baseline, at least one, got none")
    attributions = [_Moments(values) for values in first.values]
    scalars = {name: _Moments(getattr(first, name)) for name in MEANS}
    converged, evaluations, squares = first.converged, first.n_evaluations, _squared_errors(first)
    diagnoses = first.diagnoses
    own = {
        name: {key: _Moments(s[key]) for key in ("completeness_gap", "correction")}
        for name, s in first.own.items()
    }
    flags = {name: (s["converged"], s["n_evaluations"]) for name, s in first.own.items()}
    for run in runs:
        for moments, values in zip(attributions, run.values, strict=True):
            moments.add(values)
        for name, moments in scalars.items():
            moments.add(getattr(run, name))
        converged, squares = converged & run.converged, squares + _squared_errors(run)
        evaluations = evaluations + run.n_evaluations
        for name, scalars_of in run.own.items():
            for key, moments in own[name].items():
                moments.add(scalars_of[key])
            yes, count = flags[name]
            flags[name] = yes & scalars_of["converged"], count + scalars_of["n_evaluations"]
        diagnoses = first_shortfalls(diagnoses, run.diagnoses)
    means: dict[str, Any] = {name: moments.mean for name, moments in scalars.items()}
    norms = torch.stack([_norm(moments.mean) for moments in attributions])
    # A domain that shows nothing errs by nothing.
    errors = squares.sqrt() / attributions[0].count
    error = torch.where(errors > 0, errors / norms, errors).amax(0)
    scale = norms.amin(0), means["output"], means["baseline_output"], tol, dtype
    limits = gap_limit(*scale), correctable_gap(*scale)
    # Fixed nodes know no error.
    kept = is_complete(means["gap"], means["correction"], *limits) & ~(error > tol)
    cancelling = (converged & ~kept).any(1).tolist()
    mean = replace(
        first,
        values=[moments.mean.to(moments.dtype) for moments in attributions],
        limit=limits[0],
        converged=converged & kept,
        error=error,
        n_evaluations=evaluations,
        diagnoses=tuple(
            Diagnosis("cancelling") if cancels and told.status == "converged" else told
            for told, cancels in zip(diagnoses, cancelling, strict=False)
        ),
        own={
            name: {
                **first.own[name],
                **{key: moments.mean for key, moments in gaps.items()},
                "converged": flags[name][0],
                "n_evaluations": flags[name][1],
            }
            for name, gaps in own.items()
        },
        **means,
    )
    return mean, [moments.deviation().to(moments.dtype) for moments in attributions]


def _norm(attributions: Tensor) -> Tensor:
    """L1 norm of the attributions of one domain, float64, shape (S, T)."""
    # What is not there is NaN.
    return attributions.flatten(2).abs().nansum(-1, dtype=torch.float64)


def _squared_errors(run: Attributions) -> Tensor:
    """Squared L1 errors of the attributions of every domain, shape (domains, S, T); NaN where unknown."""
    return torch.stack([run.error * _norm(values) for values in run.values]).square()


class _Moments:
    """Running mean and sum of squared deviations, in float64 where the device has it."""

    def __init__(self, values: Tensor) -> None:
        self.dtype = values.dtype
        self.count = 1
        self.mean = values.to(widest(values.device), copy=True)
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

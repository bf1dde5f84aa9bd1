"""One cell: a method, on a problem, with a seed."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import torch
import xarray as xr

import freqig
from freqig.evaluation.truth import truth_metrics
from leaderboard.methods import Method
from leaderboard.task import Task, counting
from leaderboard.training import Trained

Array = np.ndarray
ASKED = 16
"""Series on which it is measured what the model makes of those coefficients that are named."""


class Watch:
    """Seconds by the clock and of the processor from its making on; others' load changes the first alone."""

    def __init__(self) -> None:
        self.begin = time.perf_counter(), time.process_time()

    def stopped(self) -> tuple[float, float]:
        """Both."""
        clock, processor = self.begin
        return time.perf_counter() - clock, time.process_time() - processor


def run(method: Method, task: Task, network: Trained) -> dict[str, Any]:
    """Explain, and score.

    Parameters
    ----------
    method : Method
        Whose explanation.
    task : Task
        Of what; its first `method.samples` series.
    network : Trained
        What was explained.

    Returns
    -------
    dict
        Mean and scatter over samples of every metric, calls and seconds per sample, seconds of the whole
        cell, and what they are of. Seconds are by the clock, and of the processor.
    """
    whole = Watch()
    task = task.first(method.samples)
    count = len(task.x)
    torch.manual_seed(task.seed)
    with warnings.catch_warnings(), counting(task.model) as calls:
        warnings.simplefilter("ignore")
        explaining = Watch()
        explained = method.explain(task)
        seconds, cpu_seconds = explaining.stopped()
    attribution = attributions(explained, task)
    scores = {
        **truth_metrics(task.case.scored(task.problem, attribution), task.case.true(task.problem)),
        **_asked(task, attribution),
    }
    cell_seconds, cell_cpu_seconds = whole.stopped()
    return {
        "case": task.case.name,
        "seed": task.seed,
        "method": method.name,
        "samples": count,
        "network": network.digest,
        "accuracy": network.accuracy,
        "training_seconds": network.seconds,
        "gradients": calls.gradients / count,
        "calls": calls.series / count,
        "seconds": seconds / count,
        "cpu_seconds": cpu_seconds / count,
        "cell_seconds": cell_seconds,
        "cell_cpu_seconds": cell_cpu_seconds,
        "mean": {name: _rounded(np.nanmean(v)) for name, v in scores.items() if np.isfinite(v).any()},
        "scatter": {name: _rounded(np.nanstd(v)) for name, v in scores.items() if np.isfinite(v).any()},
    }


def attributions(explained: Any, task: Task) -> Array:
    """Attributions of the coefficients of the problem's domain, shape (N, ...)."""
    if not isinstance(explained, xr.Dataset):
        return np.asarray(explained, dtype=float)
    found = explained[task.case.variable]
    if "envelope_row" in found.dims:
        # The other row is what the envelope does not hold.
        found = found.isel(envelope_row=0)
    return found.values.astype(float)


def _asked(task: Task, attribution: Array) -> dict[str, Array]:
    """What the model makes of the coefficients that are named, and how many these are."""
    few = task.first(ASKED)
    frame = freqig.Explainer(
        few.model, fs=few.fs, domains=few.case.domain(), n_steps=2, progress=False, output="logit"
    )
    known = {"target": few.target, "baseline": few.baseline("zero"), "additional_forward_args": few.extra}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = frame(few.x, **known)
        found = result[few.case.variable]
        if attribution[0].size != found.isel(sample=0, **_first_row(found)).size:
            # Attributions of regions, which are no coefficients that could be replaced.
            return {}
        values = np.zeros(found.shape)
        place = values[:, :, 0] if "envelope_row" in found.dims else values
        place[...] = attribution[:ASKED].reshape(place.shape)
        result[few.case.variable] = found.copy(data=values)
        table = freqig.evaluate(
            result,
            few.model,
            few.x,
            families=("erasure", "complexity"),
            explainer=frame,
            baseline=known["baseline"],
            additional_forward_args=few.extra,
            progress=False,
        )
    scores = table.score.isel(variable=0)
    return {str(name): scores.sel(metric=name).values for name in scores.metric.values}


def _first_row(found: xr.DataArray) -> dict[str, int]:
    return {"envelope_row": 0} if "envelope_row" in found.dims else {}


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")

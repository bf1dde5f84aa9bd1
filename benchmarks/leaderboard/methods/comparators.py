"""Methods of others, as `freqig.methods` has them, in the settings of their papers."""

from __future__ import annotations

from typing import Any

import xarray as xr

import freqig
from leaderboard.methods import Method
from leaderboard.task import Task

SEEDED = ("FreqRISE", "SmoothGrad", "ExpectedGradients", "InsertionDeletion")
ONLY_SPECTRA = ("FLEXtime", "SpectralGradients")
WITHOUT_RULES = ("freqshapes", "hmm", "flicker")
"""Problems whose networks, of attention, of gates and of powers, have no rules of relevance."""
BINS = 1 << 20
"""More cells than any domain has coefficients: every coefficient is masked by itself."""


def comparator(
    label: str,
    name: str,
    output: str,
    *,
    baseline: str = "zero",
    samples: int = 100,
    **more: Any,
) -> Method:
    """One class of `freqig.methods` with its setting, in the domain of each problem."""

    def explain(task: Task) -> xr.Dataset:
        drawn = {"seed": task.seed} if name in SEEDED else {}
        method = getattr(freqig.methods, name)(
            task.model,
            fs=task.fs,
            domains=task.case.domain(),
            output=task.output(output),
            progress=False,
            **drawn,
            **{key: value(task) if callable(value) else value for key, value in more.items()},
        )
        return method(
            task.x,
            target=task.target,
            baseline=task.baseline(baseline),
            additional_forward_args=task.extra,
        )

    def cannot(case: Any) -> str:
        if case.start is not None:
            return "its domain must be linear"
        if name in ONLY_SPECTRA and case.variable != "rfft":
            return "its domain must be RFFT()"
        if name == "DFTLRP" and (case.network is None or case.name in WITHOUT_RULES):
            return "its network has layers without a rule"
        return ""

    given = ", ".join(f"{key}={_told(value)}" for key, value in more.items())
    says = f"freqig.methods.{name}, output={output!r}, baseline {baseline}" + (f", {given}" if given else "")
    return Method(label, explain, says, cannot, samples)


def _told(value: Any) -> str:
    return "by the problem" if callable(value) else "every coefficient" if value == BINS else repr(value)


def _filters(task: Task) -> int:
    """As many filters as there are bands of the problem's width up to half of the sampling rate."""
    width = (
        task.fs / 2 / task.problem.sizes["region"] if "region" in task.problem.dims else task.case.bands[2]
    )
    return round(task.fs / 2 / width)


EACH = {"cells": BINS}
METHODS = [
    comparator("gradient × input logit", "GradientTimesInput", "logit"),
    comparator("SmoothGrad × input", "SmoothGrad", "log_prob"),
    comparator("expected gradients", "ExpectedGradients", "log_prob", baseline="data"),
    comparator("spectral gradients", "SpectralGradients", "log_prob"),
    comparator("DFT-LRP", "DFTLRP", "logit"),
    comparator("occlusion of coefficients", "Occlusion", "log_prob", samples=32),
    # Paper and code: as many cells as bins, half of them dropped.
    comparator(
        "FreqRISE, 3,000 masks", "FreqRISE", "probability", samples=32, interpolation="nearest", **EACH
    ),
    comparator("insertion and deletion", "InsertionDeletion", "probability", samples=32, **EACH),
    comparator("learned mask", "LearnedMask", "log_prob", samples=32),
    comparator("FLEXtime", "FLEXtime", "log_prob", samples=32, filters=_filters),
    comparator("DynaMask", "DynaMask", "log_prob", samples=32),
    comparator("ExtremalMask", "ExtremalMask", "log_prob", samples=32),
]

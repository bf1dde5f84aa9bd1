"""Methods of others, as `freqig.methods` has them, in the settings of their papers."""

from __future__ import annotations

from typing import Any

import xarray as xr

import freqig
from leaderboard.methods import Method
from leaderboard.task import Task

SEEDED = ("FreqRISE", "SmoothGrad", "ExpectedGradients")
ONLY_SPECTRA = ("FLEXtime", "SpectralGradients", "DFTLRP")
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
            **more,
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
        return ""

    given = ", ".join(f"{key}={value!r}" for key, value in more.items() if value != BINS)
    says = f"freqig.methods.{name}, output={output!r}, baseline {baseline}" + (f", {given}" if given else "")
    return Method(label, explain, says, cannot, samples)


METHODS = [
    comparator("gradient × input logit", "GradientTimesInput", "logit"),
    comparator("gradient × input log_prob", "GradientTimesInput", "log_prob"),
    comparator("occlusion of coefficients", "Occlusion", "log_prob", samples=32),
    # Paper and code: as many cells as bins, half of them dropped.
    comparator(
        "FreqRISE, 3,000 masks", "FreqRISE", "probability", samples=32, cells=BINS, interpolation="nearest"
    ),
]

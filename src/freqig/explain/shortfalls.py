"""What is said of explanations that did not come out: once per call, naming samples and remedies."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

import torch
from torch import Tensor

from ..diagnosis import gradient_of_others
from ..errors import CompletenessWarning, ConvergenceWarning, warn
from ..result.attributions import Attributions
from ..rows import many_rows, one_row

TOLD = 5
"""Samples whose reasons a warning tells; the result has those of all."""


def warn_of_own_paths(found: Attributions, tol: float, exact: bool) -> None:
    """Warn of samples of domains with a path of their own that did not reach the tolerance.

    Parameters
    ----------
    found : Attributions
        Those of all samples.
    tol : float
        Tolerance that was asked for.
    exact : bool
        Whether the number of nodes was given.
    """
    for name, scalars in found.own.items():
        rows = _rows(~scalars["converged"])
        if rows:
            gap = float(scalars["completeness_gap"].abs().max())
            warn(
                f"domain {name!r}, which has a path of its own, did not reach tol={tol:g} for "
                f"{many_rows(rows, len(found.converged))}; its largest completeness gap is "
                f"{gap:.3g}. Raise {'n_steps' if exact else 'max_evaluations'}, or try another baseline",
                CompletenessWarning if exact else ConvergenceWarning,
            )


def warn_of_gaps(found: Attributions, n_steps: int) -> None:
    """Warn of samples whose attributions do not add up, after so many fixed nodes."""
    bad = _rows(~found.converged)
    if not bad:
        return
    excess = (found.gap.abs() / found.limit)[list(bad)].nan_to_num(nan=0.0)
    row, column = divmod(int(excess.argmax()), excess.shape[1])
    worst = bad[row]
    difference = found.output - found.baseline_output
    warn(
        "attributions do not add up to the difference of outputs for "
        f"{many_rows(bad, len(found.gap))}. Largest: {one_row(worst)}, sum off by "
        f"{float(found.gap[worst, column]):.3g} where F(x) - F(x') is "
        f"{float(difference[worst, column]):.3g}. The path needs more than the {n_steps} nodes it got (raise "
        "n_steps), the model jumps on it (try another baseline), or its gradient is not that of its output, "
        "which adaptive integration, n_steps=None, tells",
        CompletenessWarning,
    )


def warn_of_paths(found: Attributions, tol: float) -> None:
    """Warn of samples that adaptive nodes did not bring within the tolerance, and why."""
    bad = _rows(~found.converged)
    if not bad:
        return
    told = "; ".join(f"{one_row(i)}: {_statement(found, i)}" for i in bad[:TOLD])
    more = f"; and {len(bad) - TOLD} more, see `status` in the result" if len(bad) > TOLD else ""
    warn(
        f"{len(bad)} of {len(found.converged)} explanations did not reach tol={tol:g}. {told}{more}",
        ConvergenceWarning,
    )


def doubted(found: Attributions, right: Container[int]) -> Attributions:
    """Where the gradient of some samples was not that of the output, those converged where it is `right`.

    A gradient that is not that of the output is a fact about the model, whichever sample shows it.
    """
    doubts = [told.status == "converged" and i not in right for i, told in enumerate(found.diagnoses)]
    rows = torch.tensor(doubts, device=found.converged.device).unsqueeze(1)
    own = {
        name: {**scalars, "converged": scalars["converged"] & ~rows} for name, scalars in found.own.items()
    }
    others = gradient_of_others()
    return replace(
        found,
        converged=found.converged & ~rows,
        error=found.error.masked_fill(rows, torch.inf),
        diagnoses=tuple(others if doubts[i] else told for i, told in enumerate(found.diagnoses)),
        own=own,
    )


def _statement(found: Attributions, sample: int) -> str:
    difference = found.output[sample] - found.baseline_output[sample]
    worst = int(found.gap[sample].abs().argmax())
    rest = found.gap[sample, worst] + found.correction[sample, worst]
    return (
        f"{found.diagnoses[sample].explain()}; the attributions sum to "
        f"{float(difference[worst] + rest):.3g} where F(x) - F(x') is {float(difference[worst]):.3g}"
    )


def _rows(flags: Tensor) -> list[int]:
    rows: list[int] = flags.any(1).nonzero().flatten().tolist()
    return rows

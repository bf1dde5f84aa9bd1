"""What is said of explanations that did not come out: once a call, naming samples and remedies."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..errors import CompletenessWarning, ConvergenceWarning, warn
from ..result.attributions import Run

TOLD = 5
"""Samples whose reasons a warning tells; the result has those of all."""


def warn_of_shortfalls(run: Run, n_steps: int | None, tol: float) -> None:
    """Warn of samples that are not complete, or did not reach the tolerance.

    Parameters
    ----------
    run : Run
        Results of all samples.
    n_steps : int or None
        Nodes of a fixed rule; None where integration was adaptive.
    tol : float
        Tolerance that was asked for.
    """
    bad = _rows(~run.converged)
    if bad and n_steps is None:
        _warn_of_paths(run, bad, tol)
    elif bad:
        _warn_of_gaps(run, bad, n_steps or 0)
    for name, scalars in run.own.items():
        rows = _rows(~scalars["converged"])
        if rows:
            gap = float(scalars["completeness_gap"].abs().max())
            warn(
                f"domain {name!r}, which has a path of its own, did not reach tol={tol:g} for {len(rows)} of "
                f"{len(run.converged)} samples ({_named(rows)}); its largest completeness gap is {gap:.3g}. "
                "Raise n_steps or max_evaluations, or try another baseline",
                ConvergenceWarning if n_steps is None else CompletenessWarning,
            )


def _warn_of_gaps(run: Run, bad: Sequence[int], n_steps: int) -> None:
    excess = (run.gap.abs() / run.limit)[list(bad)].nan_to_num(nan=0.0)
    row, column = divmod(int(excess.argmax()), excess.shape[1])
    worst = bad[row]
    difference = run.output - run.baseline_output
    warn(
        f"attributions do not add up to the difference of outputs for {len(bad)} of {len(run.gap)} "
        f"samples ({_named(bad)}). Largest: sample {worst}, sum off by {float(run.gap[worst, column]):.3g} "
        f"where F(x) - F(x') is {float(difference[worst, column]):.3g}. The path needs more than the "
        f"{n_steps} nodes it got (raise n_steps), or the model jumps on it (try another baseline)",
        CompletenessWarning,
    )


def _warn_of_paths(run: Run, bad: Sequence[int], tol: float) -> None:
    told = "; ".join(f"sample {i}: {_statement(run, i)}" for i in bad[:TOLD])
    more = f"; and {len(bad) - TOLD} more, see `status` in the result" if len(bad) > TOLD else ""
    warn(
        f"{len(bad)} of {len(run.converged)} explanations did not reach tol={tol:g}. {told}{more}",
        ConvergenceWarning,
    )


def _statement(run: Run, sample: int) -> str:
    difference = run.output[sample] - run.baseline_output[sample]
    worst = int(run.gap[sample].abs().argmax())
    rest = run.gap[sample, worst] + run.correction[sample, worst]
    return (
        f"{run.diagnoses[sample].explain()}; the attributions sum to "
        f"{float(difference[worst] + rest):.3g} where F(x) - F(x') is {float(difference[worst]):.3g}"
    )


def _rows(flags: Tensor) -> list[int]:
    rows: list[int] = flags.any(1).nonzero().flatten().tolist()
    return rows


def _named(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:10])) + (", …" if len(rows) > 10 else "")

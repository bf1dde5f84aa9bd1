"""Completeness: attributions must add up to the difference of outputs."""

from __future__ import annotations

import torch
from torch import Tensor

from .errors import CompletenessWarning, warn

# A gap relative to ΔF alone has no scale where ΔF is near zero: then one hundredth of the sum
# of absolute attributions takes its place.
FLOOR = 0.01
ROUNDING = 8


def gap_limit(
    norm: Tensor, output: Tensor, baseline_output: Tensor, tol: float, dtype: torch.dtype
) -> Tensor:
    """Largest completeness gap that counts as complete.

    tol · max(|ΔF|, 0.01 · ‖attribution‖₁) + 8 · eps · max(|F(x)|, |F(x')|), ΔF = F(x) - F(x').
    Zero where this is not finite: an infinite output does not excuse an infinite gap.

    Parameters
    ----------
    norm : torch.Tensor
        ‖attribution‖₁ of the path, shape (S, T).
    output, baseline_output : torch.Tensor
        F(x) and F(x'), shape (S, T).
    tol : float
        Relative tolerance.
    dtype : torch.dtype
        Dtype of the model, whose eps counts.

    Returns
    -------
    torch.Tensor
        Limits in units of the output, shape (S, T).

    Examples
    --------
    >>> one = torch.ones(1, 1, dtype=torch.float64)
    >>> gap_limit(one, 2 * one, 0 * one, 0.01, torch.float64).item()
    0.020000000000003553
    """
    difference = (output - baseline_output).abs()
    rounding = ROUNDING * torch.finfo(dtype).eps * torch.maximum(output.abs(), baseline_output.abs())
    limit = tol * torch.maximum(difference, FLOOR * norm) + rounding
    return torch.where(torch.isfinite(limit), limit, 0.0)


def warn_of_gaps(gap: Tensor, limit: Tensor, difference: Tensor, n_steps: int) -> None:
    """Warn once, naming the samples whose gap is too large.

    Parameters
    ----------
    gap, limit, difference : torch.Tensor
        Completeness gap, its limit, and F(x) - F(x'), shape (N, T).
    n_steps : int
        Nodes that were used, for the advice.
    """
    incomplete = ~(gap.abs() <= limit)  # so that NaN counts
    bad = incomplete.any(1).nonzero().flatten().tolist()
    if not bad:
        return
    excess = torch.where(incomplete, (gap.abs() / limit).nan_to_num(nan=torch.inf), 0.0)
    row, column = divmod(int(excess.argmax()), gap.shape[1])
    named = ", ".join(map(str, bad[:10])) + (", …" if len(bad) > 10 else "")
    if bool(torch.isfinite(gap).all()):
        advice = (
            f"The path needs more than the {n_steps} nodes it got (raise n_steps), or the model jumps "
            "on it (try another baseline)"
        )
    else:
        advice = (
            "The model's output or its gradient is infinite or NaN on the path, as a logarithm is at "
            "a baseline of zero (try another baseline)"
        )
    warn(
        f"attributions do not add up to the difference of outputs for {len(bad)} of {len(gap)} "
        f"samples ({named}). Largest: sample {row}, sum off by {float(gap[row, column]):.3g} where "
        f"F(x) - F(x') is {float(difference[row, column]):.3g}. {advice}",
        CompletenessWarning,
    )

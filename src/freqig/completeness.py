"""Completeness: attributions must add up to the difference of outputs."""

from __future__ import annotations

import torch
from torch import Tensor

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

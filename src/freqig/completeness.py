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
    limit = tol * torch.maximum(difference, FLOOR * norm) + rounding(output, baseline_output, dtype)
    return torch.where(torch.isfinite(limit), limit, 0.0)


def correctable_gap(
    norm: Tensor, output: Tensor, baseline_output: Tensor, tol: float, dtype: torch.dtype
) -> Tensor:
    """Largest completeness gap that a correction of the attributions may close.

    tol · ‖attribution‖₁ + 8 · eps · max(|F(x)|, |F(x')|): a gap is an error of the attributions at least
    as large, and closing it hides none that is larger than `tol`. Arguments and result are those of
    `gap_limit`, which what is left must keep.

    Examples
    --------
    >>> one = torch.ones(1, 1, dtype=torch.float64)
    >>> round(correctable_gap(3 * one, 2 * one, 0 * one, 0.01, torch.float64).item(), 12)
    0.03
    """
    limit = tol * norm + rounding(output, baseline_output, dtype)
    return torch.where(torch.isfinite(limit), limit, 0.0)


def is_complete(gap: Tensor, correction: Tensor, limit: Tensor, correctable: Tensor) -> Tensor:
    """Whether attributions add up: what is left of the gap, and what was closed of it, bool, shape (S, T).

    Parameters
    ----------
    gap : torch.Tensor
        Before the correction: Σ attribution = F(x) - F(x') + gap + correction, shape (S, T).
    correction : torch.Tensor
        What the correction added, shape (S, T); zero where there was none.
    limit, correctable : torch.Tensor
        `gap_limit` and `correctable_gap`, shape (S, T).

    Examples
    --------
    >>> one = torch.ones(1, 1, dtype=torch.float64)
    >>> scale = 4 * one, 2 * one, 0 * one, 0.01, torch.float64
    >>> limits = gap_limit(*scale), correctable_gap(*scale)
    >>> [is_complete(0.03 * one, correction * one, *limits).item() for correction in (0, -0.03)]
    [False, True]
    """
    closable = torch.maximum(limit, correctable)
    return ((gap + correction).abs() <= limit) & (gap.abs() <= torch.where(correction != 0, closable, limit))


def rounding(output: Tensor, baseline_output: Tensor, dtype: torch.dtype) -> Tensor:
    """Difference of F(x) and F(x') that rounding alone may make, 8 · eps · max(|F(x)|, |F(x')|)."""
    return ROUNDING * torch.finfo(dtype).eps * torch.maximum(output.abs(), baseline_output.abs())

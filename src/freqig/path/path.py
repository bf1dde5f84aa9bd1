"""What is known of a path after integration: the mean gradient, and how far to believe it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..diagnosis import Diagnosis


@dataclass(frozen=True)
class Path:
    """Everything that is known of S straight paths from baseline to input.

    Parameters
    ----------
    mean_gradient : torch.Tensor
        Path-averaged gradient, shape (S, T, *shape), float64 where the device has it.
    output, baseline_output, correction : torch.Tensor
        Explained scalars at the input and at the baseline, shape (S, T), and what closing the completeness
        gap added to Σ δ·ḡ.
    n_evaluations : torch.Tensor
        Points inside the path at which a gradient was taken, or F alone, int64, shape (S,).
    converged, error : torch.Tensor or None
        Whether attributions and gap are inside the tolerance, bool, shape (S, T), and the estimated L1 error
        of the attributions relative to their norm, the largest over domains; None for a fixed rule.
    diagnoses : tuple of Diagnosis
        One per sample; empty for a fixed rule.
    """

    mean_gradient: Tensor
    output: Tensor
    baseline_output: Tensor
    n_evaluations: Tensor
    correction: Tensor
    converged: Tensor | None = None
    error: Tensor | None = None
    diagnoses: tuple[Diagnosis, ...] = ()

"""What is known of a path after integration: the mean gradient, and how far to believe it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..diagnosis import Array, Diagnosis, Jump, Status

__all__ = ["Array", "Diagnosis", "Jump", "Path", "Status"]


@dataclass(frozen=True)
class Path:
    """Everything that is known of S straight paths from baseline to input.

    Parameters
    ----------
    mean_gradient : torch.Tensor
        Path-averaged gradient, shape (S, T, *shape), float64 where the device has it.
    output, baseline_output : torch.Tensor
        Explained scalars at the input and at the baseline, shape (S, T).
    n_evaluations : torch.Tensor
        Points at which the model was evaluated inside the path, int64, shape (S,): those at
        which a gradient was taken, and the few at which only F was.
    correction : torch.Tensor
        What the last step, which closes the completeness gap, added to Σ δ·ḡ, shape (S, T).
    converged : torch.Tensor or None
        Whether attributions and gap are inside the tolerance, bool, shape (S, T); None for a fixed rule.
    error : torch.Tensor or None
        Estimated L1 error of the attributions relative to their L1 norm, the largest over
        domains, float64, shape (S, T); None for a fixed rule.
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

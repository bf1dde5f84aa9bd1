"""By how much outputs of one model for the same points may differ through rounding alone."""

from __future__ import annotations

import torch
from torch import Tensor

from .._tensor_check import all_finite

# Kernels differ between batch sizes by rounding, which deep networks amplify: by up to 20 eps of
# the largest output on a CPU, more where tensor cores multiply float32 with ten bits. In half
# precision that would be all of the output, so there is a bound relative to it.
ROUNDING = {"cpu": 256}
ROUNDING_ELSEWHERE = 4096
LARGEST = 1 / 16


def rounding_of(a: Tensor) -> float:
    """How far outputs of this dtype and device may be apart through rounding, relative to their size."""
    return ROUNDING.get(a.device.type, ROUNDING_ELSEWHERE) * torch.finfo(a.dtype).eps


def differences(a: Tensor, b: Tensor) -> Tensor:
    """|a - b| in float64: zero where both are the same infinity or NaN, infinite where one of them is.

    Logits of masked classes are minus infinity, and outputs at the baseline may be infinite too; what they
    are is checked where they matter.
    """
    gaps = (a.double() - b.double()).abs()
    if all_finite(gaps):
        return gaps
    same = (a == b) | (a.isnan() & b.isnan())
    return gaps.nan_to_num(nan=torch.inf, posinf=torch.inf).masked_fill(same, 0)


def finite_size(a: Tensor) -> Tensor:
    """|a| in float64, zero where it is not finite."""
    return a.double().abs().nan_to_num(nan=0.0, posinf=0.0)


def distance(a: Tensor, b: Tensor) -> float:
    """Largest difference; infinite where one is NaN and the other a number."""
    return float(differences(a, b).max())


def differ(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of outputs differ by more than rounding."""
    if a.shape != b.shape:
        return True
    if a.numel() == 0:
        return False
    scale = float(torch.maximum(finite_size(a), finite_size(b)).max())
    return distance(a, b) > min(rounding_of(a), LARGEST) * max(scale, 1e-30)


def apart(a: Tensor, b: Tensor, allowed: float = 0.25) -> Tensor:
    """Which rows differ by more than rounding, measured against each row itself, shape (P,).

    Parameters
    ----------
    a, b : torch.Tensor
        Outputs for the same points, shape (P, *axes).
    allowed : float, default 0.25
        Share of the rounding that `differ` allows.
    """
    if a.shape != b.shape:
        return torch.ones(len(a), dtype=torch.bool, device=a.device)
    if a[:1].numel() == 0 or torch.equal(a, b):
        return torch.zeros(len(a), dtype=torch.bool, device=a.device)
    limit = min(allowed * rounding_of(a), LARGEST)
    one, other = (v.detach().flatten(1) for v in (a, b))
    largest = torch.maximum(finite_size(one), finite_size(other)).amax(-1).clamp_min(1e-30)
    return differences(one, other).amax(-1) > limit * largest

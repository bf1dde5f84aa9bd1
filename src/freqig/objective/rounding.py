"""By how much outputs of one model for the same points may differ through rounding alone."""

from __future__ import annotations

import torch
from torch import Tensor

# Kernels differ between batch sizes by rounding, which deep networks amplify: by up to 20 eps of
# the largest output on a CPU, more where tensor cores multiply float32 with ten bits. In half
# precision that would be all of the output, so there is a bound relative to it.
ROUNDING = {"cpu": 256}
ROUNDING_ELSEWHERE = 4096
LARGEST = 1 / 16


def distance(a: Tensor, b: Tensor) -> float:
    """Largest difference; infinite where one is NaN and the other a number."""
    return float((a - b).abs().nan_to_num(nan=torch.inf).max())


def differ(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of outputs differ by more than rounding."""
    if a.shape != b.shape:
        return True
    if a.numel() == 0:
        return False
    both = torch.stack([a, b]).double()
    if not bool(torch.isfinite(both).all()):
        # Outputs at the baseline may be infinite; what they are is checked where they matter.
        return not torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
    rounding = ROUNDING.get(a.device.type, ROUNDING_ELSEWHERE) * torch.finfo(a.dtype).eps
    return distance(a, b) > min(rounding, LARGEST) * max(float(both.abs().max()), 1e-30)


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
    limit = min(allowed * ROUNDING.get(a.device.type, ROUNDING_ELSEWHERE) * torch.finfo(a.dtype).eps, LARGEST)
    one, other = (v.detach().flatten(1).double() for v in (a, b))
    change = (one - other).abs().amax(-1)
    largest = torch.maximum(one.abs().amax(-1), other.abs().amax(-1)).clamp_min(1e-30)
    found = change > limit * largest
    # What is not finite makes the difference so, and is looked at again.
    finite = change.isfinite()
    if bool(finite.all()):
        return found
    finite = one.isfinite().all(-1) & other.isfinite().all(-1)
    unequal = (torch.nan_to_num(one) != torch.nan_to_num(other)).any(-1)
    return torch.where(finite, found, unequal)

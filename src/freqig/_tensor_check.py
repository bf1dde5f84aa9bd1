"""Checks of what PyTorch knows: devices, dtypes, and values of tensors. Apart, as it is slow to import."""

from __future__ import annotations

import cmath
from typing import Any

import torch
from torch import Tensor

from ._check import shown


def check_device(device: Any) -> torch.device | None:
    """Device that this machine has, or None."""
    if device is None:
        return None
    if isinstance(device, bool) or not isinstance(device, (torch.device, str, int)):
        raise TypeError(
            f"device must be a torch.device or its name, such as 'cpu' or 'cuda:0', got {shown(device)}"
        )
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()
    except Exception as error:  # noqa: BLE001 - each backend has its own
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"device must be one that PyTorch has here, such as 'cpu', got {shown(device)}: {reason}"
        ) from None
    return found


def check_dtype(dtype: Any) -> torch.dtype | None:
    """Floating dtype or None."""
    if dtype is None:
        return None
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise TypeError(
            f"dtype must be a floating torch.dtype, such as torch.float64, or None, got {shown(dtype)}"
        )
    return dtype


def widest(device: torch.device) -> torch.dtype:
    """Dtype for sums and spectra: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def all_finite(values: Tensor) -> bool:
    """Whether there is neither NaN nor infinity among numbers, which may be complex."""
    # A sum is finite only if all parts are, unless it overflows: the cheap question first.
    return cmath.isfinite(values.sum().item()) or bool(torch.isfinite(values).all())


def check_real(values: Tensor, name: str) -> None:
    """ValueError with the place of the first NaN or infinity."""
    if not values.is_floating_point() or all_finite(values):
        return
    bad = (~torch.isfinite(values)).nonzero()
    index = bad[0].tolist()
    value = values[tuple(index)].item()
    place = [f"sample {index[0]}"] if len(index) > 1 else []
    if len(index) > 2:
        place.append("channel " + ", ".join(map(str, index[1:-1])))
    place.append(f"time index {index[-1]}")
    raise ValueError(
        f"{name} must be finite, got {value} at {', '.join(place)} ({len(bad)} such value"
        f"{'s' if len(bad) > 1 else ''}): interpolate or drop them before explaining"
    )


def in_dtype(values: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    """Finite values in another dtype; ValueError where they overflow it."""
    converted = values.to(dtype)
    if not all_finite(converted):
        limit = torch.finfo(dtype).max
        raise ValueError(
            f"{name} must fit {str(dtype).removeprefix('torch.')}, in which the model is explained: values "
            f"up to {limit:.3g}, got one of size {float(values.abs().max()):.3g}, which overflows. Rescale "
            "them, for example by choosing another unit, or pass dtype=torch.float64 to Explainer where the "
            "model bears it"
        )
    return converted

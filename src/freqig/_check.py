"""Checks of arguments, once, at the edge."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor


def check_fs(fs: Any) -> float:
    """Sampling rate as a float; ValueError unless finite and positive."""
    if isinstance(fs, (bool, str)) or not isinstance(fs, (Real, np.number)):
        raise TypeError(f"fs must be a number of Hz, got {fs!r}")
    if not (np.isfinite(float(fs)) and float(fs) > 0):
        raise ValueError(f"fs must be finite and above 0 Hz, got {fs}")
    return float(fs)


def check_positive(value: Any, name: str, *, zero_allowed: bool = False) -> float:
    """Finite number above zero as a float."""
    if isinstance(value, (bool, str)) or not isinstance(value, (Real, np.number)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not np.isfinite(number) or number < 0 or (number == 0 and not zero_allowed):
        raise ValueError(f"{name} must be finite and above 0, got {value}")
    return number


def check_integer(value: Any, name: str) -> int:
    """Integer of any kind but bool."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    return int(value)


def check_count(value: Any, name: str, minimum: int = 1) -> int:
    """Integer of at least `minimum`."""
    count = check_integer(value, name)
    if count < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return count


def check_flag(value: Any, name: str) -> bool:
    """Truth value, Python's or NumPy's; 0, 1 and words are not taken for one."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def check_dtype(dtype: Any) -> torch.dtype | None:
    """Floating dtype or None."""
    if dtype is None:
        return None
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise TypeError(f"dtype must be a floating torch.dtype or None, got {dtype!r}")
    return dtype


def check_real(values: Tensor, name: str) -> None:
    """ValueError with the place of the first NaN or infinity."""
    if not values.is_floating_point() or values.numel() == 0:
        return
    # A sum is finite only if all parts are, unless it overflows: the cheap question first.
    if bool(torch.isfinite(values.sum())):
        return
    bad = (~torch.isfinite(values)).nonzero()
    if len(bad) == 0:
        return
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
    if values.numel() and not bool(torch.isfinite(converted).all()):
        limit = torch.finfo(dtype).max
        raise ValueError(
            f"{name} must fit {str(dtype).removeprefix('torch.')}, in which the model is explained: values "
            f"up to {limit:.3g}, got one of size {float(values.abs().max()):.3g}, which overflows. Rescale "
            "them, for example by choosing another unit, or pass dtype=torch.float64 to Explainer"
        )
    return converted

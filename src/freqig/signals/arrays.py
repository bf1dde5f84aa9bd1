"""Array-likes as real tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_unmasked
from .refused import refuse_what_is_no_array


def as_tensor(x: Any, name: str) -> Tensor:
    """Array-likes as a real tensor; complex and non-numeric input is refused.

    Parameters
    ----------
    x : array-like or torch.Tensor
        Numbers of one shape, without labels.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    torch.Tensor
        Of the dtype of `x`, where PyTorch can compute with it.

    Raises
    ------
    TypeError
        If `x` is no array, not numeric, or complex.
    ValueError
        If its parts differ in shape, or values are masked.

    Examples
    --------
    >>> as_tensor([[1.0, 2.0]], "x")
    tensor([[1., 2.]], dtype=torch.float64)
    """
    tensor = (
        _dense(x.detach(), name).resolve_conj().resolve_neg()
        if isinstance(x, Tensor)
        else torch.as_tensor(as_array(x, name))
    )
    if tensor.dtype == torch.bool:
        # PyTorch cannot subtract truth values.
        tensor = tensor.to(torch.uint8)
    if tensor.is_complex():
        raise TypeError(f"{name} must be real, got {tensor.dtype}: pass the signal, not its spectrum")
    if tensor.is_inference():
        with torch.inference_mode(False):
            tensor = tensor.clone()
    return tensor


def as_array(x: Any, name: str) -> np.ndarray:
    """Array-likes other than a tensor as an array of numbers that PyTorch can hold.

    Parameters
    ----------
    x : array-like
        Numbers of one shape.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    numpy.ndarray
        Bool, integer, floating or complex; native byte order, writable, positive strides.

    Raises
    ------
    TypeError, ValueError
        As `as_tensor`.
    """
    refuse_what_is_no_array(x, name)
    check_unmasked(x, name)
    try:
        array = np.asarray(_plain(x))
    except Exception:  # noqa: BLE001 - whatever an object raises that is no array
        raise _not_rectangular(x, name) from None
    if array.dtype.kind not in "biufc":
        raise _not_numeric(array, x, name)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        with np.errstate(over="ignore"):
            # What overflows becomes infinite, and is refused with its place.
            array = array.astype(np.float64)
    # PyTorch knows neither negative strides, nor the other byte order, nor large unsigned.
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64 if array.dtype.itemsize < 8 else np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return array


def _dense(x: Tensor, name: str) -> Tensor:
    if x.is_nested:
        raise ValueError(f"{name} must be rectangular, got a nested tensor: explain its parts one by one")
    if x.is_meta:
        raise ValueError(f"{name} must hold values, got a tensor on the device 'meta'")
    if x.is_quantized:
        raise TypeError(f"{name} must be floating or integer, got {x.dtype}: pass {name}.dequantize()")
    if x.layout is not torch.strided:
        raise TypeError(f"{name} must be dense, got the layout {x.layout}: pass {name}.to_dense()")
    return x


def _plain(x: Any) -> Any:
    """Lists with their tensors as arrays, which NumPy would refuse where they carry gradients."""
    if isinstance(x, (list, tuple)):
        return [_plain(part) for part in x]
    return x.detach().cpu().resolve_conj().resolve_neg().numpy() if isinstance(x, Tensor) else x


def _not_rectangular(x: Any, name: str) -> Exception:
    """What is wrong with what NumPy makes no array of."""
    if not isinstance(x, (list, tuple)):
        return TypeError(f"{name} must be numeric, an array, got {_called(x)}, which NumPy cannot read")
    shapes = list(dict.fromkeys(_shape(part) for part in x))
    if None in shapes:
        strange = next(part for part in x if _shape(part) is None)
        return TypeError(f"{name} must be numeric, got a {type(x).__name__} with {_called(strange)} in it")
    shown = ", ".join(map(str, shapes[:4])) + (", …" if len(shapes) > 4 else "")
    known = [shape for shape in shapes if shape is not None]
    are_batches = len({shape[1:] for shape in known}) == 1 and min(map(len, known)) > 1
    joined = f"; where they are batches of samples, join them, np.concatenate({name})" if are_batches else ""
    return ValueError(
        f"{name} must be rectangular, got series of different lengths or shapes, {shown}: explain them one "
        f"by one, or cut them to one length; for a model of several inputs pass a tuple{joined}"
    )


def _not_numeric(array: np.ndarray, x: Any, name: str) -> Exception:
    dtype = array.dtype
    if dtype.kind == "O":
        parts = [part for part in array.flat if isinstance(part, (np.ndarray, Tensor, list, tuple))]
        if parts and len(parts) == array.size:
            return TypeError(
                f"{name} must be numeric, got dtype object with arrays inside: for arrays of one shape pass "
                f"np.stack({name}), else explain them one by one"
            )
        if array.ndim == 0:
            remedy = f": pass {name}.toarray()" if hasattr(x, "toarray") else ""
            return TypeError(f"{name} must be numeric, an array, got {_called(x)}{remedy}")
        odd = [part for part in array.flat if not isinstance(part, (int, float, np.number))]
        if not odd:
            return TypeError(f"{name} must be numeric, got dtype object: pass {name}.astype(float)")
        return TypeError(
            f"{name} must be numeric, got dtype object, with {odd[0]!r} in it: drop what is no number, and "
            f"pass {name}.astype(float)"
        )
    if dtype.kind == "V" and dtype.names:
        return TypeError(
            f"{name} must be numeric, got fields {', '.join(map(repr, dtype.names))}: pass one of them, such "
            f"as {name}[{dtype.names[0]!r}]"
        )
    remedy = f": numbers that were read as text need {name}.astype(float)" if dtype.kind in "US" else ""
    return TypeError(f"{name} must be numeric, got dtype {dtype}{remedy}")


def _shape(part: Any) -> tuple[int, ...] | None:
    try:
        array = np.asarray(_plain(part))
    except Exception:  # noqa: BLE001
        # Rows of different lengths are numbers, though of no one shape.
        rows = isinstance(part, (list, tuple)) and all(_shape(row) is not None for row in part)
        return () if rows else None
    return tuple(array.shape) if array.dtype.kind in "biufc" else None


def _called(x: Any) -> str:
    kind = type(x).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"

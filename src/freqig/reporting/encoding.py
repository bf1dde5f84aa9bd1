"""Arrays as text in a page: few bits, compressed, in letters; and JSON that no markup ends."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .look import seen

DIGITS = 6
"""Significant digits of numbers in JSON."""


@dataclass(frozen=True)
class Encoded:
    """An array as a page holds it.

    Parameters
    ----------
    text : str
        Base64 of what gzip makes of the bytes, little-endian, in the order of C.
    dtype : {"int8", "int16", "uint8", "float32"}
        Of the values.
    shape : tuple of int
        Of the array.
    steps : bool
        Whether each value of the last axis is the difference to the one before, modulo 2 ** bits.
    planes : bool
        Whether all low bytes come first, and then all high ones.
    """

    text: str
    dtype: str
    shape: tuple[int, ...]
    steps: bool = False
    planes: bool = False

    @property
    def about(self) -> dict[str, Any]:
        """What the script has to know to read it."""
        return {
            "dtype": self.dtype,
            "shape": list(self.shape),
            "steps": self.steps,
            "planes": self.planes,
        }


def encoded(values: np.ndarray) -> Encoded:
    """An array of small integers, or of float32, in the fewest letters that gzip makes of it.

    Parameters
    ----------
    values : numpy.ndarray
        Of dtype int8, int16, uint8 or float32.

    Examples
    --------
    >>> made = encoded(np.arange(100, dtype=np.int8))
    >>> made.dtype, made.shape, made.steps
    ('int8', (100,), True)
    """
    ways = [(values, False)]
    if values.dtype.kind in "iu" and values.ndim:
        # Differences wrap around, which the sums of the page do, too.
        with np.errstate(over="ignore"):
            ways.append((np.diff(values, axis=-1, prepend=values.dtype.type(0)), True))
    packed = min(((_packed(own), steps) for own, steps in ways), key=lambda way: len(way[0]))
    text = base64.b64encode(packed[0]).decode("ascii")
    return Encoded(text, values.dtype.name, values.shape, packed[1], values.dtype.itemsize > 1)


def _packed(values: np.ndarray) -> bytes:
    raw = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<")))
    planes = raw.view(np.uint8).reshape(-1, values.dtype.itemsize).T
    # No time of the day in it: the same result makes the same page.
    return gzip.compress(planes.tobytes(), 6, mtime=0)


def zipped(text: str) -> str:
    """Text in fewer letters, none of which is markup: base64 of what gzip makes of it.

    Examples
    --------
    >>> gzip.decompress(base64.b64decode(zipped("</script>"))).decode()
    '</script>'
    """
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode("ascii")


def quantized(values: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Integers of a few bits, and by what each row has to be multiplied.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (N, ...); what is not finite becomes 0.
    bits : {8, 16}
        Of each value.

    Returns
    -------
    levels : numpy.ndarray
        int8 or int16, the shape of `values`.
    step : numpy.ndarray
        float32, shape (N,): a value is its level times the step of its row, and off by half a step at most.

    Examples
    --------
    >>> levels, step = quantized(np.array([[-2.0, 0.0, 1.0]]), 8)
    >>> levels.tolist(), round(float(step[0]) * 127, 6)
    ([[-127, 0, 64]], 2.0)
    """
    top = 2 ** (bits - 1) - 1
    rows = np.nan_to_num(values.reshape(len(values), -1).astype(np.float64), posinf=0.0, neginf=0.0)
    step = (np.abs(rows).max(axis=1, initial=0.0) / top).astype(np.float32)
    divisor = np.where(step > 0, step, 1).astype(np.float64)
    levels = np.clip(np.rint(rows / divisor[:, None]), -top, top)
    return levels.astype(f"int{bits}").reshape(values.shape), step


def levelled(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Waves in 8 bits, about the middle of each.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (..., n), finite.

    Returns
    -------
    levels : numpy.ndarray
        int8, the shape of `values`.
    middle, step : numpy.ndarray
        float32, shape (...): a value is its level times the step, plus the middle; half a step off at most.

    Examples
    --------
    >>> levels, middle, step = levelled(np.array([[1000.0, 1001.0, 1004.0]]))
    >>> levels.tolist(), middle.tolist()
    ([[-127, -64, 127]], [1002.0])
    """
    low, high = values.min(axis=-1), values.max(axis=-1)
    middle, step = ((low + high) / 2).astype(np.float32), ((high - low) / 254).astype(np.float32)
    away = values - middle[..., None].astype(np.float64)
    divisor = np.where(step > 0, step, 1).astype(np.float64)[..., None]
    return np.clip(np.rint(away / divisor), -127, 127).astype(np.int8), middle, step


def json_of(content: Any) -> str:
    r"""JSON in which no text can end a script element or begin another.

    Parameters
    ----------
    content : Any
        Of mappings, sequences, text and numbers, those of NumPy too. What is not finite becomes null.

    Examples
    --------
    >>> print(json_of({"</script>": 0.1 + 0.2}))
    {"\u003c/script\u003e":0.3}
    """
    text = json.dumps(_plain(content), separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _plain(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, np.ndarray):
        return _plain(content.tolist())
    if isinstance(content, list | tuple | set | frozenset):
        return [_plain(value) for value in content]
    if isinstance(content, bool | np.bool_):
        return bool(content)
    if isinstance(content, int | np.integer):
        return int(content)
    if isinstance(content, float | np.floating):
        return float(f"{content:.{DIGITS}g}") if math.isfinite(content) else None
    return content if content is None else seen(str(content))

"""Which length a model takes, where the one that came is too short for a kernel, or wrong for a matrix."""

from __future__ import annotations

import re
from collections.abc import Callable

PYTORCH = re.compile(r"shapes cannot be multiplied \(\d+x(?P<came>\d+) and (?P<taken>\d+)x\d+\)")
KERAS = re.compile(
    r"axis -1 of input shape to have value (?P<taken>\d+), but .*? shape \((?:\d+, )*(?P<came>\d+)\)"
)
"""What PyTorch and Keras say of a matrix: how many features came, and how many it takes."""
LONGEST = 128
"""Up to how many times the length that came is looked."""


def length_taken(failure: Callable[[int], Exception | None], n: int) -> int | None:
    """The shortest length that is enough for every layer; None where the model does not take it.

    Features of a matrix rise with the length, so that halving finds it in a few calls.

    Parameters
    ----------
    failure : callable
        The error of the model on series of a length; None where it takes them.
    n : int
        The length that came.

    Examples
    --------
    >>> def failure(length):
    ...     text = f"mat1 and mat2 shapes cannot be multiplied (2x{length // 4 * 8} and 96x3)"
    ...     return None if length // 4 == 12 else RuntimeError(text)
    >>> length_taken(failure, 120)
    48
    """

    def enough(length: int) -> bool:
        error = failure(length)
        # What fails before a matrix is too short for a layer before it.
        return error is None or _features_left(error) >= 0

    low, high = 0, n
    while not enough(high):
        low, high = high, 2 * high
        if high > LONGEST * n:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high if failure(high) is None else None


def _features_left(error: BaseException | None) -> int:
    """Features that came beyond those that a matrix takes; -1 where it is not a matrix that failed."""
    while error is not None:  # of onnxruntime the cause is PyTorch's
        found = PYTORCH.search(str(error)) or KERAS.search(str(error))
        if found:
            return int(found["came"]) - int(found["taken"])
        error = error.__cause__
    return -1

"""Which length in time a model takes that flattens its series before a matrix of fixed size."""

from __future__ import annotations

import re
from collections.abc import Callable

SEEN = re.compile(r"shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)")
"""What PyTorch says of a matrix: how many features came, and how many it takes."""
LONGEST = 64
"""Up to how many times the length that came is looked."""


def length_taken(failure: Callable[[int], Exception | None], n: int) -> int | None:
    """A length at which the matrix gets as many features as it takes; None where there is none, or no matrix.

    Features rise with the length, so that halving finds it in a few calls.

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
    first = SEEN.search(str(failure(n)))
    if first is None:
        return None
    wanted = int(first[2])

    def enough(length: int) -> bool:
        error = failure(length)
        found = None if error is None else SEEN.search(str(error))
        # What fails earlier is too short for a layer before the matrix.
        return error is None or (found is not None and int(found[1]) >= wanted)

    low, high = 0, n
    while not enough(high):
        low, high = high, 2 * high
        if high > LONGEST * n:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high if failure(high) is None else None

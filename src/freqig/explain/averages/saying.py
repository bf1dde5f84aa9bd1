"""Warnings of many batches: what is the same is said once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

from ...errors import FreqigWarning, warn

T = TypeVar("T")


class Once:
    """Runs something again and again, and passes each of its warnings on the first time alone."""

    def __init__(self) -> None:
        self._said = set[tuple[type[Warning], str]]()

    def run(self, act: Callable[[], T]) -> T:
        """What `act` returns."""
        with warnings.catch_warnings(record=True) as caught:
            # What a filter of the caller says of them holds when they are passed on.
            warnings.simplefilter("always", FreqigWarning)
            found = act()
        for one in caught:
            told = one.category, str(one.message)
            if told in self._said:
                continue
            self._said.add(told)
            if issubclass(one.category, FreqigWarning):
                warn(str(one.message), one.category)
            else:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        return found

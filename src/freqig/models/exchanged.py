"""Attributes of libraries, exchanged for as long as a block takes, by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import getattr_static
from typing import Any

_lock = threading.RLock()


@contextmanager
def exchanged(owner: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    """Let an attribute be another until the block ends; blocks of other threads wait for that.

    Where two overlapped, the last to end would put back what the other had put there.

    Parameters
    ----------
    owner : class or module
        Whose attribute it is.
    name : str
        Its name.
    make : callable
        From what the attribute is, as the class holds it, to what takes its place.

    Examples
    --------
    >>> class Library:
    ...     size = 1
    >>> with exchanged(Library, "size", lambda before: before + 1):
    ...     Library.size
    2
    >>> Library.size
    1
    """
    with _lock:
        before, own = getattr_static(owner, name), name in vars(owner)
        setattr(owner, name, make(before))
        try:
            yield
        finally:
            if own:
                setattr(owner, name, before)
            else:
                delattr(owner, name)

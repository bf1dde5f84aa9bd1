"""Which frameworks a plain Python function computes with, from the names in its code."""

from __future__ import annotations

from collections import deque
from types import FunctionType, MethodType, ModuleType

from .frameworks import LIBRARIES
from .torch.modules import parts_of

MAX_DEPTH = 4


def packages_used(function: object) -> set[str]:
    """Top-level packages of the modules and objects that a callable refers to.

    Nothing is imported or called: a function that computes with `jax.numpy` has it among the
    globals that its code names, or in a function that it calls.

    Parameters
    ----------
    function : callable
        A function, partial, bound method, or an object with `__call__`.

    Returns
    -------
    set of str
        Names such as "jax" and "torch".

    Examples
    --------
    >>> import torch
    >>> "torch" in packages_used(lambda x: torch.tanh(x))
    True
    """
    found: set[str] = set()
    seen = {id(function)}
    waiting: deque[tuple[object, int]] = deque([(function, 0)])
    while waiting:
        value, depth = waiting.popleft()
        for part in parts_of(value):
            if isinstance(part, ModuleType):
                found.add(part.__name__.partition(".")[0])
                continue
            package = _package(part)
            found.add(package)
            # Own functions are followed, those of libraries are what they are.
            if id(part) not in seen and depth < MAX_DEPTH and package not in LIBRARIES:
                seen.add(id(part))
                waiting.append((part, depth + 1))
    return found


def _package(value: object) -> str:
    if isinstance(value, MethodType):
        value = value.__func__
    kind = value if isinstance(value, (type, FunctionType)) else type(value)
    return (getattr(kind, "__module__", None) or "builtins").partition(".")[0]

"""Finds the network inside objects that train, tune or serve one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Where wrappers keep their network, the trained one first.
ATTRIBUTES = (
    "module_",
    "model_",
    "net_",
    "network_",
    "best_estimator_",
    "estimator_",
    "lightning_module",
    "module",
    "model",
    "net",
    "network",
    "estimator",
    "learner",
)
MAX_DEPTH = 3


def network_in(
    wrapper: object, is_network: Callable[[Any], bool], depth: int = MAX_DEPTH
) -> tuple[str, Any] | None:
    """The network inside a wrapper, and where it lies, such as ".module_"; None where there is none.

    Parameters
    ----------
    wrapper : object
        Of any class.
    is_network : callable
        Tells a network from another object.
    depth : int
        Wrappers in wrappers that are looked through.

    Examples
    --------
    >>> class Search:
    ...     pass
    >>> search, fitted = Search(), Search()
    >>> search.best_estimator_, fitted.module_ = fitted, abs
    >>> network_in(search, lambda part: part is abs)
    ('.best_estimator_.module_', <built-in function abs>)
    """
    parts = [(f".{name}", _read(wrapper, name)) for name in ATTRIBUTES]
    steps = _read(wrapper, "steps")  # of a pipeline, which ends in the estimator
    if isinstance(steps, list) and steps and isinstance(steps[-1], tuple):
        parts.append(("[-1]", steps[-1][-1]))
    for where, part in parts:
        if part is not None and not isinstance(part, type) and is_network(part):
            return where, part
    for where, part in parts:
        if depth > 1 and part is not None and not isinstance(part, (type, str, int, float)):
            found = network_in(part, is_network, depth - 1)
            if found is not None:
                return where + found[0], found[1]
    return None


def _read(owner: object, name: str) -> Any:
    try:
        return getattr(owner, name, None)
    except Exception:  # noqa: BLE001 - properties of an estimator that is not fitted raise as they like
        return None

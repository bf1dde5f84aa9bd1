"""Classes by name: in what is asked for, and in what is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from .._check import shown
from ..objective.classes import Classes
from ..objective.targets import Target


def read_classes(classes: Any) -> tuple[str, ...] | None:
    """Names of classes as the caller gave them.

    Raises
    ------
    TypeError
        If they are no sequence of names.
    ValueError
        If two are the same, or one is "all".
    """
    if classes is None:
        return None
    named = not isinstance(classes, str) and isinstance(classes, (Sequence, np.ndarray)) and len(classes) > 0
    names = tuple(classes) if named else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError(f'classes must be a sequence of names, such as ("W", "N1"), got {shown(classes)}')
    if len(set(names)) < len(names) or "all" in names:
        raise ValueError(f'classes must be names that differ, and none of them "all", got {names}')
    return tuple(map(str, names))


def numbered(target: Any, names: tuple[str, ...] | None) -> Target:
    """A target in which names of classes have become their numbers.

    Raises
    ------
    ValueError
        If a name is none of the classes.

    Examples
    --------
    >>> stages = ("W", "N1", "N2")
    >>> numbered("N2", stages), numbered(["W", "N2"], stages), numbered("all", stages)
    (2, [0, 2], 'all')
    """
    if names is None or target is None or (isinstance(target, str) and target == "all"):
        return target  # type: ignore[no-any-return]
    if isinstance(target, (str, np.str_)):
        return _number(target, names)
    # Arrays of names, of NumPy, pandas and xarray.
    if hasattr(target, "dtype") and not isinstance(target, Tensor) and np.asarray(target).dtype.kind in "UOT":
        target = np.asarray(target).tolist()
    if isinstance(target, (list, tuple)):
        return type(target)(_number(one, names) if isinstance(one, str) else one for one in target)
    return target  # type: ignore[no-any-return]


def check_number_of(names: tuple[str, ...] | None, raw: Tensor, classes: Classes) -> None:
    """ValueError where the names are not those of all classes of raw outputs, shape (N, *axes)."""
    if names is not None and classes.axis is not None and raw.shape[classes.axis] != len(names):
        raise ValueError(
            f"classes must name every class, and the model has {raw.shape[classes.axis]}, got {len(names)}: "
            f"{', '.join(names)}"
        )


def _number(name: str, names: tuple[str, ...]) -> int:
    if name not in names:
        raise ValueError(f"target must be one of classes, {', '.join(names)}, or a number, got {name!r}")
    return names.index(name)

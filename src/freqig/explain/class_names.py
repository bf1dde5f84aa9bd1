"""Classes by name: in what is asked for, and in what is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

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


class NamedClass(int):
    """The number of a class that was told by its name, and is called so in messages."""

    name: str

    def __new__(cls, number: int, name: str) -> Self:
        """Keep both."""
        made = super().__new__(cls, number)
        made.name = name
        return made

    def __repr__(self) -> str:
        return repr(self.name)

    __str__ = __repr__


def numbered(target: Any, names: tuple[str, ...] | None) -> Target:
    """A target in which names of classes have become their numbers.

    Raises
    ------
    ValueError
        If a name is none of the classes.

    Examples
    --------
    >>> stages = ("W", "N1", "N2")
    >>> numbered("N2", stages) == 2, numbered([("W", 7), "N2"], stages) == [(0, 7), 2]
    (True, True)
    >>> numbered("N2", stages), numbered("all", stages)
    ('N2', 'all')
    """
    if names is None or target is None or (isinstance(target, str) and target == "all"):
        return target  # type: ignore[no-any-return]
    if isinstance(target, (str, np.str_)):
        return _number(target, names)
    # Arrays of names, of NumPy, pandas and xarray.
    if hasattr(target, "dtype") and not isinstance(target, Tensor) and np.asarray(target).dtype.kind in "UOT":
        target = np.asarray(target).tolist()
    if isinstance(target, (list, tuple)):
        return type(target)(numbered(one, names) if isinstance(one, (str, tuple)) else one for one in target)
    return target  # type: ignore[no-any-return]


def tells_names(target: Any) -> bool:
    """Whether a target is told by names of classes.

    Examples
    --------
    >>> tells_names("N2"), tells_names(["W", 1]), tells_names("all"), tells_names([1, 2])
    (True, True, False, False)
    """
    if isinstance(target, (str, np.str_)):
        return target != "all"
    if hasattr(target, "dtype") and not isinstance(target, Tensor):
        return np.asarray(target).dtype.kind in "UOT"
    return isinstance(target, (list, tuple)) and any(map(tells_names, target))


def names_of_all(
    names: tuple[str, ...] | None, offered: tuple[str, ...] | None, raw: Tensor, classes: Classes
) -> tuple[str, ...] | None:
    """Names of all classes of raw outputs: those that were asked for, else those offered, where they fit.

    Parameters
    ----------
    names : tuple of str or None
        Names that the caller gave.
    offered : tuple of str or None
        Names that the signals bring along.
    raw : torch.Tensor
        Shape (N, *axes).
    classes : Classes
        How they are read.

    Raises
    ------
    ValueError
        Where the names that the caller gave are not those of all classes.
    """
    count = None if classes.axis is None else raw.shape[classes.axis]
    if names is not None and count not in (None, len(names)):
        events = ", as epochs name their events: pass classes= to Explainer, a name for every output"
        raise ValueError(
            f"classes must name every class, and the model has {count}, got {len(names)}: "
            f"{', '.join(names)}{events if names == offered else ''}"
        )
    return names if names is not None else offered if offered is not None and count == len(offered) else None


def _number(name: str, names: tuple[str, ...]) -> NamedClass:
    if name not in names:
        predicted = ": the predicted class is target=None, the default" if name == "predicted" else ""
        raise ValueError(
            f"target must be one of classes, {', '.join(names)}, or a number, got {name!r}{predicted}"
        )
    return NamedClass(names.index(name), name)

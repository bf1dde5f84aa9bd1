"""Which group every sample belongs to: labels become numbers, and numbers dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...domains.reading import RESERVED

Labels = Mapping[str, np.ndarray]
"""One label per sample, by the name of the grouping."""


@dataclass(eq=False)
class Groups:
    """Groups in the order in which they were met, and how many samples each has.

    Parameters
    ----------
    names : tuple of str
        Of the groupings; none where all samples are one group.
    numbers : dict
        From the labels of a group, one per grouping, to its number.
    """

    names: tuple[str, ...]
    numbers: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, labels: Labels, n_samples: int) -> NDArray[np.int64]:
        """The number of the group of every sample; groups that are new get the next ones."""
        rows = zip(*(labels[name].tolist() for name in self.names), strict=True)
        keys = rows if self.names else [()] * n_samples
        return np.array([self.numbers.setdefault(key, len(self.numbers)) for key in keys], dtype=np.int64)

    def levels(self) -> dict[str, np.ndarray]:
        """The labels of every grouping, sorted."""
        every = list(self.numbers)
        return {name: np.unique(np.array([key[i] for key in every])) for i, name in enumerate(self.names)}

    def cells(self) -> tuple[NDArray[np.int64], ...]:
        """Where each group stands among the levels: an index per grouping, in the order of the numbers."""
        levels, every = self.levels(), list(self.numbers)
        return tuple(
            np.searchsorted(levels[name], np.array([key[i] for key in every]))
            for i, name in enumerate(self.names)
        )


def read_labels(by: Any, n_samples: int, along: Mapping[str, np.ndarray], taken: Sequence[str]) -> Labels:
    """Read what a caller groups by.

    Parameters
    ----------
    by : mapping, str, sequence of str, or None
        Labels by the name of the grouping, or names of coordinates along the samples.
    n_samples : int
        How many samples there are.
    along : mapping
        Coordinates along the samples.
    taken : sequence of str
        Names of dimensions of the result, which no grouping may have.

    Raises
    ------
    TypeError, ValueError
        If a label is missing, their number is not that of the samples, or a name is unknown or taken.
    """
    if by is None:
        return {}
    asked = by if isinstance(by, Mapping) else {name: name for name in ([by] if isinstance(by, str) else by)}
    found = {}
    for name, labels in asked.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"by must have names of groupings, such as 'stage', as keys, got {name!r}")
        if name in RESERVED or name in taken:
            raise ValueError(f"by must not be named {name!r}, which the result uses for something else")
        if isinstance(labels, str):
            if labels not in along:
                known = ", ".join(map(repr, along)) or "none"
                raise ValueError(
                    f"by must name coordinates of x along its samples ({known}), or give the labels, got "
                    f"{labels!r}"
                )
            labels = along[labels]
        found[name] = check_labels(labels, name, n_samples)
    return found


def check_labels(labels: Any, name: str, n_samples: int) -> np.ndarray:
    """Labels of one grouping, one per sample, none of them missing.

    Raises
    ------
    TypeError, ValueError
        If one is missing, their number is not that of the samples, or they are of several types.

    Examples
    --------
    >>> check_labels(["W", "N2"], "stage", 2).tolist()
    ['W', 'N2']
    """
    values = np.asarray(labels)
    if values.shape != (n_samples,):
        raise ValueError(
            f"by[{name!r}] must hold one label per sample, so {n_samples}, got an array of shape "
            f"{values.shape}"
        )
    # Missing is what differs from itself, None, and what pandas takes for missing.
    missing = [i for i, one in enumerate(values.tolist()) if one is None or not _is_itself(one)]
    if missing:
        raise ValueError(
            f"by[{name!r}] must have a label for every sample, but sample {missing[0]} has none "
            f"({len(missing)} such samples): leave them out, or name their group"
        )
    kinds = {type(one) for one in values.tolist()}
    if values.dtype == object and len(kinds) > 1:
        told = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(f"by[{name!r}] must hold labels of one type, got {told}")
    if values.dtype.kind not in "iufbUSOM":
        raise TypeError(f"by[{name!r}] must hold text, numbers or dates, got {values.dtype}")
    return np.array(values.tolist()) if values.dtype == object else values


def _is_itself(label: Any) -> bool:
    try:
        return bool(label == label)
    except (TypeError, ValueError):
        # pandas.NA is neither.
        return False

"""Which group every sample belongs to: labels become numbers, and numbers dimensions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..._check import shown
from ...domains import Domain
from ...domains.reading import RESERVED
from ...groupings import in_order
from ...objective.arguments import Shared

BY_GROUP = ("n_samples", "one_by_one", "cancels")
"""Variables that means have beside those of results."""

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
    kinds : dict
        What kind of labels each grouping has.
    """

    names: tuple[str, ...]
    numbers: dict[tuple[Any, ...], int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, labels: Labels, n_samples: int) -> NDArray[np.int64]:
        """The number of the group of every sample; groups that are new get the next ones."""
        columns = [labels[name] for name in self.names]
        for name, column in zip(self.names, columns, strict=True):
            kind = kind_of(column[0]) if len(column) else None
            if kind is not None and self.kinds.setdefault(name, kind) != kind:
                raise TypeError(
                    f"by[{name!r}] must hold labels of one kind in all batches, got {self.kinds[name]} and "
                    f"then {kind}"
                )
        # Dates would be numbers in a list.
        rows = zip(*(list(c) if c.dtype.kind in "mM" else c.tolist() for c in columns), strict=True)
        keys = rows if self.names else [()] * n_samples
        return np.array([self.numbers.setdefault(key, len(self.numbers)) for key in keys], dtype=np.int64)

    def table(
        self, classes: Sequence[str] = ()
    ) -> tuple[dict[str, np.ndarray], tuple[NDArray[np.int64], ...]]:
        """Labels of every grouping, and where each group stands among them, an index per grouping.

        Labels that are `classes` are in the order of these, others behind them, sorted.
        """
        columns = {name: [key[i] for key in self.numbers] for i, name in enumerate(self.names)}
        levels = {name: in_order(own, classes) for name, own in columns.items()}
        places = {name: {label: i for i, label in enumerate(own)} for name, own in levels.items()}
        cells = tuple(np.array([places[name][one] for one in own]) for name, own in columns.items())
        return {name: np.array(own) for name, own in levels.items()}, cells


def read_labels(
    by: Any, n_samples: int, along: Mapping[str, np.ndarray], domains: Sequence[Domain]
) -> Labels:
    """Read what a caller groups by.

    Parameters
    ----------
    by : mapping, str, sequence of str, or None
        Labels by the name of the grouping, or names of coordinates along the samples. `freqig.shared` makes
        one label that of all samples.
    n_samples : int
        How many samples there are.
    along : mapping
        Coordinates along the samples.
    domains : sequence of Domain
        What is explained in; groupings must not be named like parts of the result.

    Raises
    ------
    TypeError, ValueError
        If a label is missing, their number is not that of the samples, or a name is unknown or taken.
    """
    if by is None:
        return {}
    names = [by] if isinstance(by, str) else by
    asked: Mapping[str, Any] = by if isinstance(by, Mapping) else {name: name for name in names}
    found = {}
    for name, labels in asked.items():
        _check_name(name, domains)
        if isinstance(labels, str):
            if labels not in along:
                known = ", ".join(map(repr, along)) or "none"
                raise ValueError(
                    f"by must name coordinates of x along its samples ({known}), or give the labels, got "
                    f'{labels!r}: by={{"stage": labels}}, or freqig.shared({labels!r}) for one label of all'
                )
            labels = along[labels]
        found[name] = check_labels(labels, name, n_samples)
    return found


def _check_name(name: Any, domains: Sequence[Domain]) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"by must have names of groupings, such as 'stage', as keys, got {name!r}")
    own = any(name == domain.name or name.startswith(f"{domain.name}_") for domain in domains)
    if own or name in RESERVED or name in BY_GROUP:
        raise ValueError(f"by must not be named {name!r}, which the result uses for something else")


def check_labels(labels: Any, name: str, n_samples: int) -> np.ndarray:
    """Labels of one grouping, one per sample, none of them missing; dates are datetime64[ns], as of xarray.

    Raises
    ------
    TypeError, ValueError
        If one is missing, their number is not that of the samples, or they are of several kinds.

    Examples
    --------
    >>> check_labels(["W", "N2"], "stage", 2).tolist()
    ['W', 'N2']
    """
    if isinstance(labels, Shared):
        labels = [labels.value] * n_samples
    try:
        values = np.asarray(labels if hasattr(labels, "dtype") else _as_they_are(labels))
    except TypeError:
        raise TypeError(f"by[{name!r}] must hold one label per sample, got {shown(labels)}") from None
    if values.shape != (n_samples,):
        raise ValueError(
            f"by[{name!r}] must hold one label per sample, so {n_samples}, got an array of shape "
            f"{values.shape}"
        )
    # Missing is what differs from itself, None, and what pandas takes for missing.
    missing = [i for i, one in enumerate(values) if one is None or not _is_itself(one)]
    if missing:
        raise ValueError(
            f"by[{name!r}] must have a label for every sample, but sample {missing[0]} has none "
            f"({len(missing)} such samples): leave them out, or name their group"
        )
    kinds = sorted({kind_of(one) for one in values.tolist()}) if values.dtype.kind in "OSU" else []
    if len(kinds) > 1 or (kinds and kinds[0] not in KINDS):
        raise TypeError(
            f"by[{name!r}] must hold text, numbers or dates, of one kind, got {' and '.join(kinds)}"
        )
    if kinds:
        values = np.array(values.tolist(), dtype=KINDS[kinds[0]])
    if len(values) and values.dtype.kind not in "iufbUmM":
        raise TypeError(f"by[{name!r}] must hold text, numbers or dates, of one kind, got {values.dtype}")
    if values.dtype.kind in "mM":
        fine = values.astype(f"{values.dtype.kind}8[ns]")
        if (fine != values).any():
            raise ValueError(
                f"by[{name!r}] must hold dates of the years 1678 to 2261, got {values[fine != values][0]}"
            )
        return fine
    return values


KINDS = {"text": np.str_, "number": None, "truth value": np.bool_, "date": "M8[us]", "duration": "m8[us]"}
"""What labels may be, and the dtype that they get."""


def kind_of(label: Any) -> str:
    """What kind of label this is, or its type where it is none."""
    for kind, types in (
        ("text", (str,)),
        ("truth value", (bool, np.bool_)),
        ("date", (dt.date, np.datetime64)),
        # In NumPy a duration is an integer.
        ("duration", (dt.timedelta, np.timedelta64)),
        ("number", (int, float, np.integer, np.floating)),
    ):
        if isinstance(label, types):
            return kind
    return type(label).__name__


def _as_they_are(labels: Iterable[Any]) -> np.ndarray:
    """Labels as objects, for an array would make numbers beside text into text; tensors are their number."""
    found = [one.item() if isinstance(one, Tensor) and one.ndim == 0 else one for one in labels]
    return np.array([*found, None], dtype=object)[:-1]


def _is_itself(label: Any) -> bool:
    try:
        return bool(label == label)
    except (TypeError, ValueError):
        # pandas.NA is neither.
        return False

"""What statistics are of: samples, or the means of groups, each a case with labels and a weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from .._check import shown
from ..explain.averages.grouping import check_labels
from ..groupings import READY, UNKNOWN
from ..result.reading import names_of_attributions
from ..signals import in_order_of

SUBJECT = "subject"
SCALARS = ("output", "baseline_output", "completeness_gap", "correction")
"""Variables beside the attributions whose means are those of the explanation, too."""


@dataclass(frozen=True, eq=False)
class Cases:
    """N samples, or N groups of samples of which only means are known.

    Parameters
    ----------
    data : xarray.Dataset
        With a dimension ``sample`` of N cases.
    weights : numpy.ndarray
        How many samples a case stands for, shape (N,).
    groupings : tuple of str
        Those that means were computed by; none of samples.
    of_means : bool
        Whether these are means.
    """

    data: xr.Dataset
    weights: np.ndarray
    groupings: tuple[str, ...]
    of_means: bool

    def __len__(self) -> int:
        return len(self.weights)

    @classmethod
    def of(cls, result: Any, called: str = "result") -> Cases:
        """Read a result, or means as `Explainer.average` returns them; `called` is its name in errors.

        Raises
        ------
        TypeError, ValueError
            If it is of another type, has no attributions, or nothing to take statistics over.
        """
        if not isinstance(result, xr.Dataset):
            raise TypeError(
                f"{called} must be an xarray.Dataset as freqig.Explainer or its average returns it, got "
                f"{type(result).__name__}"
            )
        if not _attributions(result):
            raise ValueError(
                f"{called} must hold attributions (attrs['kind'] == 'attribution'), got the variables "
                f"{', '.join(map(repr, result.data_vars)) or 'none'}: arithmetic of xarray drops attributes "
                "unless keep_attrs=True"
            )
        if any(own.attrs.get("kind") == "interval" for own in result.data_vars.values()):
            raise ValueError(
                f"{called} must hold samples or means of them, got a summary: pass what it is of"
            )
        if "sample" in result.dims:
            count = result.sizes["sample"]
            if not count:
                raise ValueError(f"{called} must hold at least one sample, got none: its selection is empty")
            return cls(result, np.ones(count), (), of_means=False)
        if "n_samples" not in result:
            raise ValueError(
                f"{called} must have samples, or be means as Explainer.average returns them, got "
                f"{', '.join(map(repr, result.dims)) or 'none'}"
            )
        groupings = tuple(map(str, result["n_samples"].dims))
        made = (
            result.stack(sample=groupings, create_index=False) if groupings else result.expand_dims("sample")
        )
        counts = made["n_samples"].values.reshape(-1)
        there = np.flatnonzero(counts > 0)
        if not len(there):
            raise ValueError(f"{called} must hold the mean of at least one sample, got none")
        return cls(made.isel(sample=there), counts[there].astype(np.float64), groupings, of_means=True)

    def attributions(self, name: str | None = None, called: str = "result") -> dict[str, xr.DataArray]:
        """Attributions by name, the first dimension ``sample``: all, or one.

        Raises
        ------
        ValueError
            If there is no such variable, or it is not over samples.
        """
        found = _attributions(self.data)
        if name is not None and name not in found:
            raise ValueError(
                f"name must be a variable of attributions, which in {called} are "
                f"{', '.join(map(repr, found))}, got {shown(name)}"
            )
        chosen = found if name is None else {name: found[name]}
        for key, own in chosen.items():
            if "sample" not in own.dims:
                raise ValueError(f"{called}.{key} must be over samples, got {', '.join(map(repr, own.dims))}")
        # Out of files and lazy arrays once, and not for every group.
        return {key: own.transpose("sample", ...).compute() for key, own in chosen.items()}

    def take(self, rows: np.ndarray) -> Cases:
        """Some of them."""
        if len(rows) == len(self):
            return self
        return Cases(self.data.isel(sample=rows), self.weights[rows], self.groupings, self.of_means)

    def labels(
        self, by: Any, called: str = "result", *, every: bool = True
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Labels by the name of each grouping, and which cases all of them are known of, bool, shape (N,).

        Where not `every` case needs a label, an empty one is none.

        Raises
        ------
        TypeError, ValueError
            If a grouping is unknown or named like something else, or a label is missing.
        """
        found, known = {}, np.ones(len(self), dtype=bool)
        for name, what in _asked(by).items():
            found[name], mine = self._one(name, what, called, every)
            known &= mine
        return found, known

    def _one(self, name: str, what: Any, called: str, every: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Labels by one grouping, and which are known: of ready ones an empty label means no group."""
        along = {str(key): own for key, own in self.data.coords.items() if own.dims == ("sample",)}
        if isinstance(what, str):
            if what not in along and what in READY:
                if self.of_means:
                    raise ValueError(
                        f"by={what!r} is told from samples, and {called} holds means: pass "
                        f"{{'{what}': freqig.groupings.{what}(...)}} to Explainer.average"
                    )
                ready = READY[what](self.data)
                return ready, ready != UNKNOWN
            if what not in along:
                raise ValueError(
                    f"by must name coordinates of {called} along its samples "
                    f"({', '.join(map(repr, along)) or 'none'}), ready groupings ({', '.join(READY)}), or "
                    f"give the labels as {{'stage': labels}}, got {what!r}"
                    + (_held(what) if what in self.data.dims else "")
                )
            what = along[what].values
        elif callable(what) and not isinstance(what, type):
            what = what(self.data)
            if isinstance(what, np.ndarray) and what.dtype.kind == "U" and (what == UNKNOWN).any():
                return what, what != UNKNOWN
        if "sample" in self.data.indexes:
            what = in_order_of(self.data["sample"].values.tolist(), what, f"by[{name!r}]")
        labels = check_labels(what.values if isinstance(what, xr.DataArray) else what, name, len(self))
        there = labels != "" if labels.dtype.kind == "U" else np.ones(len(self), dtype=bool)
        if every and not there.all():
            count = int((~there).sum())
            raise ValueError(
                f"by[{name!r}] must have a label for every sample, but {count} of {len(self)} have an empty "
                "one: select those that have one, or name their group"
            )
        return labels, there

    def subjects(self, called: str = "result") -> np.ndarray | None:
        """The subject of each, shape (N,); None where that is not known.

        Raises
        ------
        ValueError
            If that of some is missing.
        """
        own = self.data.coords.get(SUBJECT)
        if own is None:
            return None
        if own.dims != ("sample",):
            return None if own.ndim else np.full(len(self), own.values[()])
        return self._one(SUBJECT, SUBJECT, called)[0]

    def about(self, variable: xr.DataArray) -> dict[str, Any]:
        """Coordinates of a variable that have nothing to do with samples."""
        return {
            str(key): own.variable
            for key, own in variable.coords.items()
            if "sample" not in own.dims and own.dims
        }


def mean_of(values: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of some rows in float64, the shape of a row.

    Examples
    --------
    >>> mean_of(np.array([[1.0], [5.0]]), np.array([0, 1]), np.array([3.0, 1.0])).tolist()
    [2.0]
    """
    own = weights[rows]
    if (own == own[0]).all():
        return np.asarray(values[rows].mean(axis=0, dtype=np.float64))
    return np.asarray(np.tensordot(own / own.sum(), values[rows].astype(np.float64), 1))


def unit_means(
    variable: xr.DataArray, members: list[np.ndarray], weights: np.ndarray, name: str, called: str = "result"
) -> np.ndarray:
    """Mean of each unit over its rows of a variable, shape (units, ...), of the values there are."""
    values = variable.values
    if all(len(rows) == 1 for rows in members):
        found = values[np.concatenate(members)]
    else:
        found = np.stack([mean_of(values, rows, weights) for rows in members])
    if not np.isfinite(found.sum(dtype=np.float64)):
        check_finite(values[np.concatenate(members)], name, called)
    return np.asarray(found)


def rows_of(labels: Sequence[Any]) -> dict[Any, np.ndarray]:
    """Where each label stands, in the order in which they are met.

    Examples
    --------
    >>> {label: rows.tolist() for label, rows in rows_of(["b", "a", "b"]).items()}
    {'b': [0, 2], 'a': [1]}
    """
    found: dict[Any, list[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(label, []).append(row)
    return {label: np.array(rows) for label, rows in found.items()}


def check_finite(values: np.ndarray, name: str, called: str = "result") -> None:
    """ValueError where a case has NaN or infinite values, with the first of them and how many.

    Places that are NaN in every case, though others are not, have no coefficient.
    """
    there = ~np.isnan(values).all(axis=0)
    own_places = values[:, there] if there.any() else values
    bad = np.flatnonzero(~np.isfinite(own_places.reshape(len(values), -1)).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{called}.{name} must be finite, but {len(bad)} of {len(values)} samples have NaN or infinite "
            f"values, the first is sample {bad[0]}: leave them out, such as "
            f"{called}.sel(sample={called}.{name}.notnull().all([...]))"
        )


def scalars_of(cases: Cases) -> dict[str, xr.DataArray]:
    """Outputs and gaps, first dimension ``sample``."""
    return {
        name: cases.data[name].transpose("sample", ...).compute()
        for name in SCALARS
        if name in cases.data and "sample" in cases.data[name].dims and cases.data[name].dtype.kind == "f"
    }


def _attributions(result: xr.Dataset) -> dict[str, xr.DataArray]:
    return {name: result[name] for name in names_of_attributions(result)}


def _asked(by: Any) -> Mapping[str, Any]:
    if by is None:
        return {}
    if isinstance(by, str):
        return {by: by}
    if isinstance(by, Mapping):
        wrong = [name for name in by if not isinstance(name, str) or not name.strip() or "/" in name]
        if wrong:
            raise TypeError(
                f"by must have names of groupings without a slash as keys, such as 'stage', got "
                f"{shown(wrong[0])}"
            )
        return by
    if callable(by) or not isinstance(by, (list, tuple)) or not all(isinstance(one, str) for one in by):
        raise TypeError(
            "by must be names of coordinates or of ready groupings, or a dict of labels by the name of the "
            f"grouping, such as {{'stage': labels}}, got {shown(by)}"
        )
    return {name: name for name in by}


def _held(name: str) -> str:
    return (
        f": {name!r} is a dimension of what was explained, which stays one of the outcome without being named"
    )

"""Means over the recordings of a store, with intervals over people: one recording and one block are held."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .._check import shown
from ..statistics.cases import Cases, scalars_of
from ..statistics.summarizing import summarize
from .opening import checked, read_recording
from .store import DONE, Store

SUBJECT, PLACE = "subject", "place"
BLOCK_BYTES = 64 * 2**20
"""Means of all people at some places that are held at once."""


def means(
    store: str | os.PathLike[str],
    by: Any = None,
    *,
    interval: float = 0.95,
    n_resamples: int = 5000,
    seed: int = 0,
) -> xr.Dataset:
    """Means of groups over all recordings of a cohort, with intervals over people.

    Recordings are read one after another, and what all people have in a few frequencies at a time, so that
    memory does not grow with the cohort. Means of people lie in a temporary file meanwhile.

    Parameters
    ----------
    store : path
        Of the Zarr store.
    by : str, sequence of str, or None
        What to group by, as of `freqig.summarize`: coordinates along samples, such as "truth", and ready
        groupings, "correct" and "transition"; with "subject" among them groups are those of each person.
        Default: of means their own groups, else one group.
    interval, n_resamples, seed : optional
        As of `freqig.summarize`.

    Returns
    -------
    xarray.Dataset
        As `freqig.summarize` returns it. Each person counts the same, whatever the number of recordings.
        With "subject" in `by` the interval is the normal one from the standard error over samples.

    Raises
    ------
    ValueError
        If it is not known whose recordings are, or they differ in their coordinates.

    Examples
    --------
    >>> from freqig import cohort
    >>> cohort.means("nowhere.zarr", "truth")
    Traceback (most recent call last):
    FileNotFoundError: store must be the path of a cohort, but there is none at 'nowhere.zarr'
    """
    place = checked(store)
    with tempfile.TemporaryDirectory(prefix="freqig-") as scratch:
        cells = _gathered(place, by, Path(scratch))
        own = [SUBJECT, *cells.names] if _names_subject(by) else list(cells.names)
        asked = {"by": own, "interval": interval, "n_resamples": n_resamples, "seed": seed}
        found: list[xr.Dataset] = []
        for name, variable in cells.variables.items():
            parts = [summarize(block, **asked) for block in cells.blocks(name, with_scalars=not found)]
            found.append(
                variable.unfolded(
                    xr.concat(
                        parts,
                        PLACE,
                        data_vars="minimal",
                        coords="minimal",
                        compat="override",
                        join="override",
                    ),
                    name,
                )
            )
    merged = xr.merge(found, compat="override", join="override", combine_attrs="override")
    order = [name for name in by if name in merged.dims] if isinstance(by, (list, tuple)) else []
    return merged.transpose(*order, ...)


@dataclass
class _Variable:
    """Dimensions and coordinates of one variable of attributions, without those of samples."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coords: dict[str, Any]
    attrs: dict[str, Any]

    def unfolded(self, summary: xr.Dataset, name: str) -> xr.Dataset:
        """A summary over places, with the dimensions of the variable in their stead."""
        data = {}
        for key, own in summary.data_vars.items():
            if PLACE in own.dims:
                leading = [dim for dim in own.dims if dim != PLACE]
                values = own.transpose(*leading, PLACE).values
                data[key] = (
                    (*leading, *self.dims),
                    values.reshape(*values.shape[:-1], *self.shape),
                    own.attrs,
                )
            else:
                data[key] = own.variable
        coords = {key: own.variable for key, own in summary.coords.items() if PLACE not in own.dims}
        return xr.Dataset(data, {**coords, **self.coords}, summary.attrs)

    def refuse_other(self, other: _Variable, name: str, recording: str) -> None:
        """ValueError where a recording has other coordinates."""
        same = (self.dims, self.shape) == (other.dims, other.shape) and all(
            np.array_equal(own.values, other.coords[key].values)
            for key, own in self.coords.items()
            if key in other.coords
        )
        if not same:
            raise ValueError(
                f"recordings must have the same coordinates for means over them, but {name} of {recording} "
                f"has {dict(zip(other.dims, other.shape, strict=True))}, others "
                f"{dict(zip(self.dims, self.shape, strict=True))}, or other labels: explain them with one "
                "window= and the same channels=, or keep='bands'"
            )


@dataclass
class _Cells:
    """What each person has in each group: a row for each of both, on disk."""

    folder: Path
    names: tuple[str, ...]
    attrs: dict[str, Any]
    variables: dict[str, _Variable] = field(default_factory=dict)
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    scalars: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, subject: str, sums: Mapping[tuple[Any, ...], _Sum]) -> None:
        """The groups of one person."""
        for key, own in sums.items():
            self.keys.append((subject, *key))
            self.counts.append(int(own.count))
            for name, (mean, squares) in own.moments.items():
                if name not in self.variables:
                    self.scalars.setdefault(name, []).append(mean)
                    continue
                error = np.sqrt(squares / (own.count - 1) / own.count) if own.count > 1 else mean * np.nan
                with self._file(name).open("ab") as file:
                    file.write(mean.tobytes())
                    file.write(np.asarray(error).tobytes())

    def _file(self, name: str) -> Path:
        return self.folder / f"{list(self.variables).index(name)}.float64"

    def blocks(self, name: str, with_scalars: bool) -> Iterator[xr.Dataset]:
        """Means of one variable as `Explainer.average` returns them, some places at a time."""
        variable = self.variables[name]
        places = int(np.prod(variable.shape))
        held = np.memmap(self._file(name), np.float64, "r", shape=(len(self.keys), 2, places))
        levels = [sorted({key[i] for key in self.keys}) for i in range(len(self.names) + 1)]
        cell = tuple(np.array([level.index(key[i]) for key in self.keys]) for i, level in enumerate(levels))
        sizes = tuple(map(len, levels))
        dims = (SUBJECT, *self.names)
        coords = dict(
            zip(dims, ((dim, np.array(own)) for dim, own in zip(dims, levels, strict=True)), strict=True)
        )

        def table(values: np.ndarray, empty: Any = np.nan) -> np.ndarray:
            made = np.full((*sizes, *values.shape[1:]), empty, dtype=values.dtype)
            made[cell] = values
            return made

        width = max(1, BLOCK_BYTES // (16 * int(np.prod(sizes))))
        for start in range(0, places, width):
            part = np.asarray(held[:, :, start : start + width])
            data: dict[str, Any] = {
                name: ((*dims, PLACE), table(part[:, 0]), variable.attrs),
                f"{name}_standard_error": ((*dims, PLACE), table(part[:, 1]), {"kind": "standard_error"}),
                "n_samples": (dims, table(np.array(self.counts), 0)),
            }
            if with_scalars and start == 0:
                for key, own in self.scalars.items():
                    values = np.array(own)
                    data[key] = ((*dims, "target")[: len(dims) + values.ndim - 1], table(values))
            yield xr.Dataset(data, coords, self.attrs)


@dataclass
class _Sum:
    """Number, mean and sum of squares about the mean of the samples of one person in one group."""

    count: float = 0.0
    moments: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def add(self, weights: np.ndarray, values: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Cases that stand for so many samples each: their means, and sums of squares about these.

        Merged as Chan, Golub and LeVeque do (COMPSTAT 1982), which loses no digits.
        """
        total = self.count + weights.sum()
        for name, (means_, squares) in values.items():
            share = (weights / weights.sum()).reshape(-1, *[1] * (means_.ndim - 1))
            mean = (share * means_).sum(0)
            about = squares.sum(0) + (share * weights.sum() * (means_ - mean) ** 2).sum(0)
            before, known = self.moments.get(name, (np.zeros_like(mean), np.zeros_like(mean)))
            step = mean - before
            self.moments[name] = (
                before + step * weights.sum() / total,
                known + about + step**2 * self.count * weights.sum() / total,
            )
        self.count = total


def _gathered(store: Store, by: Any, folder: Path) -> _Cells:
    markers = {name: store.marker(name) or {} for name in store.names()}
    done = {name: own["subject"] for name, own in markers.items() if own["state"] == DONE}
    if not done:
        raise ValueError(f"store must hold a recording that is done, but {store.path} holds none")
    if nobodys := [name for name, subject in done.items() if not subject]:
        raise ValueError(
            f"store must know whose recordings are, for means over people, but does not of "
            f"{', '.join(nobodys[:3])}{', …' if len(nobodys) > 3 else ''}: pass subjects= when they are "
            "explained, or name files sub-NAME_…"
        )
    cells: _Cells | None = None
    ordered = sorted(done, key=lambda name: (done[name], name))
    for subject, names in groupby(ordered, key=done.__getitem__):
        sums: dict[tuple[Any, ...], _Sum] = {}
        for name in names:
            result = read_recording(store, name)
            cases = Cases.of(result, name)
            labels, known = cases.labels(_without_subject(by, cases), name)
            cells = cells or _Cells(folder, tuple(labels), result.attrs)
            _collect(
                cells,
                sums,
                cases.take(np.flatnonzero(known)),
                {key: own[known] for key, own in labels.items()},
                name,
            )
        if cells is not None:
            cells.add(subject, sums)
    if cells is None or not cells.keys:
        raise ValueError(f"by must leave at least one sample in a group, got {shown(by)}")
    return cells


def _collect(
    cells: _Cells, sums: dict[tuple[Any, ...], _Sum], cases: Cases, labels: dict[str, np.ndarray], name: str
) -> None:
    """Add the samples of one recording to the sums of its person."""
    if not len(cases):
        return
    values: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for key, own in cases.attributions(called=name).items():
        about = {str(k): v for k, v in cases.about(own).items() if k != SUBJECT}
        variable = _Variable(tuple(map(str, own.dims[1:])), own.shape[1:], about, dict(own.attrs))
        cells.variables.setdefault(key, variable).refuse_other(variable, key, name)
        flat = own.values.reshape(len(cases), -1).astype(np.float64)
        squares = np.zeros_like(flat)
        if cases.of_means:
            error = cases.data[f"{key}_standard_error"].transpose("sample", ...).values.reshape(flat.shape)
            weights = cases.weights[:, None]
            squares = np.where(weights > 1, weights * (weights - 1) * np.nan_to_num(error) ** 2, 0.0)
        values[key] = flat, squares
    for key, own in scalars_of(cases).items():
        values[key] = own.values.astype(np.float64), np.zeros(own.shape)
    rows = list(zip(*(labels[key].tolist() for key in cells.names), strict=True)) or [()] * len(cases)
    for key in sorted(set(rows)):
        mine = np.array([row == key for row in rows])
        sums.setdefault(key, _Sum()).add(
            cases.weights[mine], {k: (mean[mine], squares[mine]) for k, (mean, squares) in values.items()}
        )


def _names_subject(by: Any) -> bool:
    return by == SUBJECT or (isinstance(by, (list, tuple)) and SUBJECT in by)


def _without_subject(by: Any, cases: Cases) -> list[str]:
    if by is None:
        return [name for name in cases.groupings if name != SUBJECT]
    if not isinstance(by, (str, list, tuple)):
        raise TypeError(f"by must be names, of which every recording has its own labels, got {shown(by)}")
    return [name for name in ([by] if isinstance(by, str) else by) if name != SUBJECT]

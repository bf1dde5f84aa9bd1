"""Means over the recordings of a store, with intervals over people: one recording and one block are held."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .._check import shown
from ..errors import SignalWarning, warn
from ..statistics.cases import Cases, scalars_of
from ..statistics.summarizing import summarize
from .cells import PLACE, SUBJECT, Cells, Sum, Variable
from .opening import checked, read_recording
from .store import DONE, Store


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
        Default: of means their own groups, else one group. Samples without a label are in no group.
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
        If it is not known whose recordings are, or they differ in their coordinates or, of means, groupings.

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
        asked: dict[str, Any] = {"by": own, "interval": interval, "n_resamples": n_resamples, "seed": seed}
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
    summary = json.loads(merged.attrs["summary"]) | {"left_out": cells.left_out}
    merged.attrs["summary"] = json.dumps(summary, sort_keys=True)
    order = [name for name in by if name in merged.dims] if isinstance(by, (list, tuple)) else []
    return merged.transpose(*order, ...)


def _gathered(store: Store, by: Any, folder: Path) -> Cells:
    markers = {name: store.marker(name) or {} for name in store.names()}
    done = {name: str(own.get("subject") or "") for name, own in markers.items() if own["state"] == DONE}
    if not done:
        raise ValueError(f"store must hold a recording that is done, but {store.path} holds none")
    if nobodys := [name for name, subject in done.items() if not subject]:
        raise ValueError(
            f"store must know whose recordings are, for means over people, but does not of "
            f"{', '.join(nobodys[:3])}{', …' if len(nobodys) > 3 else ''}: pass subjects= when they are "
            "explained, or name files sub-NAME_…"
        )
    cells, unlabelled = None, list[str]()
    ordered = sorted(done, key=lambda name: (done[name], name))
    for subject, names in groupby(ordered, key=done.__getitem__):
        sums: dict[tuple[Any, ...], Sum] = {}
        for name in names:
            result = read_recording(store, name)
            cases = Cases.of(result, name)
            labels, known = cases.labels(_without_subject(by, cases), name, every=False)
            cells = cells or Cells(folder, tuple(labels), result.attrs)
            if tuple(labels) != cells.names:
                raise ValueError(
                    f"by must be given where recordings differ in their groupings, which are {_told(labels)} "
                    f"in {name} and {_told(cells.names)} in others: by=[] is one mean of all"
                )
            cells.left_out += int((~known).sum())
            if any((own == "").any() for key, own in labels.items() if key in result.coords):
                unlabelled.append(name)
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
    if unlabelled:
        warn(
            f"samples of {', '.join(unlabelled[:3])}{', …' if len(unlabelled) > 3 else ''} that have no "
            "label are in no mean",
            SignalWarning,
        )
    return cells


def _collect(
    cells: Cells, sums: dict[tuple[Any, ...], Sum], cases: Cases, labels: dict[str, np.ndarray], name: str
) -> None:
    """Add the samples of one recording to the sums of its person."""
    if not len(cases):
        return
    values: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for key, own in cases.attributions(called=name).items():
        about = {str(k): v for k, v in cases.about(own).items() if k != SUBJECT}
        variable = Variable(tuple(map(str, own.dims[1:])), own.shape[1:], about, dict(own.attrs))
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
    rows: list[tuple[Any, ...]] = list(zip(*(labels[key].tolist() for key in cells.names), strict=True)) or [
        ()
    ] * len(cases)
    for group in sorted(set(rows)):
        mine = np.array([row == group for row in rows])
        sums.setdefault(group, Sum()).add(
            cases.weights[mine], {k: (mean[mine], squares[mine]) for k, (mean, squares) in values.items()}
        )


def _told(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _names_subject(by: Any) -> bool:
    return by == SUBJECT or (isinstance(by, (list, tuple)) and SUBJECT in by)


def _without_subject(by: Any, cases: Cases) -> list[str]:
    if by is None:
        return [name for name in cases.groupings if name != SUBJECT]
    if not isinstance(by, (str, list, tuple)):
        raise TypeError(f"by must be names, of which every recording has its own labels, got {shown(by)}")
    return [name for name in ([by] if isinstance(by, str) else by) if name != SUBJECT]

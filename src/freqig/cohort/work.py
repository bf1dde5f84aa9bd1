"""What a worker does with one recording: read, explain, keep, write. The model is made once per process."""

from __future__ import annotations

import threading
import time
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr

from ..bands import bands as sum_over_bands
from ..errors import FreqigWarning, SignalWarning, reason_of, warn
from ..explain.explainer import Explainer
from ..explain.samples import told_truth
from ..files import read
from .inputs import contents_of
from .job import Job, JobError, Order, here
from .recordings import Recording
from .store import DONE, FAILED, Store

MANY = 20
"""Warnings of one recording that are told; all of them are much the same."""


@dataclass(frozen=True)
class Outcome:
    """How a recording ended.

    Parameters
    ----------
    name : str
        Of the recording.
    marker : dict
        What its group says: `state`, and `reason`, or `samples` and `not_converged`.
    warned : tuple of (str, type)
        What was warned of.
    seconds : float
        Wall time.
    """

    name: str
    marker: dict[str, Any]
    warned: tuple[tuple[str, type[FreqigWarning]], ...] = ()
    seconds: float = 0.0


_lock = threading.Lock()
_loaded: dict[str, tuple[Job, Explainer]] = {}
"""The job of this process by its digest, with the Explainer that it makes; one at a time."""


def explain_recording(order: Order, recording: Recording) -> Outcome:
    """Explain one recording and write what is kept.

    Parameters
    ----------
    order : Order
        What is asked of all of them.
    recording : Recording
        Which one.

    Returns
    -------
    Outcome
        Whether it is done, or why it failed.

    Raises
    ------
    JobError
        For what is no fault of this recording: a model that cannot be loaded, a disk that is full.
    """
    start = time.perf_counter()
    job, explainer = _job_of(order)
    store = Store.at(job.store)
    part = store.begin(recording.name, order.shard)
    caught: list[warnings.WarningMessage] = []
    contents = None
    told: dict[str, Any]
    try:
        contents = contents_of(recording)
        # Of a caller's own process warnings are the caller's.
        elsewhere = here() != order.home
        with warnings.catch_warnings(record=True) if elsewhere else nullcontext() as found:
            if elsewhere:
                warnings.simplefilter("always")
            result = _explained(job, explainer, recording)
            caught = found or []
    except Exception as error:
        if isinstance(error, JobError):
            raise
        result, told = xr.Dataset(), {"state": FAILED, "reason": reason_of(error)}
    else:
        told = {"state": DONE, **_counts(result)}
    marker = {**_marker(order, recording, contents), **told}
    store.finish(part, recording.name, result, marker)
    warned = {str(one.message): one.category for one in caught if issubclass(one.category, FreqigWarning)}
    return Outcome(recording.name, marker, tuple(warned.items())[:MANY], time.perf_counter() - start)


def failed(store: Store, order: Order, recording: Recording, reason: str) -> Outcome:
    """Note that a recording failed in a way that its worker could not tell of."""
    contents = contents_of(recording) if recording.path.exists() else None
    marker = {**_marker(order, recording, contents), "state": FAILED, "reason": reason}
    store.finish(store.begin(recording.name, order.shard), recording.name, xr.Dataset(), marker)
    return Outcome(recording.name, marker)


def _marker(order: Order, recording: Recording, contents: dict[str, Any] | None) -> dict[str, Any]:
    return {
        **order.marker,
        "input": contents,
        "path": str(recording.path),
        "subject": recording.subject,
        "folder": recording.folder,
    }


def _job_of(order: Order) -> tuple[Job, Explainer]:
    with _lock:
        found = _loaded.get(order.digest)
        if found is None:
            if here() != order.home:
                # Recordings are what runs at once. Sums over several threads round in their own way, too.
                torch.set_num_threads(1)
            job = order.opened()
            try:
                explainer = job.explainer()
            except Exception as error:
                raise JobError(f"model must load in every worker, but {reason_of(error)}") from error
            _loaded.clear()
            found = _loaded[order.digest] = job, explainer
        return found


def _explained(job: Job, explainer: Explainer, recording: Recording) -> xr.Dataset:
    if job.keep == "means":
        return _averaged(job, explainer, recording)
    truth = None if recording.truth is None else [recording.truth]
    result = explainer.explain_files(
        [recording.path], **job.asked, annotations=recording.annotations, truth=truth
    )
    if job.keep == "bands":
        result = sum_over_bands(result, job.bands)
        result = result.drop_vars([name for name, one in result.items() if one.attrs.get("kind") == "signal"])
        result = result.drop_dims("time", errors="ignore")
    if recording.subject:
        result = result.assign_coords(subject=("sample", np.full(result.sizes["sample"], recording.subject)))
    return result


def _averaged(job: Job, explainer: Explainer, recording: Recording) -> xr.Dataset:
    """Means over the samples of each true class, which cost a few gradients per sample."""
    asked = dict(job.asked)
    aim = {name: asked.pop(name, None) for name in ("target", "baseline")}
    signal = read(recording.path, **asked, annotations=recording.annotations)
    count = signal.sizes["sample"]
    along = {name: signal[name].values for name in ("label",) if name in signal.coords}
    if recording.truth is not None:
        along = {"truth": np.full(count, recording.truth)}
    classes = told_truth(along, explainer.classes)
    name = next((one for one in ("truth", "label") if one in classes), None)
    by = None
    if name is not None:
        labels = classes[name]
        known = labels != ""
        if not known.all():
            warn(
                f"{recording.name}: {count - int(known.sum())} of {count} windows have no label, and are in "
                "no mean",
                SignalWarning,
            )
            signal, labels = signal.isel(sample=np.flatnonzero(known)), labels[known]
        by = {name: labels}
    means = explainer.average(signal, by, **aim)
    return means.assign_coords(subject=recording.subject) if recording.subject else means


def _counts(result: xr.Dataset) -> dict[str, int]:
    """Samples of a recording, and how many of them, or of its means, are not known to `tol`."""
    if "converged" not in result:
        # What makes no promise of a sum keeps it.
        return {"samples": result.sizes["sample"], "not_converged": 0}
    converged = result["converged"]
    rows = converged.all("target") if "target" in converged.dims else converged
    if "n_samples" in result:
        samples = int(result["n_samples"].sum())
        rows = rows.where(result["n_samples"] > 0, True)
    else:
        samples = result.sizes["sample"]
    return {"samples": samples, "not_converged": int((~rows.astype(bool)).sum())}

"""A run: what is to be done, what was done before, workers, and an index at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

from .._check import check_choice, check_count, check_flag, check_flag_or_none, check_text, shown
from ..band_edges import check_bands
from ..baselines.reading import check_baseline
from ..errors import warn
from ..explain.class_names import numbered
from ..explain.explainer import Explainer
from ..files.asked import Reading
from ..objective.own_targets import as_integers, own_target
from ..progress import counting
from .hashes import described, file_of, model_hash, settings_hash
from .inputs import are_contents_of
from .job import KEEP, Job, Order, pickled
from .lock import Shard, alone, held
from .pools import outcomes, visible_gpus
from .recordings import Recording, placed, read_recordings
from .report import Report
from .store import DONE, FAILED, Store

MOST_WORKERS = 1024


def run(
    recordings: Any,
    model: Any,
    store: str | os.PathLike[str],
    executor: Executor | None = None,
    *,
    workers: int = 1,
    keep: str = "spectra",
    bands: Any = None,
    shard: Any = None,
    retry_failed: bool = False,
    model_id: str | None = None,
    target: Any = None,
    baseline: Any = None,
    fs: float | None = None,
    window: float | None = None,
    step: float | None = None,
    channels: Any = None,
    resample: float | None = None,
    annotations: Any = None,
    truth: Any = None,
    subjects: Any = None,
    progress: bool | None = None,
    **settings: Any,
) -> Report:
    """Explain many recordings, each as a group of a Zarr store, and go on where an earlier run ended.

    A recording is one piece of work. It is done when its group stands in the store, with a marker that was
    written last. Whatever stops a run, the next one goes on: it skips what is done, and does the rest.

    Parameters
    ----------
    recordings : sequence of path or Recording, or path of a BIDS folder
        At least one, each with a name of its own.
    model : object, path or Loader
        As `freqig.Explainer` takes it; workers get it by pickle, unless it is a path or a `Loader`.
    store : path
        Of the Zarr store. Made if missing.
    executor : concurrent.futures.Executor, optional
        What runs the work, such as ``client.get_executor()`` of Dask. Default: processes of its own, which
        end with it.
    workers : int, default 1
        How many processes, without an executor; each computes on one thread.
    keep : {"spectra", "bands", "means"}, default "spectra"
        What is kept of a recording: its whole result, as `freqig.Explainer` returns it; without its signal,
        summed over `bands`; or only means over the samples of each true class, as `Explainer.average` makes
        them, at a few gradients per sample.
    bands : str or mapping, optional
        As `freqig.bands` takes them, for ``keep="bands"``.
    shard : (int, int), optional
        i of n: every n-th recording, from the i-th on. Runs of the others may be at work at the same time.
    retry_failed : bool, default False
        Whether recordings that failed before are tried again. Those whose files have changed always are.
    model_id : str, optional
        What tells the model from others, where it has no weights that do.
    target, baseline : optional
        As for a call of an Explainer; one for all samples.
    fs, window, step, channels, resample : optional
        How files are read, see `freqig.read`.
    annotations, truth, subjects : sequence or mapping by name, optional
        For each recording its labels, as `freqig.read` takes them, one true class of all of its samples, and
        whose it is.
    progress : bool, optional
        Whether to show a bar. Default: on a terminal.
    **settings : object
        Settings of `freqig.Explainer`, by name.

    Returns
    -------
    Report
        What was done, skipped, and what failed, with reasons.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        Before any work: if an argument is wrong, two recordings have one name, the model cannot be pickled,
        or the store was made with other settings, of another model, or of other contents of a file.
    RuntimeError
        If another run is at work on the store; or for what goes wrong with every recording, such as a full
        disk. What is done stays.

    Examples
    --------
    >>> import tempfile, torch, numpy as np, freqig
    >>> from pathlib import Path
    >>> generator = torch.manual_seed(0)
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a", "b"):
    ...     np.save(folder / f"{name}.npy", np.random.default_rng(0).normal(size=(1, 200)))
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> found = freqig.cohort.run(
    ...     sorted(folder.glob("*.npy")),
    ...     torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(50, 2)),
    ...     folder / "cohort.zarr",
    ...     ThreadPoolExecutor(1),  # in your case, workers=8
    ...     fs=100,
    ...     window=0.5,
    ...     target="all",
    ...     output="log_prob",
    ... )
    >>> found.done
    ('a', 'b')
    """
    listed = read_recordings(recordings, annotations=annotations, truth=truth, subjects=subjects)
    Reading(fs, channels, window, step, resample)
    part = Shard() if shard is None else Shard(*_pair(shard))
    keep, workers = check_choice(keep, "keep", KEEP), check_count(workers, "workers", 1, MOST_WORKERS)
    can_submit = callable(getattr(executor, "submit", None)) and not isinstance(executor, type)
    if executor is not None and not can_submit:
        raise TypeError(f"executor must be a concurrent.futures.Executor or None, got {shown(executor)}")
    if model_id is not None:
        model_id = check_text(model_id, "model_id")
    if (
        str(settings.get("device", "")).startswith("cuda")
        and executor is None
        and workers > len(visible_gpus())
    ):
        raise ValueError(
            f"workers must be at most one per GPU, of which there are {len(visible_gpus())}, got {workers}"
            if visible_gpus()
            else f"device must be one that is there, and there is no GPU, got {settings['device']}"
        )
    again, bar = check_flag(retry_failed, "retry_failed"), check_flag_or_none(progress, "progress")
    check_bands(bands)
    check_baseline(baseline)
    if keep == "bands" and bands is None:
        raise ValueError("bands must be given with keep='bands': a preset such as 'sleep', or edges by name")
    asked = {
        "target": target,
        "baseline": baseline,
        "fs": fs,
        "window": window,
        "step": step,
        "channels": channels,
        "resample": resample,
    }
    place = Store.at(store)
    job = Job(_placed(model), settings, asked, keep, bands, str(place.path))
    content = pickled(job)
    explainer = job.explainer()
    _refuse_target(target, explainer)
    told = described(job, explainer)
    looks = model_hash(job.model, explainer, model_id)
    with held(place.locks, part) as gone:
        with alone(place.locks):
            marker = {"settings": settings_hash(place.open_for(told, looks)), "model": looks}
            place.sweep(lambda name: name == str(part) or not name.endswith(f"-of-{part.count}"))
        mine = part.of(listed)
        todo, markers = _todo(place, mine, marker, again)
        order = Order.of(content, place.work, marker, str(part))
        seconds: dict[str, float] = {}
        with counting(bar, len(todo)) as tick:
            for outcome in outcomes(executor, workers, order, todo, place):
                markers[outcome.name] = outcome.marker
                seconds[outcome.name] = outcome.seconds
                for text, category in outcome.warned:
                    warn(text if outcome.name in text else f"{outcome.name}: {text}", category)
                tick(1)
        with alone(place.locks):
            if all(place.marker(one.name) is not None for one in listed):
                place.write_index()
                place.forget_jobs()
    return _report(mine, todo, markers, seconds, gone)


def _todo(
    store: Store, recordings: list[Recording], marker: dict[str, str], again: bool
) -> tuple[list[Recording], dict[str, dict[str, Any]]]:
    """Recordings that are to be explained, and the markers of those that are not."""
    todo, markers, changed = list[Recording](), dict[str, dict[str, Any]](), list[str]()
    for one in recordings:
        known = store.marker(one.name)
        if known is None:
            todo.append(one)
            continue
        ours = all(known[name] == marker[name] for name in marker)
        same = ours and known["input"] is not None and are_contents_of(one, known["input"])
        if known["state"] == DONE and not same:
            changed.append(one.name)
        elif known["state"] == FAILED and (again or not same):
            todo.append(one)
        else:
            markers[one.name] = known
    if changed:
        raise ValueError(
            f"store must be of the same recordings, but of {', '.join(changed[:5])}"
            f"{', …' if len(changed) > 5 else ''} it holds results of other contents, labels or settings: "
            f"remove {store.path / changed[0]} to have it explained anew, or pass another path"
        )
    for one in todo:
        store.remove(one.name)
    return todo, markers


def _report(
    mine: list[Recording],
    todo: list[Recording],
    markers: Mapping[str, dict[str, Any]],
    seconds: dict[str, float],
    gone: list[str],
) -> Report:
    new = {one.name for one in todo}
    done = [one.name for one in mine if markers[one.name]["state"] == DONE]
    return Report(
        tuple(name for name in done if name in new),
        tuple(name for name in done if name not in new),
        {one.name: markers[one.name]["reason"] for one in mine if markers[one.name]["state"] == FAILED},
        {name: markers[name]["not_converged"] for name in done if markers[name]["not_converged"]},
        seconds,
        tuple(gone),
        tuple(mine),
    )


def _pair(shard: Any) -> tuple[int, int]:
    try:
        place, count = shard
    except (TypeError, ValueError):
        raise ValueError(f"shard must be two numbers, i of n, got {shown(shard)}") from None
    return check_count(place, "shard"), check_count(count, "shard")


def _refuse_target(target: Any, explainer: Explainer) -> None:
    """TypeError or ValueError where a target is none for all samples of all recordings.

    Whether there is such an output, only the model tells.
    """
    if target is None:
        return
    alone = isinstance(target, (str, bytes, tuple))
    if not alone and (hasattr(target, "__len__") or hasattr(target, "detach")):
        kind = type(target).__name__
        raise TypeError(f"target must be one for all samples of all recordings, got {kind}")
    if callable(explainer.output):
        own_target(target, 1)
        return
    by_number = numbered(target, explainer.classes)
    parts = by_number if isinstance(by_number, tuple) else (by_number,)
    said = tuple(one for one in parts if one is not None and not (isinstance(one, str) and one == "all"))
    indices = as_integers(said, 1, ())
    if not parts or (indices < 0).any():
        raise ValueError(f"target must be a class number from 0 on, or a tuple of them, got {shown(target)}")


def _placed(model: Any) -> Any:
    """A model that is a path, wherever a worker is."""
    return model if file_of(model) is None else str(placed(model))

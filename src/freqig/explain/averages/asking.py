"""What a caller asks of averages, and the labelled result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..._check import check_seed
from ...baselines.drawn import Drawn
from ...baselines.reading import describe_baseline, draw_baselines
from ...errors import ConvergenceWarning, Told, but_once, warn
from ...models import Model
from ...result.attributions import Attributions
from ...result.means import label_means
from ...signals import Signal, aligned_rows
from ...signals.axes import Axes
from ..batch import Asked, fitting_axes, told_settings, unit_of
from ..call import Passes, Question, explain
from ..kept import Kept
from ..methods import AdaptiveNodes, Method
from ..settings import Settings, read_tolerance
from ..shares import with_rows
from .averaging import Averages, Batch, average
from .batches import Batches, Reading, is_mapping
from .grouping import Groups, read_labels

SAMPLING = "sampling"

EXAMINED = 32
"""Samples of each batch on which it is examined whether the model answers for every one alone."""


def means_of(
    model: Model,
    settings: Settings,
    kept: Kept,
    batches: Batches,
    asked: Asked,
    tol: float | str | None,
    seed: int,
) -> xr.Dataset:
    """Labelled means of groups.

    Parameters
    ----------
    model, settings, kept
        As of `explain_batch`.
    batches : Batches
        The samples.
    asked : Asked
        What is asked of every batch.
    tol : float, "sampling" or None
        As a caller gives it.
    seed : int
        Of the random places.
    """
    sampling, limit = _tolerance(settings, tol)
    seed = check_seed(seed, "seed")
    said: Told = set()
    questions = batches.asked(model, settings, asked, said)
    groups, counts, (question, known, axes) = _counted(questions, settings)
    by_sample = Asked(baseline=asked.baseline, domains=settings.domains)
    if batches.several and (rows := with_rows(by_sample, [question.signal.values.ndim])):
        raise ValueError(
            f"{rows[0]} must be the same for all samples where these come in batches, got one row per "
            "sample: pass one array of all samples, or explain them, and average the result"
        )
    if sampling and (counts == 1).any():
        raise ValueError(
            "tol must be a number where a group has one sample, whose mean has no sampling error, got "
            f"'sampling' and one sample of {_told(groups, int(np.argmax(counts == 1)))}"
        )
    adaptive = AdaptiveNodes(limit, settings.max_evaluations, settings.n_initial)

    held = None if batches.several else Passes(EXAMINED, keeps=True)

    def again() -> Iterator[Batch]:
        for own, how, by in questions():
            signal, axes = own.signal, Axes.of(own.signal)
            starts = draw_baselines(own.baseline, signal.values, how.time_axis, axes.fs, signal)
            placed = replace(own, baseline=Drawn(starts, describe_baseline(own.baseline, signal.values)))

            def run(
                method: Method, checked: bool, asked: Question = placed, how: Settings = how, at: Axes = axes
            ) -> Attributions:
                passes = held or Passes(EXAMINED, keeps=False)
                passes.checked = checked
                with fitting_axes(model, how, asked), but_once(said):
                    return explain(model, how, kept, asked, at, method, passes)

            numbers = groups.of(_labels(signal, by, settings), len(signal.values))
            yield Batch(run, numbers, len(starts))

    found = average(again, counts, adaptive, sampling=sampling, seed=seed, dtype=model.dtype)
    _warn_of(found, groups, limit, sampling)
    first, target = found.first, question.target
    several = first.targets is not None and (isinstance(target, str) or found.output.shape[1] > 1)
    told = told_settings(known, model, question, first)
    return label_means(
        first.domains,
        axes,
        *groups.table(first.names or ()),
        values=found.values,
        standard_errors=found.standard_errors,
        errors=found.errors,
        scalars={
            "output": found.output,
            "baseline_output": found.baseline_output,
            "completeness_gap": found.gap,
            "correction": found.correction,
            "converged": found.converged,
            "cancels": found.cancels,
        },
        by_group={"n_samples": counts, "n_evaluations": found.evaluations, "one_by_one": found.small},
        targets=first.targets[0] if several and first.targets is not None else None,
        names=first.names,
        settings={**told, "seed": seed, "tol": SAMPLING if sampling else limit},
        description={**model.description, **model.fingerprint()},
        unit=unit_of(settings, question, first),
    )


def _tolerance(settings: Settings, tol: float | str | None) -> tuple[bool, float]:
    """Whether the sampling error is the limit, and the tolerance."""
    if settings.engine != "path" or settings.n_steps is not None:
        asked = f"n_steps={settings.n_steps}" if settings.engine == "path" else f"engine={settings.engine!r}"
        raise ValueError(f"average places nodes of its own: make the Explainer without {asked}")
    if own := [domain.name for domain in settings.domains if not domain.linear]:
        raise ValueError(
            f"domains must be linear for averages, whose paths are common to all, got {', '.join(own)}: "
            "explain the samples, and average the result"
        )
    if isinstance(tol, str) and tol != SAMPLING:
        raise ValueError(f"tol must be a number above 0 and below 1, 'sampling' or None, got {tol!r}")
    if isinstance(tol, str):
        return True, settings.tol
    return False, settings.tol if tol is None else read_tolerance(tol)


def _labels(signal: Signal, by: Any, settings: Settings) -> Mapping[str, np.ndarray]:
    if is_mapping(by):
        by = {name: aligned_rows(by[name], signal, f"by[{name!r}]") for name in by}
    return read_labels(by, len(signal.values), signal.coords, settings.domains)


def _counted(
    questions: Callable[[], Iterable[Reading]], settings: Settings
) -> tuple[Groups, NDArray[np.int64], tuple[Question, Settings, Axes]]:
    """Groups, how many samples each has, and the first batch; all batches must be alike."""
    groups: Groups | None = None
    first, counts = None, np.zeros(0, dtype=np.int64)
    for number, (question, known, by) in enumerate(questions()):
        labels, own = _labels(question.signal, by, settings), Axes.of(question.signal)
        if groups is None or first is None:
            groups, first = Groups(tuple(labels)), (question, known, own)
        told = own.shape[1:], own.fs, tuple(labels)
        alike = first[-1].shape[1:], first[-1].fs, groups.names
        if told != alike:
            raise ValueError(
                "x must hold batches of one shape, rate and set of groupings, which are "
                f"{alike} in the first, got {told} in batch {number}"
            )
        numbers = groups.of(labels, len(question.signal.values))
        counts = np.bincount(numbers, minlength=len(groups)) + np.pad(counts, (0, len(groups) - len(counts)))
    if groups is None or first is None or not len(groups):
        raise ValueError("x must hold at least one sample, got none")
    return groups, counts, first


def _told(groups: Groups, number: int) -> str:
    return ", ".join(map(str, list(groups.numbers)[number])) or "all samples"


def _warn_of(found: Averages, groups: Groups, limit: float, sampling: bool) -> None:
    """Say once which means were not reached."""
    failed = np.flatnonzero(~found.converged.all(1).numpy())
    if not len(failed):
        return
    worst = int(failed[np.argmax(found.errors.amax((0, 2)).numpy()[failed])])
    label = _told(groups, worst)
    error, gap = float(found.errors[:, worst].max()), float(found.gap[worst].abs().max())
    wanted = "a quarter of the sampling error" if sampling else f"tol={limit:g}"
    warn(
        f"{len(failed)} of {len(groups)} means did not reach {wanted}; the worst is that of {label}: "
        f"relative error {error:.2g}, completeness gap {gap:.2g}, {found.evaluations[worst]:.0f} gradients "
        "per sample. Where both disagree whatever the places, outputs jump: explain its samples "
        "one by one",
        ConvergenceWarning,
    )

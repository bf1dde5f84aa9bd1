"""Finds out from the model which of its further arguments follow the samples, where nobody said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import add_context
from .arguments import Extra
from .failures import left_the_model
from .objective import Objective
from .rounding import differ, distance

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
# Places on the path, mixed so that two neighbours are never both at one end.
PLACES = (1.0, 0.5, 0.02, 0.8, 0.2)


Probe = tuple[Tensor, Tensor]
"""Points and the samples they belong to."""


@dataclass(frozen=True)
class _Trial:
    """One reading that the model accepts, with its outputs."""

    extra: Extra
    outputs: Tensor


def settle_readings(objective: Objective, x: Tensor, baseline: Tensor) -> Objective:
    """Choose the reading of arguments that have as many entries as there are samples.

    Every reading is tried on two batches whose sizes no argument has, so that a reading which only fits
    by its size fails. The one that works is taken. Where several work and their outputs agree at
    places on the path of every sample, none matters.

    Parameters
    ----------
    objective : Objective
        The model with its arguments.
    x, baseline : torch.Tensor
        Ends of the paths, shape (N, *shape).

    Returns
    -------
    Objective
        With nothing undecided.

    Raises
    ------
    ValueError
        If several readings work and their outputs differ.
    Exception
        The error of the model where none works.
    """
    if not objective.extra.undecided:
        return objective
    sizes = _sizes(objective.extra, x)
    probes = [_probe(x, baseline, size) for size in sizes]
    works, errors = _tried(objective, probes)
    if not works and objective.alone:
        # A model that takes one point per call.
        probes = [_probe(x, baseline, 1)]
        works, again = _tried(objective, probes)
        again.clear()
    if not works:
        # Where the model answered, what is wrong is not the reading.
        said = next((error for error in errors if not left_the_model(error)), None)
        if said is not None:
            raise said
        _explain(errors, objective.extra)
        raise errors[0]
    # An error holds the frame it was caught in, and all tensors of the call with it: a cycle.
    errors.clear()
    if len(works) > 1:
        size = len(probes[-1][0])
        first = range(0, len(PLACES) * len(x) if len(x) > 1 else 0, size)
        _check_agreement(objective, works, probes, (_probe(x, baseline, size, i) for i in first))
    return replace(objective, extra=works[0].extra)


def _sizes(extra: Extra, x: Tensor) -> tuple[int, int]:
    """Two batch sizes that neither the input nor an argument has, and that do not divide the batch."""
    taken = {len(x), *x.shape[1:]}
    for value in extra.values:
        taken |= set(value.shape) if isinstance(value, Tensor) else set()
    free = [p for p in PRIMES if p not in taken and (len(x) % p or len(x) == 0)]
    return (free[0], free[1]) if len(free) > 1 else (PRIMES[-2], PRIMES[-1])


def _probe(x: Tensor, baseline: Tensor, size: int, first: int = 0) -> Probe:
    """Points on the paths of several samples, and their samples.

    Points 0 to 5 N - 1 visit every place of all samples.
    """
    number = torch.arange(first, first + size, device=x.device)
    rows = number % len(x)
    places = torch.tensor(PLACES, device=x.device).double()[(rows + number // len(x)) % len(PLACES)]
    start, end = baseline[rows].double(), x[rows].double()
    return start + places.reshape(-1, *(1,) * (x.ndim - 1)) * (end - start), rows


def _tried(objective: Objective, probes: Sequence[Probe]) -> tuple[list[_Trial], list[Exception]]:
    works, errors = list[_Trial](), list[Exception]()
    for extra in objective.extra.readings():
        reading = replace(objective, extra=extra)
        try:
            reading.settle_dtype(*_on_device(objective, probes[0]))
            outputs = [reading.raw(*_on_device(objective, probe)) for probe in probes]
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a model raises, it refused
            errors.append(error)
            continue
        if len({tuple(output.shape[1:]) for output in outputs}) > 1:
            shapes = " and ".join(str(tuple(output.shape)) for output in outputs)
            errors.append(ValueError(f"the model's outputs must not grow with the batch, got {shapes}"))
            continue
        works.append(_Trial(extra, torch.cat(outputs)))
    return works, errors


def _explain(errors: Sequence[Exception], extra: Extra) -> None:
    """Tell the first error what else was tried."""
    told = f"{type(errors[-1]).__name__}: {errors[-1]}"
    if told == f"{type(errors[0]).__name__}: {errors[0]}":
        return
    names = " and ".join(extra.named(i) for i in extra.undecided)
    add_context(
        errors[0],
        f"{names} was taken to hold one entry per sample; whole for every sample the model failed with "
        f"{told}. Say what it is: freqig.per_sample(value, axis=...) with the axis that counts the samples, "
        "or freqig.shared(value)",
    )


def _check_agreement(
    objective: Objective, works: Sequence[_Trial], probes: Sequence[Probe], others: Iterable[Probe]
) -> None:
    first, *rest = works

    def raw(trial: _Trial, probe: Probe) -> Tensor:
        return replace(objective, extra=trial.extra).raw(*_on_device(objective, probe))

    for other in rest:
        if differ(first.outputs, other.outputs):
            if differ(first.outputs, torch.cat([raw(first, probe) for probe in probes])):
                # The model answers by chance, which is said where that is checked.
                return
            _refuse(objective.extra, first, other, first.outputs, other.outputs)
    for probe in others:
        expected = raw(first, probe)
        for other in rest:
            if differ(expected, found := raw(other, probe)):
                _refuse(objective.extra, first, other, expected, found)


def _on_device(objective: Objective, probe: Probe) -> Probe:
    points, rows = probe
    return points.to(objective.model.device, objective.model.dtype), rows.to(objective.model.device)


def _refuse(extra: Extra, first: _Trial, other: _Trial, a: Tensor, b: Tensor) -> None:
    i = next(i for i in extra.undecided if first.extra.axes[i] != other.extra.axes[i])
    axis = extra.axes[i]
    by = f"differ by up to {distance(a, b):.3g}" if a.shape == b.shape else "have other shapes"
    raise ValueError(
        f"{extra.named(i)} could hold one entry per sample, or be the same for all "
        f"{extra.values[i].shape[axis or 0]} samples: the model accepts both, and its outputs {by}. "
        f"Say which it is: freqig.per_sample(value, axis={axis}) or freqig.shared(value)"
    )

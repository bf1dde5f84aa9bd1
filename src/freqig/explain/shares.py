"""What has one entry per sample, shared out over signals that come in pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
import xarray as xr

from ..domains.preparing import refuse_count
from ..objective.arguments import NAME, PerSample
from ..signals.recordings import is_recording
from ..signals.tables import is_table
from .batch import Asked


def per_sample_of(asked: Asked) -> list[str]:
    """Names of columns, with one entry per sample."""
    known = {"target": asked.target, "truth": asked.truth, "names": asked.names}
    return [name for name, value in known.items() if _is_column(value)]


def follows_samples(asked: Asked, ndims: list[int]) -> str:
    """Name of something that has one entry per sample; empty where there is none."""
    columns = per_sample_of(asked)
    if not columns and any(map(_follows, _as_tuple(asked.arguments))):
        return NAME
    return [*columns, *with_rows(asked, ndims), ""][0]


def with_rows(asked: Asked, ndims: list[int]) -> list[str]:
    """What of baseline and domains has a row per sample, where signals have so many axes, one per input."""
    starts = ["baseline"] if any(_has_rows(*one) for one in _starts(asked, ndims)) else []
    domains = [f"domain {one.name!r}" for one in asked.domains or () if one.n_samples is not None]
    return starts + domains


def _is_column(value: Any) -> bool:
    return value is not None and not isinstance(value, (str, tuple)) and np.ndim(value) > 0


def share(asked: Asked, start: int, count: int, ndims: list[int]) -> Asked:
    """What is asked of `count` samples from `start` on; ValueError where one entry per sample ends before."""
    refuse_rest(asked, start + count, ndims, least=True)
    return of_rows(asked, list(range(start, start + count)), ndims)


def axes_of(signals: Any) -> list[int]:
    """How many axes signals have, the batch first, of each of several inputs."""
    return [_n_axes(one) for one in _as_tuple(signals)]


def of_rows(asked: Asked, rows: list[int], ndims: list[int]) -> Asked:
    """What is asked of some of the samples, of signals with so many axes, the batch first."""
    mine = {name: _taken(getattr(asked, name), rows) for name in per_sample_of(asked)}
    baseline = [
        _taken(start, rows) if _has_rows(start, ndim) else start for start, ndim in _starts(asked, ndims)
    ]
    return replace(
        asked,
        **mine,
        baseline=tuple(baseline) if isinstance(asked.baseline, tuple) else baseline[0],
        arguments=_arguments(asked.arguments, rows),
        domains=None
        if asked.domains is None
        else tuple(d.of_samples(torch.tensor(rows)) for d in asked.domains),
    )


def _starts(asked: Asked, ndims: list[int]) -> list[tuple[Any, int]]:
    """Baselines, one per input, and how many axes the signals of each have."""
    starts = _as_tuple(asked.baseline) if isinstance(asked.baseline, tuple) else (asked.baseline,)
    return list(zip(starts, ndims * len(starts) if len(ndims) == 1 else ndims, strict=False))


def _has_rows(baseline: Any, ndim: int) -> bool:
    """Whether a baseline is values with one row per sample, where signals have so many axes.

    Examples
    --------
    >>> _has_rows(np.zeros((5, 8)), 2), _has_rows(np.zeros(8), 2), _has_rows(None, 2)
    (True, False, False)
    """
    if isinstance(baseline, xr.DataArray):
        return "sample" in baseline.dims
    return is_recording(baseline) or _n_axes(baseline) == ndim


def _n_axes(values: Any) -> int:
    """How many axes values have, which may be a list of series of unequal length."""
    if isinstance(values, list):
        return 1 + (_n_axes(values[0]) if values else 0)
    return int(getattr(values, "ndim", 0))


def _taken(values: Any, rows: list[int]) -> Any:
    if isinstance(values, xr.DataArray):
        return values.isel({values.dims[0] if values.ndim == 1 else "sample": rows})
    if is_table(values):
        taken = values.iloc[rows]
        # Numbers from 0 on are places, and no labels, of the rows that are left, too.
        return taken.reset_index(drop=True) if list(values.index) == list(range(len(values))) else taken
    if is_recording(values):
        return values[rows]
    return [values[i] for i in rows] if isinstance(values, list) else values[np.asarray(rows)]


def refuse_rest(asked: Asked, count: int, ndims: list[int], least: bool = False) -> None:
    """Refuse what has one entry per sample but not of all `count`, or with `least` of fewer."""
    columns = [(name, len(getattr(asked, name)), "") for name in per_sample_of(asked)]
    columns += [
        ("baseline", _count(start), ", or one series for all, without a batch axis")
        for start, ndim in _starts(asked, ndims)
        if _has_rows(start, ndim)
    ]
    for name, have, other in columns:
        if have < count if least else have != count:
            wanted = f"at least {count}" if least else str(count)
            raise ValueError(f"{name} must be one per sample, so {wanted} of them, got {have}{other}")
    for domain in asked.domains or ():
        refuse_count(domain, count, least)
    if not least:
        _refuse_other_lengths(asked.arguments, count)


def _count(values: Any) -> int:
    return int(values.sizes["sample"]) if isinstance(values, xr.DataArray) else len(values)


def _arguments(arguments: Any, rows: list[int]) -> Any:
    """Further arguments of some of the samples, where these come in pieces.

    Raises
    ------
    ValueError
        If it was not said of an array whether it follows the samples, or it has too few entries.

    Examples
    --------
    >>> from freqig import per_sample, shared
    >>> one, other = _arguments((per_sample([1.0, 2.0, 3.0]), shared("fast")), [2, 0])
    >>> one.value.tolist(), other.value
    ([3.0, 1.0], 'fast')
    """
    if isinstance(arguments, (tuple, list)):
        return type(arguments)(_arguments(one, rows) for one in arguments)
    if isinstance(arguments, PerSample):
        have = arguments.value.shape[arguments.axis]
        if max(rows, default=-1) >= have:
            raise ValueError(
                f"{NAME} must have one entry per sample, got {have} for at least {max(rows) + 1}"
            )
        index = torch.tensor(rows, device=arguments.value.device)
        return replace(arguments, value=arguments.value.index_select(arguments.axis, index))
    if np.ndim(arguments) > 0 and not isinstance(arguments, str):
        raise ValueError(
            f"{NAME} must be freqig.per_sample(...) or freqig.shared(...) where x comes in pieces, got an "
            f"array of shape {np.shape(arguments)}, which may be either"
        )
    return arguments


def _refuse_other_lengths(arguments: Any, count: int) -> None:
    """Refuse entries per sample that are not as many as all samples of all pieces."""
    for one in _as_tuple(arguments):
        if isinstance(one, PerSample) and one.value.shape[one.axis] != count:
            raise ValueError(
                f"{NAME} must have one entry per sample, so {count}, got {one.value.shape[one.axis]}"
            )


def _as_tuple(arguments: Any) -> tuple[Any, ...]:
    return tuple(arguments) if isinstance(arguments, (tuple, list)) else (arguments,)


def _follows(argument: Any) -> bool:
    return isinstance(argument, PerSample)

"""What has one entry per sample, shared out over signals that come in pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..objective.arguments import NAME, PerSample
from .batch import Asked


def per_sample_of(asked: Asked) -> list[str]:
    """Names of columns, with one entry per sample."""
    known = {"target": asked.target, "truth": asked.truth, "names": asked.names}
    return [name for name, value in known.items() if _is_column(value)]


def follows_samples(asked: Asked) -> str:
    """Name of something that has one entry per sample; empty where there is none."""
    columns = per_sample_of(asked)
    return columns[0] if columns else NAME if any(map(_follows, _as_tuple(asked.arguments))) else ""


def _is_column(value: Any) -> bool:
    return value is not None and not isinstance(value, (str, tuple)) and np.ndim(value) > 0


def share(asked: Asked, start: int, count: int) -> Asked:
    """What is asked of `count` samples from `start` on; ValueError where columns end before."""
    for name in per_sample_of(asked):
        have = len(getattr(asked, name))
        if have < start + count:
            raise ValueError(f"{name} must be one per sample, got {have} for at least {start + count}")
    return of_rows(asked, list(range(start, start + count)))


def of_rows(asked: Asked, rows: list[int]) -> Asked:
    """What is asked of some of the samples."""
    mine = {name: _taken(getattr(asked, name), rows) for name in per_sample_of(asked)}
    return replace(asked, **mine, arguments=_arguments(asked.arguments, rows))


def _taken(values: Any, rows: list[int]) -> Any:
    return [values[i] for i in rows] if isinstance(values, list) else values[np.asarray(rows)]


def refuse_rest(asked: Asked, count: int) -> None:
    """Refuse columns that are longer than all pieces together."""
    for name in per_sample_of(asked):
        if len(getattr(asked, name)) != count:
            raise ValueError(
                f"{name} must be one per sample, so {count} of them, got {len(getattr(asked, name))}"
            )
    _refuse_other_lengths(asked.arguments, count)


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

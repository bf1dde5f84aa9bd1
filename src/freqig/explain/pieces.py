"""Signals that come in pieces: batches of a loader or an iterator, or series of unequal length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from os import PathLike
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch.utils.data import DataLoader, Dataset, RandomSampler

from ..errors import add_context, warnings_about
from ..objective.failures import left_the_model
from ..progress import counting
from ..result.joining import joined
from ..signals.recordings import is_recording
from .batch import Asked
from .shares import axes_of, follows_samples, of_rows, refuse_rest, share

BATCH = 64
"""Items of a data set that are explained at once."""

OneBatch = Callable[[Any, Asked, int | None], xr.Dataset]
"""Explains a batch: signals, what is asked of them, and the length to fill them up to."""


def is_stream(x: Any) -> bool:
    """Whether this gives batches one after another: a loader, a data set or an iterator.

    Examples
    --------
    >>> is_stream(iter([np.zeros((2, 8))])), is_stream(np.zeros((2, 8)))
    (True, False)
    """
    of_tensorflow = any(base.__module__.startswith("tensorflow.python.data.") for base in type(x).__mro__)
    return of_tensorflow or isinstance(x, (DataLoader, Dataset)) or is_iterator(x)


def is_iterator(x: Any) -> bool:
    """Whether this is an iterator of batches; Epochs of MNE, which are one as well, are one batch."""
    return isinstance(x, Iterator) and not is_recording(x)


def is_uneven(x: Any) -> bool:
    """Whether this is a list of series, or of DataArrays, that do not make one array.

    Examples
    --------
    >>> is_uneven([np.zeros(8), np.zeros(9)]), is_uneven([np.zeros(8), np.zeros(8)])
    (True, False)
    """
    if not isinstance(x, list) or not x:
        return False
    if all(isinstance(one, xr.DataArray) for one in x):
        return all("time" in one.dims for one in x)
    try:
        shapes = {np.shape(one) if not isinstance(one, torch.Tensor) else tuple(one.shape) for one in x}
    except ValueError:
        return False
    return len(shapes) > 1 and len({len(shape) for shape in shapes}) == 1 and () not in shapes


def explain_stream(one_batch: OneBatch, x: Any, asked: Asked, progress: bool | None) -> xr.Dataset:
    """Explain batches as they come; only one of them is held at a time, beside the result.

    Parameters
    ----------
    one_batch : callable
        Explains a batch.
    x : iterable
        Yields batches: signals, a tuple of inputs, or (signals, labels), as loaders of PyTorch do, whose
        labels are the true classes.
    asked : Asked
        What is asked; sequences with one entry per sample are shared out.
    progress : bool or None
        Whether to show a bar.

    Raises
    ------
    ValueError, TypeError
        If batches differ in channels or length, or what is per sample is not as long as all of them.
    """
    results, start, ndims = list[xr.Dataset](), 0, list[int]()
    with counting(progress, _total(x)) as done:
        for batch in _batches(x):
            signals, labels = _signals_and_labels(batch)
            count, ndims = len(signals[0] if isinstance(signals, tuple) else signals), axes_of(signals)
            if start == 0:
                _refuse_shuffled(x, asked, ndims)
            mine = share(asked, start, count, ndims)
            if labels is not None and mine.truth is None:
                mine = replace(mine, truth=labels)
            with warnings_about(f"of the batch that begins with sample {start}" if start else ""):
                results.append(one_batch(signals, mine, None))
            start += count
            done(count)
    if not results:
        raise ValueError("x must yield at least one batch of signals, got none")
    refuse_rest(asked, start, ndims)
    return joined(results)


def _refuse_shuffled(x: Any, asked: Asked, ndims: list[int]) -> None:
    shuffled = isinstance(x, DataLoader) and isinstance(x.sampler, RandomSampler)
    if shuffled and (named := follows_samples(asked, ndims)):
        raise ValueError(
            f"x must come in a known order where {named} has one entry per sample, got a "
            "DataLoader with shuffle=True: pass shuffle=False, or have it yield (signals, labels)"
        )


def explain_uneven(
    one_batch: OneBatch, x: list[Any], asked: Asked, progress: bool | None, time_axis: int
) -> xr.Dataset:
    """Explain series of unequal length; each by itself as the model takes it, on coordinates of the longest.

    Parameters
    ----------
    one_batch : callable
        Explains a batch.
    x : list
        Series without a batch axis, arrays of one number of axes; or DataArrays with dimension time.
    asked : Asked
        What is asked; sequences with one entry per sample are shared out.
    progress : bool or None
        Whether to show a bar.
    time_axis : int
        Axis of time in the layout of the model, with a batch axis.
    """
    series = [one if isinstance(one, xr.DataArray) else _as_batch(one) for one in x]
    lengths = [_length(one, time_axis) for one in series]
    _refuse_other_axes(series, time_axis)
    starts = np.cumsum([0, *map(_count, series)]).tolist()
    ndims = [max(one.ndim for one in series)]
    refuse_rest(asked, starts[-1], ndims)
    groups: dict[Any, list[int]] = {}
    for place, (one, length) in enumerate(zip(series, lengths, strict=True)):
        # DataArrays have coordinates of their own, so each is a batch.
        groups.setdefault(place if isinstance(one, xr.DataArray) else length, []).append(place)
    # The longest first, by which memory is measured.
    ordered = sorted(groups.values(), key=lambda places: -lengths[places[0]])
    results = []
    with counting(progress, starts[-1]) as done:
        for places in ordered:
            rows = [row for place in places for row in range(starts[place], starts[place + 1])]
            first = series[places[0]]
            batch = (
                first
                if isinstance(first, xr.DataArray)
                else torch.cat([one for i in places if isinstance(one := series[i], torch.Tensor)])
            )
            try:
                with warnings_about(_placed(rows, starts[-1])):
                    results.append(one_batch(batch, of_rows(asked, rows, ndims), max(lengths)))
            except Exception as error:
                told = f"{min(lengths)} to {max(lengths)} values in time"
                if left_the_model(error):
                    raise ValueError(
                        f"x must be rectangular, got series of different lengths or shapes, {told}, and the "
                        f"model fails on those with {lengths[places[0]]}: {error}"
                    ) from error
                add_context(error, f"of the series with {lengths[places[0]]} values in time, of {told}")
                raise
            done(len(rows))
    together = joined(results)
    places = [row for group in ordered for place in group for row in range(starts[place], starts[place + 1])]
    return together.isel(sample=np.argsort(places))


def _placed(rows: Sequence[int], count: int) -> str:
    """Where samples of a batch stand among all of them; nothing where they are all of them."""
    named = ", ".join(map(str, rows[:10])) + (", …" if len(rows) > 10 else "")
    return f"of the samples {named}, counted from 0" if len(rows) < count else ""


def _refuse_other_axes(series: Sequence[xr.DataArray | torch.Tensor], time_axis: int) -> None:
    """ValueError where series differ in more than their length."""
    shapes = {tuple(one.shape[1:]): one for one in series if isinstance(one, torch.Tensor)}
    beside = {tuple(one.select(time_axis, 0).shape[1:]): shape for shape, one in shapes.items()}
    if len(beside) > 1:
        told = " and ".join(map(str, list(beside.values())[:3]))
        raise ValueError(
            f"x must hold series that differ in their length alone, got the shapes {told}: give each the "
            "channels of the model, in its order, or explain those of one shape at a time"
        )


def _batches(x: Any) -> Iterator[Any]:
    if isinstance(x, Dataset) and not isinstance(x, DataLoader):
        x = DataLoader(x, batch_size=BATCH)
    if not isinstance(x, DataLoader):
        yield from x
        return
    try:
        yield from x
    except TypeError as error:
        if "default_collate" not in str(error):
            raise
        raise TypeError(f"x must yield arrays or tensors: {error}") from None


def first_and_rest(x: Iterator[Any]) -> tuple[Any, Iterable[Any]]:
    """The first item of an iterator, None where there is none, and all of its items.

    Examples
    --------
    >>> first, every = first_and_rest(iter("ab"))
    >>> first, list(every)
    ('a', ['a', 'b'])
    """
    for first in x:
        return first, chain([first], x)
    return None, iter(())


def is_path(x: Any) -> bool:
    """Whether this is the path of a file."""
    return isinstance(x, (str, PathLike))


def _total(x: Any) -> int | None:
    source: Any = x.dataset if isinstance(x, DataLoader) else x
    try:
        return len(source)
    except TypeError:
        return None


def _signals_and_labels(batch: Any) -> tuple[Any, Any]:
    """Signals of a batch, a tuple of them for several inputs, and its labels where it has any."""
    if is_recording(batch) or isinstance(batch, xr.DataArray):
        return batch, None
    parts = [_as_known(part) for part in (batch if isinstance(batch, (list, tuple)) else (batch,))]
    ranks = [getattr(part, "ndim", 0) for part in parts]
    if not parts or ranks[0] < 2:
        got = type(batch).__name__ if not parts else f"{type(parts[0]).__name__} with {ranks[0]} axes"
        remedy = "for single series pass a list of them, list(x)"
        if isinstance(batch, Mapping):
            got = f"a {type(batch).__name__} with the keys {', '.join(map(repr, batch))}"
            key = next((key for key, part in batch.items() if np.ndim(part) > 1), "signals")
            remedy = f"pass what the model takes of each, such as (batch[{key!r}] for batch in x)"
        raise TypeError(
            "x must yield batches of signals, a tuple of several inputs, or (signals, labels), with a batch "
            f"axis first, got {got}: {remedy}"
        )
    if len(parts) > 1 and all(rank > 1 for rank in ranks):
        return tuple(parts), None
    labels = (
        parts[1] if len(parts) > 1 and np.ndim(parts[1]) == 1 and len(parts[1]) == len(parts[0]) else None
    )
    return parts[0], labels if _are_classes(labels) else None


def _as_known(part: Any) -> Any:
    # Tensors of TensorFlow say by `numpy()` what they hold.
    if not isinstance(part, torch.Tensor) and callable(getattr(part, "numpy", None)):
        return part.numpy()
    return part


def _are_classes(labels: Any) -> bool:
    if isinstance(labels, torch.Tensor):
        return not labels.is_floating_point() and labels.dtype != torch.bool
    return labels is not None and np.asarray(labels).dtype.kind in "iuU"


def _as_batch(series: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(series) if not isinstance(series, torch.Tensor) else series)[None]


def _length(series: Any, time_axis: int) -> int:
    if isinstance(series, xr.DataArray):
        return int(series.sizes["time" if "time" in series.dims else series.dims[-1]])
    return int(series.shape[time_axis])


def _count(series: Any) -> int:
    if isinstance(series, xr.DataArray):
        return int(series.sizes.get("sample", 1))
    return len(series)

"""Puts what is held against signals in their order, rate and unit: by names, where both have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .dataarrays import CHANNEL, SAMPLE, batch_of, is_dataarray, time_of
from .rates import same_rate
from .reading import placed
from .signal import Signal
from .tables import is_table
from .units import converted


def aligned(other: Signal, x: Signal, time_axis: int, name: str, *, own_rows: bool = False) -> Tensor:
    """Values of a signal, as they stand beside those of `x`.

    Axes, channels and samples that both have names for go by these, and values in another unit of
    the same kind are converted. What has no names is taken by position.

    Parameters
    ----------
    other : Signal
        As `labelled` returns it: of the shape of `x`, or of one of its samples.
    x : Signal
        Signals with their axes placed, shape (N, *axes, n).
    time_axis : int
        Axis of time in the caller's layout of `x`.
    name : str
        Name of `other` in errors.
    own_rows : bool, default False
        Whether the samples of `other` are others than those of `x`.

    Returns
    -------
    torch.Tensor
        Shape (samples, *axes, n) or (*axes, n); sizes are not compared.

    Raises
    ------
    ValueError
        If names, rates or units contradict each other.

    Examples
    --------
    >>> x = Signal(torch.zeros(1, 2, 3), channels=("Fz", "Cz"), dims=("sample", "channel", "time"))
    >>> other = Signal(torch.tensor([[1.0, 2.0]] * 3), channels=("Cz", "Fz"), dims=("time", "channel"))
    >>> aligned(other, x, -1, "baseline")
    tensor([[2., 2., 2.],
            [1., 1., 1.]])
    """
    if x.fs is not None and not same_rate(x.fs, replace(other, fs_error=other.fs_error + x.fs_error)):
        raise ValueError(
            f"{name} must have the sampling rate of x, {x.fs:g} Hz, got {other.fs:g} Hz: resample one of them"
        )
    if other.dims is None:
        moved = placed(other, time_axis, name) if own_rows else _by_position(other, x, time_axis)
    elif x.dims is None:
        moved = _by_own_names(other, x, time_axis, name, own_rows)
    else:
        moved = _by_names(other, x.dims, name, own_rows)
    values = moved.values
    rows = None if own_rows or other.dims is not None else other.labels.get(SAMPLE)
    if rows is not None and (known := _row_labels(x)[1]) is not None:
        order = _order_of_rows(rows, known, name)
        values = values if order is None else values[order]
    for axis, dim in enumerate(moved.dims or ()):
        theirs: Sequence[object] | None
        ours: Sequence[object] | None
        if dim == CHANNEL:
            theirs, ours = moved.channels, x.channels
        elif own_rows and x.dims is not None and dim not in x.dims[1:]:
            continue
        else:
            theirs, ours = moved.labels.get(dim), x.labels.get(dim)
        order = None if theirs is None or ours is None else _order(theirs, ours, dim, name)
        if order is not None:
            values = values.index_select(axis, torch.tensor(order, device=values.device))
    return converted(values, other.unit, x.unit, name)


def aligned_rows(values: Any, x: Signal, name: str) -> Any:
    """What has one entry per sample, in the order of the samples of `x`.

    Parameters
    ----------
    values : object
        A DataArray whose first dimension is that of samples, or a Series of pandas; all else is returned
        as it is.
    x : Signal
        Signals with their axes placed.
    name : str
        Name of `values` in errors.

    Returns
    -------
    object
        The same, reordered where both have labels of samples. Numbers from 0 on are labels where those of
        the other are the same ones, and else no more than places.

    Raises
    ------
    ValueError
        If the labels are not the same ones.
    """
    dim, ours = _row_labels(x)
    return values if ours is None else in_order_of(ours, values, name, dim)


def in_order_of(ours: Sequence[object], values: Any, name: str, dim: str = SAMPLE) -> Any:
    """The same, where the labels of samples are known, and the dimension that they lie on.

    Examples
    --------
    >>> import pandas as pd
    >>> in_order_of(["a", "b"], pd.Series([1, 2], index=["b", "a"]), "target").tolist()
    [2, 1]
    """
    if is_table(values) and values.ndim == 1:
        order = _order_of_rows(values.index.tolist(), ours, name)
        return values if order is None else values.iloc[order]
    if not is_dataarray(values) or values.ndim == 0:
        return values
    own = values.dims[0]
    if own not in (dim, SAMPLE) or own not in values.coords:
        return values
    order = _order(tuple(values.coords[own].values.tolist()), ours, own, name)
    return values if order is None else values.isel({own: order})


def _order_of_rows(theirs: Sequence[object], ours: Sequence[object], name: str) -> list[int] | None:
    """Places of what stands in `ours`; numbers from 0 on are labels for their like alone."""
    numbered = any(list(one) == list(range(len(one))) for one in (theirs, ours))
    if len(theirs) != len(ours) or (numbered and set(theirs) != set(ours)):
        return None
    return _order(theirs, ours, SAMPLE, name)


def _row_labels(x: Signal) -> tuple[str, tuple[object, ...] | None]:
    """Dimension of samples, and their labels where they have some; those of tables have no dimension."""
    dim = SAMPLE if x.dims is None else x.dims[0]
    return dim, x.labels.get(dim)


def in_one_order(signals: Sequence[Signal], name: str) -> list[Signal]:
    """Inputs of one model, their samples in the order of the first input where they have labels.

    Parameters
    ----------
    signals : sequence of Signal
        With their axes placed.
    name : str
        Name of the inputs in errors.

    Returns
    -------
    list of Signal
        The same, reordered where labels of samples say so.

    Raises
    ------
    ValueError
        If the labels are not the same ones.
    """
    first, *others = signals
    _, ours = _row_labels(first)
    placed_alike = [first]
    for i, other in enumerate(others, 1):
        dim, theirs = _row_labels(other)
        order = None if ours is None or theirs is None else _order(theirs, ours, SAMPLE, f"{name}[{i}]")
        if order is not None:
            coords = {key: values[order] for key, values in other.coords.items()}
            # Baselines go by these labels, so that they must be those of the values as they now stand.
            labels = {**other.labels, dim: tuple(ours or ())}
            other = replace(other, values=other.values[order], coords=coords, labels=labels)
        placed_alike.append(other)
    return placed_alike


def _by_position(other: Signal, x: Signal, time_axis: int) -> Signal:
    values = other.values
    axis = time_axis if time_axis < 0 else time_axis - (x.values.ndim - values.ndim)
    if values.ndim in (x.values.ndim, x.values.ndim - 1) and values.ndim > 0:
        values = values.movedim(axis, -1)
    return replace(other, values=values)


def _by_own_names(other: Signal, x: Signal, time_axis: int, name: str, own_rows: bool) -> Signal:
    """Where only `other` has names: these say where its own axes go."""
    dims = other.dims or ()
    if own_rows or (len(dims) == x.values.ndim and batch_of(dims) is not None):
        return placed(other, time_axis, name)
    time = time_of(dims, time_axis if time_axis < 0 else time_axis - 1, name)
    order = (*(dim for dim in dims if dim != time), time)
    return _permuted(other, order)


def _by_names(other: Signal, wanted: tuple[str, ...], name: str, own_rows: bool) -> Signal:
    dims = other.dims or ()
    extra = tuple(dim for dim in dims if dim not in wanted[1:])
    fits = not extra or extra == wanted[:1] or (own_rows and len(extra) == 1)
    if not fits or set(wanted[1:]) - set(dims):
        raise ValueError(
            f"{name} must have the dimensions of x, {wanted}, or of one of its samples, {wanted[1:]}, in any "
            f"order, got {dims}: rename them{_as_wanted(dims, wanted, name)}"
        )
    return _permuted(other, (*extra, *wanted[1:]))


def _as_wanted(dims: tuple[str, ...], wanted: tuple[str, ...], name: str) -> str:
    """The call that names dimensions as those of `x`, where they are as many."""
    if len(dims) == len(wanted) - 1 and wanted[0] not in dims:
        wanted = wanted[1:]
    if len(dims) != len(wanted):
        return ""
    free = [dim for dim in wanted if dim not in dims]
    names = dict(zip((dim for dim in dims if dim not in wanted), free, strict=True))
    return f", such as {name}.rename({names})"


def _permuted(signal: Signal, dims: tuple[str, ...]) -> Signal:
    own = signal.dims or ()
    return replace(signal, values=signal.values.permute(*(own.index(dim) for dim in dims)), dims=dims)


def _order(theirs: Sequence[object], ours: Sequence[object], dim: str, name: str) -> list[int] | None:
    """Places in `theirs` of what stands in `ours`; None where the order is the same."""
    if tuple(theirs) == tuple(ours):
        return None
    missing = [label for label in dict.fromkeys(ours) if label not in set(theirs)]
    surplus = [label for label in dict.fromkeys(theirs) if label not in set(ours)]
    if missing or surplus:
        lacks = f"lacks {listed(missing)}" if missing else ""
        has = f"has {listed(surplus)} besides" if surplus else ""
        raise ValueError(
            f"{name} must have the labels of x along {dim!r}, but it "
            f"{lacks}{' and ' * bool(lacks and has)}{has}: select the same ones, in any order"
        )
    if len(set(ours)) < len(ours) or len(set(theirs)) < len(theirs):
        raise ValueError(
            f"{name} must have the order of x along {dim!r}, where labels occur twice and do not tell it: "
            f"reorder it, or give every one a name of its own, {name}.assign_coords({dim}=names)"
        )
    place = {label: i for i, label in enumerate(theirs)}
    return [place[label] for label in ours]


def listed(labels: Sequence[object]) -> str:
    """Labels as errors call them."""
    return ", ".join(map(repr, labels[:8])) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")

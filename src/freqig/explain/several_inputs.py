"""Models of several inputs: one path for all of them, by joining them into one long series."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from .._tensor_check import in_dtype
from ..baselines.drawn import Drawn
from ..baselines.reading import describe_baseline, draw_baselines
from ..domains import Domain
from ..domains.base import Coefficients, Coordinate, Coords
from ..domains.preparing import ready
from ..signals import Signal
from ..signals.axes import Axes, times


class OfInput(Domain):
    """A domain of one of several inputs, as a domain of the joined series.

    Parameters
    ----------
    domain : Domain
        Bound to the input.
    axes : Axes
        Axes of the input.
    number : int
        Which input, from 0; ends every name.
    offset : int
        Where the input starts in the joined series.
    """

    inverts = "partly"

    def __init__(self, domain: Domain, axes: Axes, number: int, offset: int) -> None:
        super().__init__(f"{domain.name}_{number}")
        self._domain, self._axes, self._number = domain, axes, number
        self.held, self.whole = domain.held, domain.name
        self._part = slice(offset, offset + int(np.prod(axes.shape[1:])))

    def __repr__(self) -> str:
        return repr(self._domain)

    @property
    def n_samples(self) -> int | None:
        return self._domain.n_samples

    def of_samples(self, rows: Tensor) -> OfInput:
        chosen = copy.copy(self)
        chosen._domain = self._domain.of_samples(rows)
        return chosen

    def analyze(self, x: Tensor) -> Coefficients:
        return self._domain.analyze(self._of(x))

    def analyze_pair(self, x: Tensor, baseline: Tensor) -> Coefficients:
        return self._domain.analyze_pair(self._of(x), self._of(baseline))

    def synthesize(self, c: Any, n: int) -> Tensor:
        signal = self._domain.synthesize(c, self._axes.n)
        flat = signal.reshape(len(signal), -1)
        return torch.nn.functional.pad(flat, (self._part.start, n - self._part.stop))

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        return self._domain.assemble(parts)

    def coords(self, n: int, fs: float | None) -> Coords:
        own = self._domain.coords(self._axes.n, self._axes.fs)
        left = [dim for dim in self._axes.dims if dim not in self._domain.consumes]
        sizes = dict(zip(self._axes.dims, self._axes.sizes, strict=True))
        return {**{dim: np.arange(sizes[dim]) for dim in left}, **own}

    def auxiliary(self, n: int, fs: float | None) -> Mapping[str, tuple[tuple[str, ...], Coordinate, str]]:
        return self._domain.auxiliary(self._axes.n, self._axes.fs)

    def remark(self, n: int) -> str:
        return self._domain.remark(self._axes.n)

    def dims(self, keys: Iterable[str]) -> tuple[str, ...]:
        keys = list(keys)
        known = {key: key for key in keys if key in self._axes.dims}
        names = [known.get(key) or self._domain.dims((key,))[0] for key in keys]
        return tuple(f"{name}_{self._number}" for name in names)

    def _of(self, joined: Tensor) -> Tensor:
        return joined[:, self._part].reshape(len(joined), *self._axes.sizes, self._axes.n)


@dataclass(frozen=True)
class Joined:
    """Several inputs as one.

    Parameters
    ----------
    values : torch.Tensor
        Series one behind the other, shape (N, total).
    baseline : Drawn
        Baselines, joined likewise.
    domains : tuple of Domain
        Every domain of every input.
    several_axes : tuple of Axes
        Axes of the inputs.
    signals : tuple of torch.Tensor
        The inputs, shapes (N, *axes, n).
    """

    values: Tensor
    baseline: Drawn
    domains: tuple[Domain, ...]
    several_axes: tuple[Axes, ...]
    signals: tuple[Tensor, ...]

    def relabel(self, result: xr.Dataset) -> xr.Dataset:
        """The result with the inputs as `signal_0`, `signal_1`, … in place of the joined series."""
        result = result.drop_vars(["signal", "time"])
        for axes in self.several_axes:
            own = {
                name: ("sample", values)
                for name, values in axes.along.items()
                if name not in result.variables
            }
            result = result.assign_coords(own)
        for number, (axes, signal) in enumerate(zip(self.several_axes, self.signals, strict=True)):
            dims = [f"{dim}_{number}" for dim in (*axes.dims, "time")]
            values, unit = times(axes.n, axes.fs)
            result[f"signal_{number}"] = (
                ("sample", *dims),
                signal.reshape(len(signal), *axes.sizes, axes.n).numpy(),
                axes.about_signal(),
            )
            result = result.assign_coords({dims[-1]: (dims[-1], values, {"units": unit})})
            if axes.channels is not None and axes.sizes and len(axes.channels) == axes.sizes[-1]:
                result = result.assign_coords({dims[-2]: (dims[-2], list(axes.channels))})
        return result


def join(
    signals: Sequence[Signal],
    baseline: Any,
    domains: Sequence[Domain],
    time_axis: int,
    dtype: torch.dtype,
) -> Joined:
    """Join the inputs of a model.

    Parameters
    ----------
    signals : sequence of Signal
        Inputs with one batch axis in common.
    baseline : tuple or None
        One per input, each as `draw_baselines` takes it; None for zero everywhere.
    domains : sequence of Domain
        What every input is explained in.
    time_axis : int
        Axis of time in the callers' layout.
    dtype : torch.dtype
        Dtype of the projections.

    Returns
    -------
    Joined
        The inputs as one.

    Raises
    ------
    ValueError
        If batch sizes differ, there is not one baseline per input, or a domain is not linear.
    """
    sizes = [len(signal.values) for signal in signals]
    if len(set(sizes)) != 1:
        raise ValueError(f"x as a tuple of inputs must have one batch size, got {sizes}")
    starts = (None,) * len(signals) if baseline is None else baseline
    if not isinstance(starts, tuple) or len(starts) != len(signals):
        raise ValueError(f"baseline must be a tuple of {len(signals)}, one per input of x, or None")
    curved = [domain.name for domain in domains if not domain.linear]
    if curved:
        raise ValueError(
            f"domains must be linear for models of several inputs, got {curved}: explain one input and "
            "pass the others as additional_forward_args"
        )
    flat, drawn, made, several_axes, offset = [], [], [], [], 0
    told = [describe_baseline(start, one.values) for start, one in zip(starts, signals, strict=True)]
    for number, (signal, start) in enumerate(zip(signals, starts, strict=True)):
        values = signal.values
        axes = Axes.of(signal)
        own = draw_baselines(start, values, time_axis, axes.fs, signal)
        shape = (-1, *axes.sizes, axes.n)
        end = in_dtype(values, dtype, f"x[{number}]").expand(own.shape).reshape(shape)
        origin = in_dtype(own, dtype, f"baseline[{number}]").reshape(shape)
        bound = ready(domains, end, origin, axes.fs, len(values))
        made += [OfInput(domain, axes, number, offset) for domain in bound]
        flat.append(values.reshape(len(values), -1).to(torch.promote_types(values.dtype, dtype)))
        drawn.append(own.reshape(*own.shape[:2], -1))
        several_axes.append(axes)
        offset += flat[-1].shape[1]
    count = max(len(own) for own in drawn)
    if any(len(own) not in (1, count) for own in drawn):
        raise ValueError(f"baselines must be as many for every input, got {[len(own) for own in drawn]}")
    values = torch.cat([own.expand(count, *own.shape[1:]).to(flat[0].dtype) for own in drawn], -1)
    alike = all(own == told[0] for own in told)
    return Joined(
        torch.cat(flat, 1),
        Drawn(values, told[0] if alike else {"name": "several", "inputs": told}),
        tuple(made),
        tuple(several_axes),
        tuple(signal.values for signal in signals),
    )

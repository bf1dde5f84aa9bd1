"""What a result was made of: signals, the start of their paths, the domain, and the input's layout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..baselines.reading import draw_baselines, rebuilt_baseline
from ..coalitions.players import Players
from ..coalitions.rebuilding import called_as_in, is_of_players, rebuilt_players
from ..domains import Domain, Time, ready
from ..domains.base import values_and_unit
from ..domains.rebuilding import rebuilt_by_name
from ..result.reading import rows_by_length, settings_of
from ..signals import Signal
from ..signals.axes import since


@dataclass(frozen=True)
class Layout:
    """In which order and shape the model takes its series.

    Parameters
    ----------
    axes : tuple of str
        Dimensions of the signals in the result, without sample and time.
    between : tuple of int
        Axes of the input between sample and time, those of size one included.
    time_axis : int
        Axis of time of the input, sample being axis 0.
    """

    axes: tuple[str, ...]
    between: tuple[int, ...]
    time_axis: int

    @classmethod
    def of(cls, signal: xr.DataArray, settings: Mapping[str, Any]) -> Layout:
        """The layout of the input that signals of a result, (sample, *axes, time), were."""
        axes = tuple(str(dim) for dim in signal.dims if dim not in ("sample", "time"))
        known = [signal.sizes[dim] for dim in (*axes, "time")]
        shape = list(settings.get("input_shape", known))
        time_axis = int(settings.get("time_axis", -1)) % (len(shape) + 1)
        shape.pop(time_axis - 1)
        if math.prod(shape) != math.prod(known[:-1]):
            raise ValueError(
                f"result must hold all channels of the input, {math.prod(shape)} series per sample, got "
                f"{math.prod(known[:-1])}: pass the result as it came"
            )
        return cls(axes, tuple(shape), time_axis)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the axes of the input; those of size one that the result leaves out are numbered."""
        places = list(range(len(self.between)))
        if len(self.axes) < len(places):
            places = [i for i in places if self.between[i] > 1] or places[-1:]
        names = dict(zip(places, self.axes, strict=True))
        own = [names.get(i, f"size_one_{i + 1}") for i in range(len(self.between))]
        return ("sample", *own[: self.time_axis - 1], "time", *own[self.time_axis - 1 :])

    def arranged(self, values: Tensor) -> Tensor:
        """Signals of shape (N, *axes, n) as the model takes them."""
        return values.reshape(len(values), *self.between, values.shape[-1]).movedim(-1, self.time_axis)


@dataclass(frozen=True)
class Source:
    """What the attributions of one variable belong to; N samples.

    Parameters
    ----------
    x, baseline : torch.Tensor
        Signals and the starts of their paths, float64, shape (N, *axes, n).
    domain : Domain
        Made ready for them.
    attribution : xarray.DataArray
        The variable, dimensions in the order of the coefficients, sample first.
    layout : Layout
        How the input lay.
    settings : mapping
        What was asked for.
    """

    x: Tensor
    baseline: Tensor
    domain: Domain
    attribution: xr.DataArray
    layout: Layout
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, result: xr.Dataset, name: str, baseline: Any, explainer: Any) -> Source:
        """Find out what one variable of a result was made of, see `of_each`."""
        return cls.of_each(result, [name], baseline, explainer)[name]

    @classmethod
    def of_each(
        cls, result: xr.Dataset, names: Sequence[str], baseline: Any, explainer: Any
    ) -> dict[str, Source]:
        """Find out what variables of a result of one or more samples were made of.

        Parameters
        ----------
        result : xarray.Dataset
            With a dimension ``sample``.
        names : sequence of str
            Variables of attributions, which share signals and baselines.
        baseline, explainer
            As `freqig.resynthesize` takes them.

        Raises
        ------
        ValueError
            If the result does not hold what it takes, or holds something else by now.
        """
        settings = settings_of(result)
        signal = _signal(result)
        layout = Layout.of(signal, settings)
        x = torch.from_numpy(np.array(signal.values, dtype=np.float64))
        for n, rows in rows_by_length(result):
            # Beyond its end a series is zero, and so is its baseline.
            x[rows, ..., n:] = 0
        start = starts(result, baseline, x)
        made = [
            explainer_domain(explainer, name) if explainer is not None else _rebuilt(settings, name)
            for name in names
        ]
        made = [called_as_in(d, result[d.name]) if isinstance(d, Players) else d for d in made]
        _refuse_windows(settings, made, explainer)
        domains = ready(made, x, start, settings.get("fs"))
        return {
            name: cls(x, start, domain, _ordered(result, name, domain, layout, settings), layout, settings)
            for name, domain in zip(names, domains, strict=True)
        }

    def flat(self, variable: xr.DataArray) -> np.ndarray:
        """Attributions in this domain, its own or others, in its order, float64, shape (N, p)."""
        values = variable.transpose(*self.attribution.dims).values
        return values.reshape(len(values), -1).astype(np.float64)


def starts(result: xr.Dataset, baseline: Any, x: Tensor) -> Tensor:
    """Where the paths of signals begin, by the baseline of a result.

    Parameters
    ----------
    result : xarray.Dataset
        With a dimension ``sample``.
    baseline
        As `freqig.resynthesize` takes it.
    x : torch.Tensor
        Its signals, or others in their places, float64, shape (N, *axes, n), zero beyond their ends.

    Returns
    -------
    torch.Tensor
        The shape of `x`.
    """
    settings, signal = settings_of(result), _signal(result)
    layout, start = Layout.of(signal, settings), torch.zeros_like(x)
    for n, rows in rows_by_length(result):
        start[rows, ..., :n] = _baseline(baseline, settings, signal, layout, x[rows, ..., :n])
    return start


def explainer_domain(explainer: Any, name: str) -> Domain:
    """The domain of an Explainer that makes a variable."""
    for domain in getattr(explainer, "domains", ()):
        if domain.name == name:
            found: Domain = domain
            return found
    raise ValueError(
        f"explainer must be the freqig.Explainer that made result.{name}, got "
        f"{[domain.name for domain in getattr(explainer, 'domains', ())]} as its domains"
    )


def _rebuilt(settings: Mapping[str, Any], name: str) -> Domain:
    if is_of_players(settings):
        return rebuilt_players(settings, name)
    return rebuilt_by_name(settings.get("domains", ()), name)


def _refuse_windows(settings: Mapping[str, Any], domains: Sequence[Domain], explainer: Any) -> None:
    """Raise where coefficients are sums over windows of `freqig.slide`, each with a baseline of its own."""
    if "slide" not in settings:
        return
    in_time = settings["baseline"]["name"] == "zero" and all(isinstance(domain, Time) for domain in domains)
    if in_time and explainer is None:
        # Zero is the same at a time in all windows; the model knows none but these.
        return
    raise ValueError(
        "result must be of signals that were explained whole, got sums over windows of freqig.slide, which "
        "start at baselines of their own: explain a window by itself, explainer(signal[..., :n]); or slide "
        "with domains=freqig.Time() from freqig.baselines.zero(), and pass the name= of that alone"
    )


def _signal(result: xr.Dataset) -> xr.DataArray:
    if "signal" not in result or "time" not in result.signal.dims:
        several = [str(name) for name in result.data_vars if str(name).startswith("signal_")]
        raise ValueError(
            "result must hold the signal of one input, as freqig.Explainer returns it"
            + (
                f", got {', '.join(several)}: explain one input, the others as additional_forward_args"
                * bool(several)
            )
        )
    if "sample" not in result.signal.dims:
        raise ValueError("result must hold a signal for each of its samples, got one for all")
    return result["signal"].transpose("sample", ..., "time")


def _baseline(
    given: Any, settings: Mapping[str, Any], signal: xr.DataArray, layout: Layout, x: Tensor
) -> Tensor:
    held = torch.from_numpy(np.array(signal.values))
    rule = given if given is not None else rebuilt_baseline(settings["baseline"], held)
    fs, units = settings.get("fs"), signal.attrs.get("units")
    names = signal.channel.values if "channel" in signal.coords else None
    labels = Signal(
        x.reshape(len(x), *layout.between, x.shape[-1]),
        fs,
        None if names is None else tuple(map(str, names)),
        unit=units,
    )
    drawn = draw_baselines(rule, labels.values, layout.time_axis, fs, labels)
    if len(drawn) != 1:
        raise ValueError(
            f"baseline must be one per sample, got {len(drawn)}, over which the attributions were averaged: "
            "no single signal belongs to them; explain with one baseline"
        )
    return drawn[0].to(torch.float64).reshape(x.shape)


def _ordered(
    result: xr.Dataset, name: str, domain: Domain, layout: Layout, settings: Mapping[str, Any]
) -> xr.DataArray:
    """The variable in the order of the coefficients, once it is clear that it still holds all of them."""
    variable = result[name]
    coords = domain.coords(result.sizes["time"], settings.get("fs"))
    start = float(result["time"].values[0])
    left = [dim for dim in layout.axes if dim not in domain.consumes]
    dims = ["sample", *left, *domain.dims(coords)]
    if set(variable.dims) != set(dims):
        raise ValueError(
            f"result.{name} must have the dimensions {', '.join(map(repr, dims))}, got "
            f"{', '.join(map(repr, variable.dims))}: select one target, and pass it before bands are summed"
        )
    for dim, (key, content) in zip(domain.dims(coords), coords.items(), strict=True):
        wanted = since(start, key, *values_and_unit(content))
        found = variable[dim].values
        if wanted.shape != found.shape or not (
            np.allclose(wanted, found) if wanted.dtype.kind in "iuf" else np.array_equal(wanted, found)
        ):
            raise ValueError(
                f"result.{name} must hold every {dim} that it was explained in, {wanted.size} of them, got "
                f"{found.size} or others: pass the result as it came, and choose with keep="
            )
    return variable.transpose(*dims)

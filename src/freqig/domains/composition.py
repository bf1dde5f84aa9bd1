"""One domain after another: components × frequency, and the like."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from .base import Coefficients, Coordinate, Coords, Domain, as_tuple


class Composition(Domain):
    """Coefficients of the series that another domain gives, written `first >> then`.

    Parameters
    ----------
    first : Domain
        A domain whose coefficients are series again: a map over channels such as `ICA` and
        `Spatial`, `Components`, or `Envelope`.
    then : Domain
        What follows: a domain over time, or, after a map over channels, another such map, which
        works on the rows of the first.
    name : str, optional
        Name of the variable in the result; both names joined by "_" by default. Dimensions are
        named after the domain that they come from: `ica_component`, `stft_time`.

    Raises
    ------
    ValueError
        If `first` does not give series, or `then` does not fit them.

    Examples
    --------
    >>> from freqig.domains import RFFT, Spatial
    >>> domain = Spatial([[1, -1], [1, 1]], rows=["difference", "sum"]) >> RFFT()
    >>> bound = domain.bind((2, 4), fs=4.0)
    >>> bound.name, list(bound.coords(4, fs=4.0))
    ('spatial_rfft', ['spatial_row', 'frequency'])
    >>> x = torch.tensor([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
    >>> bound.attribution(x, torch.ones(2, 4))
    tensor([[ 0.,  0.,  0.],
            [20.,  0.,  0.]])
    """

    def __init__(self, first: Domain, then: Domain, name: str | None = None) -> None:
        _check_order(first, then)
        super().__init__(f"{first.name}_{then.name}" if name is None else name)
        self.first, self.then = first, then
        self.consumes = first.consumes
        self.series = then.series
        self.inverts = _weakest(first.inverts, then.inverts)
        # What the second holds stands behind its coefficients, and what the first holds behind that.
        self.held = first.held + then.held
        self._behind, self._packed = 0, False

    def __repr__(self) -> str:
        return f"Composition({self.first!r}, {self.then!r}, name={self.name!r})"

    @property
    def mixes(self) -> bool:
        """Whether the second domain maps the rows of the first, as another map over channels."""
        return "channel" in self.then.consumes

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Composition:
        bound = copy.copy(self)
        bound.first = self.first.bind(shape, fs)
        series = bound._series(torch.zeros(shape))
        bound.then = self.then.bind(tuple(series.shape), fs)
        bound._behind = len(bound.then.coords(shape[-1], fs))
        bound._packed = bool(self.then.held) or (
            bool(self.held) and isinstance(bound.then.analyze(series), tuple)
        )
        return bound

    @property
    def n_samples(self) -> int | None:
        return self.then.n_samples

    def of_samples(self, rows: Tensor) -> Composition:
        chosen = copy.copy(self)
        chosen.then = self.then.of_samples(rows)
        return chosen

    def prepare(self, x: Tensor, baseline: Tensor) -> Composition:
        prepared = copy.copy(self)
        prepared.first = self.first.prepare(x, baseline)
        prepared.then = self.then.prepare(*map(prepared._series, (x, baseline)))
        return prepared

    def admit(self, x: Tensor, baseline: Tensor) -> Tensor:
        return self.first.admit(x, baseline)

    def analyze(self, x: Tensor) -> Coefficients:
        series, held = self._one_tensor(self.first.analyze(x), x.shape[-1])
        return _beside(self.then.analyze(series), held)

    def analyze_pair(self, x: Tensor, baseline: Tensor) -> Coefficients:
        own = type(self.then).analyze_pair is not Domain.analyze_pair
        if own and not self.first.held:
            return self.then.analyze_pair(*map(self._series, (x, baseline)))
        # Of the difference, not a difference of two analyses, which would lose digits.
        difference, held = self._one_tensor(self.first.analyze_pair(x, baseline), x.shape[-1])
        end = self._series(x) if own else difference
        return _beside(self.then.analyze_pair(end, end - difference), held)

    def synthesize(self, c: Coefficients, n: int) -> Tensor:
        if not self.held:
            return self.first.synthesize(self.then.synthesize(c, n), n)
        parts = as_tuple(c)
        count = len(parts) - self.first.held
        series = self.then.synthesize(parts[:count] if self._packed else parts[0], n)
        return self.first.synthesize((series, *parts[count:]) if self.first.held else series, n)

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        values = self.then.assemble(parts)
        if self.mixes:
            return values
        # `first` assembles (..., row, n): everything behind its rows takes the place of time.
        behind = values.shape[-self._behind :]
        assembled = self.first.assemble((values.flatten(-self._behind),))
        return assembled.reshape(*assembled.shape[:-1], *behind)

    def coords(self, n: int, fs: float | None) -> Coords:
        """Dimensions of both, by the names that they have in the result."""
        stages = [self.then.coords(n, fs)]
        names = [self.then.dims(stages[0])]
        if not self.mixes:
            rows = self.first.coords(n, fs)
            stages.insert(0, {key: values for key, values in rows.items() if key != "time"})
            names.insert(0, self.first.dims(stages[0]))
        return _union(self, names, stages)

    def auxiliary(self, n: int, fs: float | None) -> Mapping[str, tuple[tuple[str, ...], Coordinate, str]]:
        stages = (self.then,) if self.mixes else (self.first, self.then)
        found = {}
        for stage in stages:
            for key, (dims, values, unit) in stage.auxiliary(n, fs).items():
                if stage is self.then or "time" not in dims:
                    found[stage.dims((key,))[0]] = (stage.dims(dims), values, unit)
        return found

    def remark(self, n: int) -> str:
        return self.first.remark(n) or self.then.remark(n)

    def dims(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(keys)

    def _series(self, x: Tensor) -> Tensor:
        return self._one_tensor(self.first.analyze(x), x.shape[-1])[0]

    def _one_tensor(self, c: Coefficients, n: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The series that the first domain gives, and what it holds."""
        (series, *others), held = self.first.free_and_held(c)
        if others or series.shape[-1] != n:
            raise ValueError(
                f"domain {self.first.name!r} must give series of {n} samples in one tensor of "
                f"shape (..., row, n) for {self.then.name!r} to follow it with >>"
            )
        return series, held


def _beside(c: Coefficients, held: tuple[Tensor, ...]) -> Coefficients:
    """Coefficients, and behind them what is held, if anything."""
    return (*as_tuple(c), *held) if held else c


def _check_order(first: Domain, then: Domain) -> None:
    if not first.series:
        raise ValueError(
            f"the domain left of >> must give series, as ICA, Spatial, Components and Envelope do, "
            f"got {first!r}, whose coefficients are no longer series: put it on the right"
        )
    if not (first.linear and then.linear):
        raise ValueError(f"both sides of >> must be linear domains, got {first!r} >> {then!r}")
    if then.held and then.n_samples is None:
        raise ValueError(
            f"{then!r} holds a carrier of the signal itself, so it must stand left of all >>, got it behind "
            f"{first!r}"
        )
    if "channel" in then.consumes and "channel" not in first.consumes:
        raise ValueError(
            f"after {first.name!r}, which works on every channel by itself, >> must be followed by a domain "
            f"over time, got {then!r}, which maps channels: put it on the left"
        )


def _weakest(first: str, then: str) -> Literal["checked", "always", "partly"]:
    if "partly" in (first, then):
        return "partly"
    return "checked" if "checked" in (first, then) else "always"


def _union(
    domain: Domain, names: Sequence[tuple[str, ...]], stages: Sequence[Coords]
) -> dict[str, Coordinate | tuple[Coordinate, str]]:
    found: dict[str, Coordinate | tuple[Coordinate, str]] = {}
    for keys, coords in zip(names, stages, strict=True):
        for key, values in zip(keys, coords.values(), strict=True):
            if key in found:
                raise ValueError(
                    f"both sides of >> in domain {domain.name!r} have a dimension {key!r}: give one of them "
                    "another name with name="
                )
            found[key] = values
    return found

"""Attribution over a few cells of frequency, one row per sample: what bands are chosen from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ...result.reading import names_of_attributions

MOST = 100
"""Cells of an axis: finer ones say no more than noise does, and edges at round numbers can be read."""
REST = "rest"

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Axis:
    """C cells of one axis of frequency, or bands that have names.

    Parameters
    ----------
    name : str
        Variable of attributions.
    dim : str
        Its dimension of frequency, or of bands.
    member : numpy.ndarray
        In which cell each entry of the dimension is, int, shape (F,).
    low, high : numpy.ndarray
        Edges of the cells; of single frequencies both are the frequency, shape (C,).
    unit : str
        Of the edges.
    names : tuple of str
        Names of the bands; none of cells.
    """

    name: str
    dim: str
    member: NDArray[np.int64]
    low: Array
    high: Array
    unit: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, result: xr.Dataset) -> Axis | None:
        """Of the first attributions that have frequencies or bands; None where there are none."""
        for name in names_of_attributions(result):
            for dim in map(str, result[name].dims):
                if dim not in result.coords:
                    continue
                if dim == "frequency" or dim.endswith("_frequency"):
                    return _cut(name, dim, result[dim])
                if dim == "band" or dim.endswith("_band"):
                    return _named(name, dim, result)
        return None

    def __len__(self) -> int:
        return len(self.low)

    @property
    def weights(self) -> Array:
        """Share of the frequencies that is in each cell; of bands all count the same."""
        if self.names:
            return np.full(len(self), 1 / len(self))
        return np.bincount(self.member, minlength=len(self)) / len(self.member)

    def called(self, first: int, last: int) -> str:
        """The band from one cell to another, in words.

        Examples
        --------
        >>> axis = _cut("rfft", "frequency", xr.DataArray(np.arange(9.0), attrs={"units": "Hz"}))
        >>> axis.called(2, 4), axis.called(3, 3)
        ('2–4 Hz', '3 Hz')
        """
        if self.names:
            name, low, high = self.names[first], self.low[first], self.high[first]
            return f"{name} ({low:g}–{high:g} {self.unit})" if np.isfinite(low) else name
        low, high = self.low[first], self.high[last]
        edges = f"{low:.4g}" if low == high else f"{low:.4g}–{high:.4g}"
        return f"{edges} {self.unit}"

    def sums(self, variable: xr.DataArray) -> Array:
        """Sums over each cell and all other dimensions, shape (N, C); NaN of samples that are not known.

        Places without a coefficient, which are NaN, add nothing.
        """
        rows = []
        for block in blocks(variable):
            other = [dim for dim in block.dims if dim not in ("sample", self.dim)]
            values = block.sum(other, dtype=np.float64).transpose("sample", self.dim).values
            known = block.notnull().any([*other, self.dim]).values
            bad = ~(np.isfinite(values).all(axis=1) & known)
            cells = self.gathered(np.where(bad[:, None], 0, values))
            cells[bad] = np.nan
            rows.append(cells)
        return np.concatenate(rows) if rows else np.empty((0, len(self)))

    def gathered(self, values: np.ndarray) -> Array:
        """Sums of values over the frequencies of each cell, from shape (N, F) to (N, C)."""
        matrix = np.zeros((len(self.member), len(self)))
        matrix[np.arange(len(self.member)), self.member] = 1
        return np.asarray(values @ matrix)


def blocks(variable: xr.DataArray, values: int = 1 << 22) -> Iterator[xr.DataArray]:
    """Some samples at a time, so that what is computed of them stays small."""
    count = variable.sizes["sample"]
    step = max(1, values // max(1, variable.size // max(1, count)))
    for start in range(0, count, step):
        yield variable.isel(sample=slice(start, start + step))


def _cut(name: str, dim: str, frequency: xr.DataArray) -> Axis:
    values = np.asarray(frequency.values, dtype=np.float64)
    unit = str(frequency.attrs.get("units", ""))
    if len(values) <= MOST:
        order = np.argsort(values, kind="stable")
        member = np.empty(len(values), dtype=np.int64)
        member[order] = np.arange(len(values))
        return Axis(name, dim, member, values[order], values[order], unit)
    step = _round_step(float(values.max() - values.min()) / MOST)
    # k * fs / n is rounded: a frequency on an edge may come out just below it.
    place = np.floor(values / step * (1 + 1e-9)).astype(np.int64)
    # The highest frequency would be a cell of its own.
    top = np.floor((values.max() - 1e-9 * step) / step).astype(np.int64)
    there, member = np.unique(np.minimum(place, top), return_inverse=True)
    return Axis(name, dim, member.astype(np.int64), there * step, (there + 1) * step, unit)


def _named(name: str, dim: str, result: xr.Dataset) -> Axis:
    names = tuple(map(str, result[dim].values))
    nothing = np.full(len(names), np.nan)
    low, high = (
        np.asarray(result[f"{dim}_{end}"].values, dtype=np.float64)
        if f"{dim}_{end}" in result.coords
        else nothing
        for end in ("low", "high")
    )
    unit = str(result[f"{dim}_low"].attrs.get("units", "Hz")) if f"{dim}_low" in result.coords else ""
    return Axis(name, dim, np.arange(len(names)), low, high, unit, names)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is no smaller.

    Examples
    --------
    >>> _round_step(0.5), _round_step(0.31), _round_step(128 / 100)
    (0.5, 0.5, 2.0)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))

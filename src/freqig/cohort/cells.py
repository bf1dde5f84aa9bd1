"""What each person has in each group: means and standard errors, on disk, read some places at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..result.means import in_cells

SUBJECT, PLACE = "subject", "place"
BLOCK_BYTES = 64 * 2**20
"""Means of all people at some places that are held at once."""


@dataclass
class Variable:
    """Dimensions and coordinates of one variable of attributions, without those of samples."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coords: dict[str, Any]
    attrs: dict[str, Any]

    def unfolded(self, summary: xr.Dataset, name: str) -> xr.Dataset:
        """A summary over places, with the dimensions of the variable in their stead."""
        data: dict[Any, Any] = {}
        for key, own in summary.data_vars.items():
            if PLACE in own.dims:
                leading = [dim for dim in own.dims if dim != PLACE]
                values = own.transpose(*leading, PLACE).values
                data[key] = (
                    (*leading, *self.dims),
                    values.reshape(*values.shape[:-1], *self.shape),
                    own.attrs,
                )
            else:
                data[key] = own.variable
        coords = {key: own.variable for key, own in summary.coords.items() if PLACE not in own.dims}
        return xr.Dataset(data, {**coords, **self.coords}, summary.attrs)

    def refuse_other(self, other: Variable, name: str, recording: str) -> None:
        """ValueError where a recording has other coordinates."""
        # Edges of the band of the rest are NaN.
        same = (self.dims, self.shape) == (other.dims, other.shape) and all(
            own.equals(other.coords.get(key, own)) for key, own in self.coords.items()
        )
        if not same:
            raise ValueError(
                f"recordings must have the same coordinates for means over them, but {name} of {recording} "
                f"has {dict(zip(other.dims, other.shape, strict=True))}, others "
                f"{dict(zip(self.dims, self.shape, strict=True))}, or other labels: explain them with one "
                "window= and the same channels=, or keep='bands'"
            )


@dataclass
class Cells:
    """What each person has in each group: a row for each of both, on disk; and how many are left out."""

    folder: Path
    names: tuple[str, ...]
    attrs: dict[str, Any]
    variables: dict[str, Variable] = field(default_factory=dict)
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    scalars: dict[str, list[Any]] = field(default_factory=dict)
    left_out: int = 0

    def add(self, subject: str, sums: Mapping[tuple[Any, ...], Sum]) -> None:
        """The groups of one person."""
        for key, own in sums.items():
            self.keys.append((subject, *key))
            self.counts.append(int(own.count))
            for name, (mean, squares) in own.moments.items():
                if name not in self.variables:
                    self.scalars.setdefault(name, []).append(mean)
                    continue
                error = np.sqrt(squares / (own.count - 1) / own.count) if own.count > 1 else mean * np.nan
                with self._file(name).open("ab") as file:
                    file.write(mean.tobytes())
                    file.write(np.asarray(error).tobytes())

    def _file(self, name: str) -> Path:
        return self.folder / f"{list(self.variables).index(name)}.float64"

    def blocks(self, name: str, with_scalars: bool) -> Iterator[xr.Dataset]:
        """Means of one variable as `Explainer.average` returns them, some places at a time."""
        variable = self.variables[name]
        places = int(np.prod(variable.shape))
        held = np.memmap(self._file(name), np.float64, "r", shape=(len(self.keys), 2, places))
        levels = [sorted({key[i] for key in self.keys}) for i in range(len(self.names) + 1)]
        cell = tuple(np.array([level.index(key[i]) for key in self.keys]) for i, level in enumerate(levels))
        sizes = tuple(map(len, levels))
        dims = (SUBJECT, *self.names)
        coords = dict(
            zip(dims, ((dim, np.array(own)) for dim, own in zip(dims, levels, strict=True)), strict=True)
        )

        def table(values: np.ndarray, empty: Any = np.nan) -> np.ndarray:
            return in_cells(values, cell, sizes, empty)

        width = max(1, BLOCK_BYTES // (16 * int(np.prod(sizes))))
        for start in range(0, places, width):
            part = np.asarray(held[:, :, start : start + width])
            data: dict[str, Any] = {
                name: ((*dims, PLACE), table(part[:, 0]), variable.attrs),
                f"{name}_standard_error": ((*dims, PLACE), table(part[:, 1]), {"kind": "standard_error"}),
                "n_samples": (dims, table(np.array(self.counts), 0)),
            }
            if with_scalars and start == 0:
                for key, own in self.scalars.items():
                    values = np.array(own)
                    data[key] = ((*dims, "target")[: len(dims) + values.ndim - 1], table(values))
            yield xr.Dataset(data, coords, self.attrs)


@dataclass
class Sum:
    """Number, mean and sum of squares about the mean of the samples of one person in one group."""

    count: float = 0.0
    moments: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def add(self, weights: np.ndarray, values: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Cases that stand for so many samples each: their means, and sums of squares about these.

        Merged as Chan, Golub and LeVeque do (COMPSTAT 1982), which loses no digits.
        """
        total = self.count + weights.sum()
        for name, (means_, squares) in values.items():
            share = (weights / weights.sum()).reshape(-1, *[1] * (means_.ndim - 1))
            mean = (share * means_).sum(0)
            about = squares.sum(0) + (share * weights.sum() * (means_ - mean) ** 2).sum(0)
            before, known = self.moments.get(name, (np.zeros_like(mean), np.zeros_like(mean)))
            step = mean - before
            self.moments[name] = (
                before + step * weights.sum() / total,
                known + about + step**2 * self.count * weights.sum() / total,
            )
        self.count = total

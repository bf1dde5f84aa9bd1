"""Where samples stand on the axis of an overview: at their time where it is known, else one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...plots._epochs import epochs_of
from ...plots._time import time_axis
from ..material import Material

SPARSE = 4
"""From how many columns per sample on gaps would leave nothing to be seen, and samples stand side by side."""
ONSETS = "result.assign_coords(onset=('sample', seconds))"


@dataclass(frozen=True)
class Columns:
    """Places of N samples on a grid of M columns.

    Parameters
    ----------
    place : numpy.ndarray
        Column of each sample, shape (N,).
    centres : numpy.ndarray
        Middles of the columns in units of the axis, shape (M,).
    begins : numpy.ndarray
        What the axis says of each sample, shape (N,).
    axis : str
        Label, with its unit.
    missing, call : str
        Why samples have no time, and the call that gives them one; empty where they have.
    """

    place: np.ndarray
    centres: np.ndarray
    begins: np.ndarray
    axis: str
    missing: str = ""
    call: str = ""

    @classmethod
    def of(cls, material: Material) -> Columns:
        """Those of the samples of a result."""
        result, count = material.result, len(material)
        files = set(result["file"].values.tolist()) if "file" in result.coords else set()
        if "onset" not in result.coords:
            told = "The samples do not say when they begin (coordinate 'onset'), so the axis counts them."
            return cls.counted(count, told, ONSETS)
        if len(files) > 1:
            told = f"The samples are of {len(files)} files, so the axis counts them."
            return cls.counted(count, told, "result.isel(sample=result.file == NAME)")
        begins, step = epochs_of(result)
        place = np.round((begins - begins.min()) / step).astype(int)
        if len(set(place.tolist())) < count or place.max() >= SPARSE * count + SPARSE:
            told = "Samples begin at once, or far apart, so the axis counts them."
            return cls.counted(count, told, ONSETS)
        unit = time_axis(float(place.max() + 1) * step, "s")
        centres = (begins.min() + step * (np.arange(place.max() + 1) + 0.5)) / unit.divisor
        return cls(place, centres, begins / unit.divisor, unit.label)

    @classmethod
    def counted(cls, count: int, missing: str, call: str) -> Columns:
        """One sample after another."""
        every = np.arange(count)
        return cls(every, every.astype(float), every, "sample", missing, call)

    @property
    def position(self) -> list[int | None]:
        """The sample of each column, None of gaps."""
        found: list[int | None] = [None] * len(self.centres)
        for sample, column in enumerate(self.place.tolist()):
            found[column] = sample
        return found

    @property
    def grid(self) -> dict[str, float]:
        """The middles of the columns, as plotly takes them where they are even."""
        apart = float(self.centres[1] - self.centres[0]) if len(self.centres) > 1 else 1.0
        return {"x0": float(self.centres[0]), "dx": apart}

    @property
    def span(self) -> list[float]:
        """Both ends of the axis, half a column beyond the middles."""
        half = self.grid["dx"] / 2
        return [float(self.centres[0]) - half, float(self.centres[-1]) + half]

    def laid(self, values: np.ndarray) -> np.ndarray:
        """Values of samples, shape (N, ...), in their columns; NaN in gaps."""
        grid = np.full((len(self.centres), *values.shape[1:]), np.nan)
        grid[self.place] = values
        return grid

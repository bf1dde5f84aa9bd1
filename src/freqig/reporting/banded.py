"""Attributions of every sample, channel and band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..bands import bands as sum_over_bands
from ..result.reading import dim_of, names_of_attributions, with_one
from .lines import names_of_lines, stacked


@dataclass(frozen=True)
class Banded:
    """Sums over bands; N samples, C channels, B bands.

    Parameters
    ----------
    name : str
        The variable they are sums of.
    values : numpy.ndarray
        Shape (N, C, B).
    names : tuple of str
        Of the bands; the last is "rest", all that lies in no other.
    edges : tuple of (float, float)
        Of the bands, NaN where there are none.
    counts : numpy.ndarray
        Frequencies in each band, NaN where that is not known, shape (B,).
    lines : tuple of str
        Names of the channels.
    """

    name: str
    values: np.ndarray
    names: tuple[str, ...]
    edges: tuple[tuple[float, float], ...]
    counts: np.ndarray
    lines: tuple[str, ...]

    @classmethod
    def of(cls, result: xr.Dataset, spectrum: str | None, bands: Any) -> Banded | None:
        """Those of a result, over the bands that it has, or else those given; None where there are none.

        Parameters
        ----------
        result : xarray.Dataset
            With a dimension ``sample``.
        spectrum : str or None
            Variable over frequencies that may be summed.
        bands : str, mapping or None
            As `freqig.bands` takes them.
        """
        for name in names_of_attributions(result):
            if dim := dim_of(result[name], "band"):
                return cls._read(result[name], dim)
        if spectrum is None or bands is None:
            return None
        summed = sum_over_bands(with_one(result, spectrum), bands)[spectrum]
        dim = dim_of(summed, "band")
        return None if dim is None else cls._read(summed, dim)

    @classmethod
    def _read(cls, variable: xr.DataArray, dim: str) -> Banded:
        count = variable.sizes[dim]
        names = (
            tuple(map(str, variable[dim].values)) if dim in variable.coords else tuple(map(str, range(count)))
        )
        empty = np.full(count, np.nan)
        low, high, counts = (
            np.asarray(variable.coords[key].values, dtype=np.float64) if key in variable.coords else empty
            for key in (f"{dim}_low", f"{dim}_high", f"{dim}_n_frequencies")
        )
        return cls(
            str(variable.name),
            stacked(variable, (dim,)),
            names,
            tuple(zip(low.tolist(), high.tolist(), strict=True)),
            counts,
            tuple(names_of_lines(variable, (dim,))),
        )

    @property
    def heads(self) -> list[str]:
        """Names of the bands with their edges."""
        return [
            name if np.isnan(low) else f"{name} {low:.4g}–{high:.4g} Hz"
            for name, (low, high) in zip(self.names, self.edges, strict=True)
        ]

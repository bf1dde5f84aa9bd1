"""Channels, and whatever else a variable is over, as one axis of lines; envelopes and the rest apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import xarray as xr

from ..result.reading import names_of_attributions

ENVELOPE = ["envelope", "rest"]
"""Rows of `freqig.Envelope`: frequencies of the first are rates, those of the second are of the signal."""
ALONE = "_alone"


def envelopes_apart(result: xr.Dataset) -> xr.Dataset:
    """A result in which attributions of envelopes stand by themselves, before those that they are a part of.

    Rates of an envelope and frequencies of the rest are not the same, so sums over both would mean nothing.

    Examples
    --------
    >>> both = ("sample", "envelope_row", "frequency"), np.ones((2, 2, 3)), {"kind": "attribution"}
    >>> apart = envelopes_apart(xr.Dataset({"envelope_rfft": both}, {"envelope_row": ENVELOPE}))
    >>> list(apart), apart.envelope_rfft_alone.dims
    (['envelope_rfft_alone', 'envelope_rfft'], ('sample', 'frequency'))
    """
    alone = {}
    for name in names_of_attributions(result):
        for dim in map(str, result[name].dims):
            if dim.endswith("_row") and dim in result.coords and result[dim].values.tolist() == ENVELOPE:
                alone[f"{name}{ALONE}"] = result[name].sel({dim: ENVELOPE[0]}, drop=True)
    return result.assign(alone)[[*alone, *result.data_vars]] if alone else result


def stacked(variable: xr.DataArray, last: Sequence[str]) -> np.ndarray:
    """Values over samples, all dimensions that are not named, such as channels, as one, and those named.

    Examples
    --------
    >>> both = xr.DataArray(np.ones((2, 5, 3)), dims=("sample", "time", "channel"))
    >>> stacked(both, ("time",)).shape
    (2, 3, 5)
    """
    ordered = variable.transpose("sample", ..., *last).values.astype(np.float64)
    sizes = ordered.shape[ordered.ndim - len(last) :]
    return np.nan_to_num(ordered.reshape(len(ordered), -1, *sizes), posinf=0.0, neginf=0.0)


def names_of_lines(variable: xr.DataArray, last: Sequence[str]) -> list[str]:
    """Names of the channels into which `stacked` puts a variable; one of "" where there are none.

    Examples
    --------
    >>> both = xr.DataArray(np.ones((1, 2, 1)), {"channel": ["Fz", "Oz"]}, dims=("sample", "channel", "time"))
    >>> names_of_lines(both, ("time",)), names_of_lines(both[:, 0], ("time",))
    (['Fz', 'Oz'], [''])
    """
    dims = [dim for dim in variable.dims if dim not in ("sample", *last)]
    told = []
    for dim in dims:
        values = variable[dim].values.tolist() if dim in variable.coords else range(variable.sizes[dim])
        plain = dim == "channel" and dim in variable.coords
        # What has no name is told by its number.
        told.append(
            [str(value) if plain and value != "" else f"{dim} {value or i}" for i, value in enumerate(values)]
        )
    return [", ".join(names) for names in product(*told)]

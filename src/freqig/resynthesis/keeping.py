"""Which coefficients are kept: a share of the attribution, bands, or a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from .._check import check_number, shown
from ..band_edges import named_bands
from ..band_scales import inside
from ..result.reading import dim_of

SHARES = "a number in (0, 1], the share of the positive attribution"
UNITS = ("Hz", "orders")
"""Units of frequency in which bands may have their edges."""
MASKS = "bands as freqig.bands takes them, or a mask such as result.rfft > 0.1"
ALLOWED = f"{SHARES}, {MASKS}"


def kept_coefficients(
    variable: xr.DataArray, keep: Any, rows: list[int], fs: float | None = None
) -> np.ndarray:
    """Which coefficients are kept of some samples.

    Parameters
    ----------
    variable : xarray.DataArray
        Attributions, first dimension ``sample``.
    keep : float, str, mapping or xarray.DataArray
        As `freqig.resynthesize` takes it.
    rows : list of int
        Which samples.
    fs : float, optional
        Sampling rate in Hz, up to half of which bands by a scale reach.

    Returns
    -------
    numpy.ndarray
        bool, shape (len(rows), *coefficients); False where there is no coefficient (NaN).

    Examples
    --------
    >>> attribution = xr.DataArray([[3.0, -9.0, 1.0, 6.0]], dims=("sample", "frequency"))
    >>> kept_coefficients(attribution, 0.9, [0]), kept_coefficients(attribution, attribution > 2, [0])
    (array([[ True, False, False,  True]]), array([[ True, False, False,  True]]))
    """
    if isinstance(keep, xr.DataArray):
        mask = named_by_mask(variable, keep)[rows]
    elif isinstance(keep, str | Mapping):
        mask = named_by_bands(variable, keep, fs)[rows]
    elif isinstance(keep, np.ndarray | list | tuple) or keep is None:
        raise TypeError(f"keep must be {ALLOWED}, got {shown(keep)}")
    else:
        mask = _fewest(variable.values[rows], _share(keep), rows)
    return np.asarray(mask & np.isfinite(variable.values[rows]))


def _share(keep: Any) -> float:
    share = check_number(keep, "keep", ALLOWED)
    if not 0 < share <= 1:
        raise ValueError(f"keep must be {ALLOWED}, got {shown(keep)}")
    return share


def _fewest(values: np.ndarray, share: float, rows: list[int]) -> np.ndarray:
    """The fewest coefficients of every sample whose sum reaches a share of the positive sum."""
    gains = np.where(values > 0, values, 0.0).reshape(len(values), -1).astype(np.float64)
    order = np.argsort(-gains, axis=1, kind="stable")
    running = np.cumsum(np.take_along_axis(gains, order, axis=1), axis=1)
    if none := np.flatnonzero(~(gains.sum(axis=1) > 0)).tolist():
        raise ValueError(
            f"keep={share:g} is a share of the positive attribution, of which sample {rows[none[0]]} has "
            f"none ({len(none)} such samples): explain another target, or keep bands or a mask"
        )
    # Those before the sum is reached, and the one that reaches it.
    needed = np.concatenate(
        [np.ones_like(running[:, :1], dtype=bool), running[:, :-1] < share * running[:, -1:]], axis=1
    )
    mask = np.zeros(gains.shape, dtype=bool)
    np.put_along_axis(mask, order, needed, axis=1)
    return mask.reshape(values.shape) & (values > 0)


def named_by_bands(
    variable: xr.DataArray, bands: Any, fs: float | None, name: str = "keep", allowed: str = ALLOWED
) -> np.ndarray:
    """Coefficients in bands, bool, the shape of the variable; `name` is what errors call the parameter."""
    dim = dim_of(variable, "frequency")
    if dim is None or dim not in variable.coords or variable[dim].attrs.get("units") not in UNITS:
        raise ValueError(
            f"{name} is bands, so {variable.name} must be over a frequency in Hz or orders, got the "
            f"dimensions {', '.join(map(repr, variable.dims))}: pass fs= to Explainer, or as {name} a mask"
        )
    at = variable[dim].values
    try:
        edges = named_bands(bands, float(at.max()) if fs is None else fs / 2)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be {allowed}: {error}") from error
    held = np.logical_or.reduce([inside(low, high, at) for low, high in edges.values()])
    if not held.any():
        raise ValueError(
            f"{name} must hold a frequency of {variable.name}, which has {at.min():g} to {at.max():g} Hz in "
            f"steps of {np.diff(at).min() if at.size > 1 else 0:g}, got {edges}"
        )
    shape = [1] * variable.ndim
    shape[variable.dims.index(dim)] = at.size
    return np.broadcast_to(held.reshape(shape), variable.shape)


def named_by_mask(variable: xr.DataArray, mask: xr.DataArray, name: str = "keep") -> np.ndarray:
    """Coefficients by a mask over some of the dimensions, bool, the shape of the variable."""
    if mask.dtype != bool:
        raise TypeError(f"{name} as a mask must be bool, such as result.rfft > 0.1, got {mask.dtype}")
    foreign = [dim for dim in mask.dims if dim not in variable.dims]
    if foreign:
        raise ValueError(
            f"{name} as a mask must be over dimensions of {variable.name}, "
            f"{', '.join(map(repr, variable.dims))}, got {', '.join(map(repr, mask.dims))}"
        )
    for dim in mask.dims:
        # `coords.get` counts along a dimension that has no coordinate, and so would never be None.
        labelled = dim in variable.coords and dim in mask.coords
        other = labelled and not np.array_equal(variable.coords[dim], mask.coords[dim])
        if other or mask.sizes[dim] != variable.sizes[dim]:
            raise ValueError(
                f"{name} as a mask must have the coordinates of {variable.name} along {dim!r}: make it of "
                f"the same result, such as result.{variable.name} > 0.1"
            )
    plain = mask.drop_vars(list(mask.coords))
    return np.asarray(
        plain.broadcast_like(variable.drop_vars(list(variable.coords))).transpose(*variable.dims)
    )

"""Results of several batches as one, their samples one behind the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr


def joined(results: Sequence[xr.Dataset], order: Sequence[int] | None = None) -> xr.Dataset:
    """One result of several, over the same channels and coordinates.

    Parameters
    ----------
    results : sequence of xarray.Dataset
        At least one, as `freqig.Explainer` returns them.
    order : sequence of int, optional
        Places of the results among each other: `order[i]` is the one that stands at i. Default: as they come.

    Returns
    -------
    xarray.Dataset
        Coordinates that only some of them have are empty, or NaN, for the others.

    Raises
    ------
    ValueError
        If they differ in anything but their samples.

    Examples
    --------
    >>> parts = [xr.Dataset({"output": ("sample", [float(i)])}) for i in range(3)]
    >>> joined(parts, [2, 0, 1]).output.values.tolist()
    [2.0, 0.0, 1.0]
    """
    first = results[0]
    for other in results[1:]:
        _refuse_difference(first, other)
    along = {
        name: array.dtype
        for result in results
        for name, array in result.coords.items()
        if array.dims == ("sample",)
    }
    filled = [
        result.assign_coords(
            {
                name: ("sample", _nothing(dtype, result.sizes["sample"]))
                for name, dtype in along.items()
                if name not in result.coords
            }
        )
        for result in results
    ]
    return xr.concat(
        filled if order is None else [filled[i] for i in order],
        "sample",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="override",
    )


def _refuse_difference(first: xr.Dataset, other: xr.Dataset) -> None:
    ours, theirs = ({d: n for d, n in one.sizes.items() if d != "sample"} for one in (first, other))
    if ours != theirs or set(first.data_vars) != set(other.data_vars):
        raise ValueError(
            f"batches must have the same channels, length and outputs, got {ours} and {theirs}: read them "
            "with one window= and the same channels="
        )
    units = [one["signal"].attrs.get("units") if "signal" in one else None for one in (first, other)]
    if units[0] != units[1]:
        raise ValueError(
            f"batches must be in one unit, got {' and '.join(unit or 'none' for unit in units)}: pass unit= "
            "to Explainer, the unit that the model takes"
        )
    for name in first.indexes:
        if name == "sample":
            continue
        if name not in other.indexes or not _alike(first[name].values, other[name].values):
            what = "sampling rate, length or first time" if first[name].dtype.kind == "f" else "labels"
            raise ValueError(
                f"batches must have the same coordinate {name!r}, but one has other {what}: pass resample= "
                "or channels= to read them alike"
            )


def _alike(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if ours.dtype.kind == "f" and theirs.dtype.kind == "f":
        return bool(np.allclose(ours, theirs, rtol=1e-6, atol=0, equal_nan=True))
    return bool(np.array_equal(ours, theirs))


def _nothing(dtype: np.dtype, count: int) -> np.ndarray:
    """What stands where a coordinate is not known."""
    if dtype.kind == "U":
        return np.full(count, "")
    # Dates and durations have a NaN of their own.
    return np.full(count, "NaT", dtype) if dtype.kind in "mM" else np.full(count, np.nan)

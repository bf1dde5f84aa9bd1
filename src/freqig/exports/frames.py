"""Results as tables of pandas: every coefficient, or those that stand out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .._check import check_count
from .._keywords import says_what_is_meant
from ..result.reading import attributions_of

LABELS = ("sample", "target", "channel")
"""Dimensions along which coefficients have no neighbours."""


@says_what_is_meant
def to_dataframe(result: xr.Dataset, name: str = "rfft") -> pd.DataFrame:
    """Attributions as a tidy table: one row per coefficient, one column per thing that is known of it.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, or what `freqig.bands` or a mean makes of it.
    name : str, default "rfft"
        Variable of attributions.

    Returns
    -------
    pandas.DataFrame
        Columns: the dimensions of the variable, by their coordinates or by positions; the attribution
        under the name "attribution"; then what is known per sample and coefficient: file, onset and
        truth, target and predicted class, output, baseline output, completeness gap and the like.
        Places without a coefficient (NaN) are left out. Units are in ``attrs["units"]``, by column.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset, or has no such variable of attributions.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Linear(8, 1)
    >>> result = freqig.Explainer(model, fs=8)(np.random.default_rng(0).normal(size=(3, 8)), target=0)
    >>> table = freqig.to_dataframe(result)
    >>> table.columns[:3].tolist(), len(table)
    (['sample', 'frequency', 'attribution'], 15)
    >>> bool(np.isclose(table.attribution.sum(), result.rfft.sum()))
    True
    """
    variable = attributions_of(result, name)
    own = {
        key: other
        for key, other in result.data_vars.items()
        if other.attrs.get("kind") not in ("attribution", "signal", "spread")
        and {*other.dims} <= {*variable.dims}
    }
    dims = [str(dim) for dim in variable.dims]
    together = xr.Dataset({"attribution": variable, **own})
    # Dimensions without coordinates are positions.
    together = together.assign_coords(
        {d: np.arange(variable.sizes[d]) for d in dims if d not in together.coords}
    )
    flat = together.to_dataframe(dim_order=dims) if dims else together.expand_dims("row").to_dataframe()
    table = flat.reset_index(drop=not dims)
    table = table[[*dims, "attribution", *(c for c in table.columns if c not in (*dims, "attribution"))]]
    table = table[table["attribution"].notna()].reset_index(drop=True)
    found = {key: together[key].attrs.get("units") for key in table.columns}
    table.attrs = {"units": {key: unit for key, unit in found.items() if unit is not None}}
    return table


@says_what_is_meant
def peaks(result: xr.Dataset, n: int = 10, *, name: str = "rfft") -> pd.DataFrame:
    """The coefficients that stand out from their neighbours, the strongest of each sample first.

    A coefficient is a peak where it has a larger magnitude than those beside it of the same sign,
    along frequency, and along time where there is one. Those on the slope of another are not
    listed, however large they are.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, or a mean over its samples.
    n : int, default 10
        How many per sample and target, over all channels.
    name : str, default "rfft"
        Variable of attributions.

    Returns
    -------
    pandas.DataFrame
        Columns: the dimensions of the variable, "attribution", and "share", the attribution as a share
        of the sum of magnitudes of its sample. Fewer than `n` rows where there are fewer peaks; none
        of an attribution of zero.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset, has no such variable, or `n` is no integer of at least 1.

    Examples
    --------
    >>> import numpy as np, xarray as xr, freqig
    >>> rfft = xr.Variable("frequency", [0.0, 1.0, 4.0, 2.0, -1.0, 0.0], {"kind": "attribution"})
    >>> result = xr.Dataset({"rfft": rfft}, {"frequency": np.arange(6.0)})
    >>> freqig.peaks(result).values.tolist()
    [[2.0, 4.0, 0.5], [4.0, -1.0, -0.125]]
    """
    variable = attributions_of(result, name)
    n = check_count(n, "n")
    groups = [dim for dim in ("sample", "target") if dim in variable.dims]
    inner = [dim for dim in variable.dims if dim not in groups]
    variable = variable.transpose(*groups, *inner)
    dims = [str(dim) for dim in variable.dims]
    values = variable.values.astype(np.float64)
    along = [i for i, dim in enumerate(dims) if dim not in LABELS and variable[dim].dtype.kind in "iufmM"]
    standing = _stands_out(values, along)

    flat = values.reshape(*values.shape[: len(groups)], int(np.prod(values.shape[len(groups) :])))
    total = np.nansum(np.abs(flat), axis=-1)
    columns: dict[str, list[Any]] = {key: [] for key in (*dims, "attribution", "share")}
    for group in np.ndindex(*values.shape[: len(groups)]):
        strength = np.where(standing[group], np.abs(values[group]), 0.0).ravel()
        best = np.argsort(-strength, kind="stable")[:n]
        for place in best[strength[best] > 0]:
            index = (*group, *np.unravel_index(place, values.shape[len(groups) :]))
            for dim, i in zip(dims, index, strict=True):
                columns[dim].append(variable[dim].values[i])
            columns["attribution"].append(values[index])
            columns["share"].append(values[index] / total[group])
    return pd.DataFrame(columns)


def _stands_out(values: np.ndarray, axes: list[int]) -> np.ndarray:
    """Where a value is larger in magnitude than its neighbours of the same sign along axes."""
    signs = np.where(np.isfinite(values), values, 0.0)
    found = np.asarray(signs != 0)
    for axis in axes:
        padded = np.pad(signs, [(1, 1) if i == axis else (0, 0) for i in range(signs.ndim)])
        before, after = (
            np.take(padded, np.arange(start, start + signs.shape[axis]), axis=axis) for start in (0, 2)
        )
        # The first of equal neighbours.
        same = np.sign(signs)
        found &= (np.abs(signs) > before * same) & (np.abs(signs) >= after * same)
    return found

"""One variable of attributions of a result, checked."""

from __future__ import annotations

from typing import Any

import xarray as xr

from .._check import shown


def attributions_of(result: Any, name: Any) -> xr.DataArray:
    """A variable of attributions.

    Raises
    ------
    TypeError, ValueError
        If this is no result, or has no such variable.

    Examples
    --------
    >>> rfft = ("frequency", [1.0], {"kind": "attribution"})
    >>> attributions_of(xr.Dataset({"rfft": rfft}), "rfft").dims
    ('frequency',)
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"result must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    known = [str(key) for key, own in result.data_vars.items() if own.attrs.get("kind") == "attribution"]
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"name must be a variable of attributions, which are {', '.join(map(repr, known)) or 'none'} "
            f"here, got {shown(name)}"
        )
    return result[name]

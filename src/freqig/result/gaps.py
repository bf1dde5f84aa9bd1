"""Completeness gaps by the measure of what converges. PyTorch is not imported here."""

from __future__ import annotations

import numpy as np
import xarray as xr


def gap_shares(result: xr.Dataset) -> np.ndarray | None:
    """Completeness gaps as shares of the L1 norm of the attributions, in the shape of the gaps; None of none.

    Integration is judged by this norm (`path/tolerance`): a gap is an error as large, and at most `tol` of it
    where a sample converged. A share of F(x) - F(x') would have no scale where that is near zero.

    Examples
    --------
    >>> rfft = ("sample", "frequency"), [[3.0, -2.0], [0.0, 0.0]], {"kind": "attribution"}
    >>> gap_shares(xr.Dataset({"rfft": rfft, "completeness_gap": ("sample", [-0.05, 0.0])})).tolist()
    [0.01, 0.0]
    """
    names = [str(key) for key, own in result.data_vars.items() if own.attrs.get("kind") == "attribution"]
    if "completeness_gap" not in result or not names:
        return None
    gap = abs(result["completeness_gap"].astype(np.float64))
    # Domains that are not linear have a path, and a gap, of their own.
    common = [name for name in names if f"{name}_completeness_gap" not in result]
    variable = abs(result[(common or names)[0]])
    norm = variable.sum([dim for dim in variable.dims if dim not in gap.dims], dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap == 0, 0.0, gap / norm.transpose(*gap.dims))

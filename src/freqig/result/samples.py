"""Results with a dimension of samples, also where there is one alone. PyTorch is not imported here."""

from __future__ import annotations

import xarray as xr

OF_ONE = ("target", "predicted", "truth", "file", "label", "onset", "n_times")
"""Coordinates that tell something of each sample."""


def of_samples(result: xr.Dataset, called: str = "result") -> xr.Dataset:
    """A result with a dimension of samples, at least one; a single one has lost it.

    Raises
    ------
    ValueError
        If there is none, or they were averaged by xarray, which does so with all that is told of them, too.

    Examples
    --------
    >>> dict(of_samples(xr.Dataset({"output": 1.0})).sizes)
    {'sample': 1}
    >>> of_samples(xr.Dataset({"converged": 0.5}))
    Traceback (most recent call last):
    ValueError: result.converged must be true or false for each sample, got float64, as means have it: ...
    """
    if "converged" in result and result["converged"].dtype.kind == "f":
        raise ValueError(
            f"{called}.converged must be true or false for each sample, got {result['converged'].dtype}, as "
            "means have it: pass the result before it was averaged or cast; Explainer.average and "
            "freqig.summarize make means that know their error"
        )
    if "sample" not in result.dims:
        told = [key for key in OF_ONE if key in result.coords and not result[key].dims]
        along = {key: ("sample", result[key].values[None], result[key].attrs) for key in told}
        return result.drop_vars(told).expand_dims("sample").assign_coords(along)
    if not result.sizes["sample"]:
        raise ValueError(f"{called} must hold at least one sample, got none: its selection is empty")
    return result

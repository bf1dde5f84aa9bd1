"""Bands of a filter bank as rows of a frequency axis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from ..bands import highest_of
from ._labels import told_alike
from ._limits import IN_VIEW
from ._view import View

FREQUENCY = "frequency"


def over_frequency(view: View) -> tuple[View, np.ndarray, str]:
    """The same explanation with frequencies in place of bands, from the lowest up.

    Parameters
    ----------
    view : View
        Of dimensions band and time, with the edges of bands as `FilterBank` gives them.

    Returns
    -------
    view : View
        Of dimensions frequency, the middles of bands, and time. Gaps between bands are rows of NaN, and
        nothing lies above half of the sampling rate.
    borders : numpy.ndarray
        Between the rows, in Hz, one more than rows.
    note : str
        What the rest adds up to, which lies outside all bands and so has no place; empty where it is less
        than half a percent of |attribution|.

    Raises
    ------
    ValueError
        If the edges of bands are not known, or overlap.

    Examples
    --------
    >>> bands = {"filterbank_low": [8.0, 1.0, np.nan], "filterbank_high": [12.0, 4.0, np.nan]}
    >>> one = xr.Dataset(
    ...     {"filterbank": (("filterbank_band", "time"), [[1.0, 2.0], [3.0, 4.0], [0.5, 0.0]])},
    ...     {key: ("filterbank_band", edges) for key, edges in bands.items()} | {"time": [0.0, 0.02]},
    ... )
    >>> view = View(one, "filterbank", ("filterbank_band", "time"), None, None)
    >>> found, borders, note = over_frequency(view)
    >>> found.variable.values.tolist(), borders.tolist(), note
    ([[3.0, 4.0], [nan, nan], [1.0, 2.0]], [1.0, 4.0, 8.0, 12.0], 'without rest, +0.500')
    """
    band, time = view.dims
    variable = view.variable
    low, high = (variable.coords.get(f"{band.removesuffix('band')}{end}") for end in ("low", "high"))
    if low is None or high is None:
        raise ValueError(
            f"result.{view.name} must have the edges of its bands as coordinates, as freqig.FilterBank gives "
            "them"
        )
    top = highest_of(view.one, np.nan_to_num(high.values))
    inside = np.flatnonzero(low.values < top)
    inside = inside[np.argsort(low.values[inside])]
    begins, ends = low.values[inside], np.minimum(high.values[inside], top)
    if (begins[1:] < ends[:-1]).any():
        raise ValueError(f"bands of result.{view.name} must not overlap to be rows of one axis")
    # A gap is a row too, of nothing.
    starts = np.unique(np.concatenate([begins, ends[:-1]]))
    place = {float(begin): i for begin, i in zip(begins, inside, strict=True)}
    rows = [place.get(float(start)) for start in starts]
    borders = np.append(starts, ends[-1])
    values = variable.transpose(band, ...)
    filled = np.stack([np.full(values.shape[1:], np.nan) if i is None else values.values[i] for i in rows])
    middles = (FREQUENCY, (borders[1:] + borders[:-1]) / 2, {"units": "Hz"})
    coords = {time: variable[time], FREQUENCY: middles}
    made = xr.DataArray(filled, coords, (FREQUENCY, *values.dims[1:]), attrs=variable.attrs)
    one = view.one.drop_vars([name for name in view.one.variables if FREQUENCY in view.one[name].dims])
    rest = np.delete(values.values, inside, axis=0)
    seen = np.nansum(np.abs(rest)) > (1 - IN_VIEW) * np.nansum(np.abs(values))
    note = f"without rest, {told_alike(np.nansum(rest, keepdims=True).ravel())[0]}" if seen else ""
    return replace(view, one=one.assign({view.name: made}), dims=(FREQUENCY, time)), borders, note

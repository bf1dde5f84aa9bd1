"""One sample, and one channel, of a result."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import xarray as xr

from .._check import check_count, shown
from ..bands import bands as sum_over_bands
from ..result.reading import with_one

_MEASURED = ("frequency", "time", "segment")
"""Dimensions along which a figure needs to know where things are."""

_BY_NAME = ", and pass the name of its variable as name="
_OTHERS = {"rfft": ", and draw the result before bands are summed"}
"""What an error adds where a figure draws one variable only."""


def _picked(result: xr.Dataset, name: str, sample: int) -> tuple[xr.Dataset, int | None]:
    """One sample of a result and its position, once it is clear that it holds one explanation."""
    if "target" in result[name].dims:
        raise ValueError(
            f"result must hold one target, got {result.sizes['target']}; select one, for example "
            "result.isel(target=0)"
        )
    # A sample that was selected before leaves no such dimension, and is then the only one.
    count = result.sizes.get("sample", 1)
    if not count:
        raise ValueError("result must hold at least one sample, got none")
    if check_count(sample, "sample", minimum=-count) >= count:
        raise ValueError(f"sample must be in {-count}..{count - 1} (the result has {count}), got {sample}")
    if "sample" not in result.dims:
        one, position = result, None
    elif "sample" in result[name].dims:
        one, position = result.isel(sample=int(sample)), int(sample) % count
    else:
        # A mean over samples that was put among numbers of single samples, which say nothing of it.
        one, position = result.drop_dims("sample"), None
        if "signal" in result and "sample" in result.signal.dims:
            one = one.assign(signal=result.signal.mean("sample", keep_attrs=True))
    for key in ("output", "completeness_gap", "converged"):
        if key in one and one[key].ndim:
            dim = one[key].dims[0]
            raise ValueError(
                f"result must hold one explanation, got {one.sizes[dim]} along {dim!r}; select one, for "
                f"example result.isel({dim}=0), or average over them, result.mean({dim!r})"
            )
    return one, position


def check_variable(
    result: Any, name: Any, kinds: Sequence[str], domain: str, called: str = "result"
) -> tuple[str, ...]:
    """Check a variable that is to be drawn, and find its dimensions of some kinds.

    Parameters
    ----------
    result, name, kinds, domain
        As `one_variable` takes them.
    called : str, default "result"
        Name of the parameter in errors.

    Raises
    ------
    TypeError, ValueError
        If the result is of another type, or lacks the variable, its dimensions or their coordinates.

    Examples
    --------
    >>> import xarray as xr
    >>> values = ("stft_frequency", "stft_time"), [[1.0]]
    >>> result = xr.Dataset({"stft": values}, {"stft_frequency": [0.0], "stft_time": [0.0]})
    >>> check_variable(result, "stft", ("time",), "freqig.STFT()")
    ('stft_time',)
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"{called} must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    if not isinstance(name, str):
        raise TypeError(f"name must be the name of a variable of the result, got {shown(name)}")
    if name not in result.data_vars:
        _refuse_several_inputs(result, f"{name}_0", called)
        others = ", ".join(map(repr, result.data_vars)) or "none"
        raise ValueError(
            f"{called} must have a variable {name!r}, got {others}; explain with "
            f"domains=[{domain}]{_OTHERS.get(name, _BY_NAME)}"
        )
    if result[name].attrs.get("kind") == "signal":
        raise ValueError(f"name must be that of an attribution, got {name!r}, which is the signal itself")
    found = {kind: dim_of(result[name], kind) for kind in kinds}
    missing = [kind for kind, dim in found.items() if dim is None]
    if missing:
        _refuse_several_inputs(result, name, called)
        raise ValueError(
            f"{called}.{name} must have a dimension of {' and one of '.join(missing)}, got "
            f"{', '.join(map(repr, result[name].dims))}; explain with domains=[{domain}]"
            f"{_OTHERS.get(name, _BY_NAME)}"
        )
    lost = [dim for kind, dim in found.items() if kind in _MEASURED and dim not in result[name].coords]
    if lost:
        raise ValueError(f"{called}.{name} must have a coordinate {lost[0]!r}, got none")
    return tuple(str(dim) for dim in found.values())


def _refuse_several_inputs(result: xr.Dataset, name: str, called: str) -> None:
    """ValueError where a variable is that of one of several inputs, with how to draw it."""
    ending = f"_{name.rpartition('_')[2]}"
    if name in result.data_vars and all(str(dim).endswith(ending) for dim in result[name].dims[1:]):
        raise ValueError(
            f"{called} must be of one input, got several, of which one at a time is drawn: for input "
            f"{ending[1:]}, {called} = {called}.rename({{name: name[:-{len(ending)}] for name in "
            f"{called}.variables if name.endswith({ending!r})}})"
        )


def one_variable(
    result: xr.Dataset, sample: int, name: str, kinds: Sequence[str], domain: str
) -> tuple[xr.Dataset, tuple[str, ...], int | None]:
    """Check a variable that is to be drawn, take one sample, and find its dimensions.

    Parameters
    ----------
    result : xarray.Dataset
        As `freqig.Explainer` returns it.
    sample : int
        Position of the sample, from the end where negative.
    name : str
        Variable to draw.
    kinds : sequence of str
        Dimensions it must have, such as "time"; the name of a domain may stand before them, as
        in "stft_time".
    domain : str
        What to explain with for such a variable, for errors.

    Returns
    -------
    one : xarray.Dataset
        `result` without the dimension ``sample``.
    dims : tuple of str
        Names of the dimensions, in the order of `kinds`.
    position : int or None
        Position of the sample from the first; None in a result of one sample, or of a mean.

    Raises
    ------
    TypeError, ValueError
        If the result is of another type, lacks the variable or its dimensions, or holds several
        targets, or there is no such sample.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.plots._select import one_variable
    >>> values = ("sample", "stft_frequency", "stft_time"), [[[1.0]]]
    >>> result = xr.Dataset({"stft": values}, {"stft_frequency": [0.0], "stft_time": [0.0]})
    >>> one_variable(result, 0, "stft", ("time", "frequency"), "freqig.STFT()")[1]
    ('stft_time', 'stft_frequency')
    """
    dims = check_variable(result, name, kinds, domain)
    one, position = _picked(result, name, sample)
    return one, dims, position


def dim_of(variable: xr.DataArray, kind: str) -> str | None:
    """Dimension of a kind, under its plain name or with that of a domain before it.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.plots._select import dim_of
    >>> dim_of(xr.DataArray([0.0], dims="stft_time"), "time")
    'stft_time'
    """
    names = [str(dim) for dim in variable.dims]
    return next((dim for dim in names if dim == kind or dim.endswith(f"_{kind}")), None)


def over_bands(result: xr.Dataset, name: str, bands: Any) -> xr.Dataset:
    """A result whose variable is over bands, to which one over frequency is summed.

    Raises
    ------
    TypeError, ValueError
        If the variable is over neither, or the bands are wrong (see `freqig.bands`).

    Examples
    --------
    >>> frequency = ("frequency", [1.0, 9.0], {"units": "Hz"})
    >>> rfft = ("frequency", [1.0, 2.0], {"kind": "attribution"})
    >>> over_bands(xr.Dataset({"rfft": rfft}, {"frequency": frequency}), "rfft", {"slow": (0, 4)}).rfft.dims
    ('band',)
    """
    if dim_of(result[name], "band") is not None:
        return result
    check_variable(result, name, ("frequency",), "freqig.RFFT()")
    return sum_over_bands(with_one(result, name), bands)


def one_channel(one: xr.Dataset, channel: Hashable) -> xr.Dataset:
    """Take one channel of one sample.

    Parameters
    ----------
    one : xarray.Dataset
        One sample, as `one_variable` returns it.
    channel : hashable
        Name of a channel; or, where names are not integers, its position.

    Returns
    -------
    xarray.Dataset
        `one` without the dimension ``channel``.

    Raises
    ------
    ValueError
        If there is no such channel, or there are no channels.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.plots._select import one_channel
    >>> one = xr.Dataset({"rfft": (("channel", "frequency"), [[1.0], [2.0]])})
    >>> float(one_channel(one.assign_coords(channel=["Fz", "Oz"]), "Oz").rfft.sum())
    2.0
    """
    if "channel" not in one.dims:
        raise ValueError(f"channel must be None for a result without channels, got {shown(channel)}")
    count = one.sizes["channel"]
    names = one["channel"].values.tolist() if "channel" in one.coords else list(range(count))
    place = _place(channel, names)
    if place is not None:
        return one.isel(channel=place)
    named_by_integers = any(isinstance(name, int) for name in names)
    raise ValueError(
        f"channel must be one of {', '.join(repr(name) for name in names)}"
        f"{'' if named_by_integers else f' or a position in 0..{count - 1}'}, got {shown(channel)}"
    )


def _place(channel: Any, names: list[Hashable]) -> int | None:
    """Position of a channel that is called so, or, where names are not integers, is there."""
    plain = np.isscalar(channel) or isinstance(channel, tuple)
    if not plain or isinstance(channel, (bool, np.bool_, np.timedelta64)):
        return None
    if channel in names:
        return names.index(channel)
    by_position = isinstance(channel, Integral) and not any(isinstance(name, int) for name in names)
    return int(channel) if by_position and -len(names) <= channel < len(names) else None

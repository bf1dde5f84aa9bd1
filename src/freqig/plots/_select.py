"""One sample, and one channel, of a result."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from freqig._check import check_count


def one_sample(result: xr.Dataset, sample: int) -> xr.Dataset:
    """Check a result that is to be drawn, and take one sample of it.

    Parameters
    ----------
    result : xarray.Dataset
        With ``rfft`` over ``frequency`` and ``signal`` over ``time``, both with coordinates.
    sample : int
        Position of the sample, from the end where negative. A result whose dimension ``sample``
        is gone is itself the only one.

    Returns
    -------
    xarray.Dataset
        `result` without the dimension ``sample``.

    Raises
    ------
    TypeError, ValueError
        As `freqig.plots.spectrum`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from freqig.plots._select import one_sample
    >>> result = xr.Dataset(
    ...     {"rfft": (("sample", "frequency"), [[1.0]]), "signal": (("sample", "time"), [[2.0]])},
    ...     coords={"frequency": [0.0], "time": [0.0]},
    ... )
    >>> dict(one_sample(result, -1).sizes)
    {'frequency': 1, 'time': 1}
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"result must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    for name, dim in (("rfft", "frequency"), ("signal", "time")):
        if name not in result.data_vars or dim not in result[name].dims:
            raise ValueError(
                f"result must have a variable {name!r} with the dimension {dim!r}, got the "
                f"variables {', '.join(repr(found) for found in result.data_vars)}; explain with "
                "the domain freqig.RFFT(), and draw the result before bands are summed"
            )
        if dim not in result[name].coords:
            raise ValueError(f"result.{name} must have a coordinate {dim!r}, got none")
    if "target" in result["rfft"].dims:
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
    return result.isel(sample=int(sample)) if "sample" in result.dims else result


def one_channel(one: xr.Dataset, channel: Hashable) -> xr.Dataset:
    """Take one channel of one sample.

    Parameters
    ----------
    one : xarray.Dataset
        One sample, as `one_sample` returns it.
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
        raise ValueError(f"channel must be None for a result without channels, got {channel!r}")
    count = one.sizes["channel"]
    names = one["channel"].values.tolist() if "channel" in one.coords else list(range(count))
    if channel in names:
        return one.isel(channel=names.index(channel))
    named_by_integers = any(isinstance(name, int) for name in names)
    if isinstance(channel, int | np.integer) and not named_by_integers and -count <= channel < count:
        return one.isel(channel=int(channel))
    raise ValueError(
        f"channel must be one of {', '.join(repr(name) for name in names)}"
        f"{'' if named_by_integers else f' or a position in 0..{count - 1}'}, got {channel!r}"
    )

"""What those find in a result who do something with it: attributions, and the sampling rate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from .._check import object_in, shown
from ..signals.rates import rate_of_times

_UNMARKED = (
    ", which has lost its attrs['kind']: arithmetic of xarray drops attributes unless keep_attrs=True, and "
    "result[name].copy(data=...) keeps them"
)


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
    known = names_of_attributions(result)
    if not isinstance(name, str) or name not in known:
        lost = isinstance(name, str) and name in result.data_vars and "kind" not in result[name].attrs
        raise ValueError(
            f"name must be a variable of attributions, which are {', '.join(map(repr, known)) or 'none'} "
            f"here, got {shown(name)}{_UNMARKED if lost else ''}"
        )
    return result[name]


def names_of_attributions(result: xr.Dataset) -> list[str]:
    """Names of the variables of attributions.

    Examples
    --------
    >>> names_of_attributions(xr.Dataset({"rfft": ((), 1.0, {"kind": "attribution"}), "output": 1.0}))
    ['rfft']
    """
    return [str(key) for key, own in result.data_vars.items() if own.attrs.get("kind") == "attribution"]


def dim_of(variable: xr.DataArray, kind: str) -> str | None:
    """The dimension of a kind, such as "frequency", "band" or "time", also that of a domain; None for none.

    Examples
    --------
    >>> dim_of(xr.DataArray([[1.0]], dims=("sample", "stft_frequency")), "frequency")
    'stft_frequency'
    """
    return next((str(dim) for dim in variable.dims if str(dim).rpartition("_")[2] == kind), None)


def with_one(result: xr.Dataset, name: str) -> xr.Dataset:
    """A result without all attributions but those of one name.

    Examples
    --------
    >>> kind = {"kind": "attribution"}
    >>> list(with_one(xr.Dataset({"rfft": ((), 1.0, kind), "waveform": ((), 1.0, kind)}), "rfft"))
    ['rfft']
    """
    return result.drop_vars([other for other in names_of_attributions(result) if other != name])


def rate_of(labelled: xr.Dataset | xr.DataArray) -> float | None:
    """Sampling rate in Hz, as attributes or a time axis in s tell it; None where neither does.

    Examples
    --------
    >>> rate_of(xr.DataArray([0.0, 1.0], {"time": ("time", [0.0, 0.1], {"units": "s"})}))
    10.0
    """
    if "fs" in labelled.attrs:
        return float(labelled.attrs["fs"])
    time = labelled.coords.get("time")
    if time is None or time.attrs.get("units") != "s" or time.size < 2:
        return None
    return rate_of_times(time.values, "s", "time")[0]


COMPARED = ("log_prob", "probability", "margin")
"""Scales of outputs that compare classes."""


def of_classes(result: xr.Dataset) -> bool:
    """Whether outputs of the model are classes, as far as is known, and not horizons of a forecast.

    They are where they have names, where the true ones are known, and where what was explained was the
    predicted class or compares classes. Of a result without settings nothing speaks against it.

    Examples
    --------
    >>> of_classes(xr.Dataset(attrs={"settings": '{"output": "logit", "target": "given"}'}))
    False
    >>> of_classes(xr.Dataset(attrs={"settings": '{"output": "margin", "target": "given"}'}))
    True
    """
    told = result.attrs.get("settings")
    if told is None or "truth" in result.coords:
        return True
    settings = json.loads(told)
    named = any(result[key].dtype.kind in "UO" for key in ("target", "predicted", "class") if key in result)
    return named or settings.get("target") == "predicted" or settings.get("output") in COMPARED


def one_target(variable: xr.DataArray) -> None:
    """ValueError where there are attributions of several targets."""
    if "target" in variable.dims:
        raise ValueError(
            f"result must hold one target, got {variable.sizes['target']}; select one, for example "
            "result.isel(target=0)"
        )


def same_unit(one: xr.DataArray, other: xr.DataArray) -> bool:
    """Whether attributions are of one scale, also where only one side knows that its outputs are classes.

    Examples
    --------
    >>> logit, output = (xr.DataArray(0.0, attrs={"units": own}) for own in ("logit", "output"))
    >>> same_unit(logit, output), same_unit(logit, xr.DataArray(0.0))
    (True, False)
    """
    units = {own.attrs.get("units") for own in (one, other)}
    return len(units) == 1 or units == {"logit", "output"}


def of_predicted(result: xr.Dataset, name: str) -> xr.Dataset:
    """Of results with every class, that of the predicted class of each sample.

    Parameters
    ----------
    result : xarray.Dataset
        With a dimension ``sample``; given back as it is where it has one target per sample.
    name : str
        A variable of attributions.

    Raises
    ------
    ValueError
        If there are several targets, and predicted classes are not known, or not among them.

    Examples
    --------
    >>> rfft = ("sample", "target"), [[1.0, 2.0], [3.0, 4.0]]
    >>> coords = {"target": ["W", "N2"], "predicted": ("sample", ["N2", "W"])}
    >>> of_predicted(xr.Dataset({"rfft": rfft}, coords), "rfft").rfft.values.tolist()
    [2.0, 3.0]
    """
    if "target" not in result[name].dims:
        return result
    if "predicted" not in result.coords:
        raise ValueError(
            "result must have one target per sample, or the predicted class of each, got "
            f"{result.sizes['target']} targets and no coordinate 'predicted'; select one, for example "
            "result.isel(target=0)"
        )
    known, wanted = result["target"].values.tolist(), result["predicted"].values.tolist()
    if lost := [one for one in dict.fromkeys(wanted) if one not in known]:
        raise ValueError(
            f"result must hold every class that is predicted, got {', '.join(map(repr, known))} as its "
            f"targets and none for {', '.join(map(repr, lost))}; select one target, for example "
            "result.isel(target=0)"
        )
    places = xr.DataArray([known.index(one) for one in wanted], dims="sample")
    own = result.drop_vars(
        [
            key
            for key, variable in result.data_vars.items()
            if "target" in variable.dims and "sample" not in variable.dims
        ]
    )
    return own.isel(target=places)


def settings_of(result: xr.Dataset) -> Mapping[str, Any]:
    """What an `Explainer` was asked for, as the result tells it.

    Raises
    ------
    TypeError, ValueError
        If this is no Dataset, or holds no settings.

    Examples
    --------
    >>> settings_of(xr.Dataset(attrs={"settings": '{"fs": 100.0}'}))
    {'fs': 100.0}
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"result must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    if "settings" not in result.attrs:
        raise ValueError(
            "result must hold attrs['settings'], as freqig.Explainer returns it, got none: operations of "
            "xarray drop attributes unless keep_attrs=True"
        )
    try:
        return object_in(result.attrs["settings"])
    except ValueError as error:
        raise ValueError(
            "result must hold attrs['settings'] as freqig.Explainer wrote it, which is JSON, got "
            f"{shown(result.attrs['settings'])}"
        ) from error


def rows_by_length(result: xr.Dataset) -> list[tuple[int, list[int]]]:
    """Lengths of the series of a result, each with the samples that have it.

    Parameters
    ----------
    result : xarray.Dataset
        With dimensions ``sample`` and ``time``; series that end before the longest have their length in the
        coordinate ``n_times``.

    Examples
    --------
    >>> signal = ("sample", "time"), np.zeros((3, 8))
    >>> rows_by_length(xr.Dataset({"signal": signal}, {"n_times": ("sample", [8, 5, 8])}))
    [(5, [1]), (8, [0, 2])]
    >>> rows_by_length(xr.Dataset({"signal": signal}))
    [(8, [0, 1, 2])]
    """
    count, longest = result.sizes["sample"], result.sizes["time"]
    lengths = result["n_times"].values if "n_times" in result.coords else np.full(count, longest)
    return [(int(n), np.flatnonzero(lengths == n).tolist()) for n in np.unique(lengths)]

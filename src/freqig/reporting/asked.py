"""What `freqig.report` is given, checked, and made into the material of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from .._check import check_integer, check_names, check_seed, shown
from ..baselines.reading import check_baseline
from ..exports.electrodes import find_mne, info_of
from ..result.reading import (
    names_of_attributions,
    of_classes,
    of_predicted,
    rate_of,
    settings_of,
)
from ..result.samples import of_samples
from .lines import envelopes_apart
from .material import Material
from .words.decisions import of_one_output

STAGES = {"W", "WAKE", "N1", "N2", "N3", "R", "REM", "S1", "S2", "S3", "S4"}
FAST = 1000.0
"""Sampling rate in Hz above which bands are octaves: up to here it is EEG."""


def checked(result: Any, called: str) -> xr.Dataset:
    """A result of samples, each with one target.

    Parameters
    ----------
    result : xarray.Dataset
        As the caller gave it.
    called : str
        Name of the parameter.

    Raises
    ------
    TypeError, ValueError
        If it is no result, or holds no samples or no attributions.

    Examples
    --------
    >>> one = xr.Dataset({"rfft": ("frequency", [1.0, 2.0], {"kind": "attribution"}), "output": 1.0})
    >>> dict(checked(one, "result").sizes)
    {'sample': 1, 'frequency': 2}
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"{called} must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    names = names_of_attributions(result)
    if not names or "output" not in result:
        held = ", ".join(map(repr, result.data_vars)) or "none"
        raise ValueError(
            f"{called} must hold attributions and the variable 'output', as freqig.Explainer returns it, got "
            f"the variables {held}; arithmetic of xarray drops attributes unless keep_attrs=True"
        )
    if "settings" in result.attrs:
        _ = settings_of(result)
    if "n_samples" in result:
        of = ", ".join(map(str, result["n_samples"].dims)) or "all"
        raise ValueError(f"{called} must be of samples, got means of {of}: pass what they are of")
    result = of_samples(result, called)
    if of_one_output(result):
        # The largest of one output is no class.
        result = result.drop_vars(["predicted", "target", "class", "outputs"], errors="ignore")
    if "target" in result.dims and result.sizes["target"] == 1:
        result = result.isel(target=0)
    found = envelopes_apart(of_predicted(result, names[0]))
    return found if of_classes(found) else found.drop_vars("predicted", errors="ignore")


def material_of(
    result: Any,
    *,
    other: Any,
    names: Any,
    bands: Any,
    samples: Any,
    info: Any,
    evaluation: Any,
    baseline: Any,
    command: Any,
    seed: Any,
) -> Material:
    """The material of a page, from the arguments of `freqig.report`.

    Raises
    ------
    TypeError, ValueError
        If one of them is wrong.
    """
    whole = checked(result, "result")
    _refuse_info(whole, info)
    check_baseline(baseline)
    made = Material(
        whole,
        _bands(whole, bands),
        None if other is None else checked(other, "other"),
        _names(names),
        _samples(samples, whole.sizes["sample"]),
        info,
        baseline,
        evaluation,
        _text(command, "command"),
        check_seed(seed, "seed"),
    )
    # Wrong edges are told here, and not by a section that happens to use them.
    _ = made.named_bands
    return made


def _bands(result: xr.Dataset, bands: Any) -> Any:
    """Bands that were asked for; else those that suit frequencies in Hz."""
    if bands is not None:
        return bands
    hertz = [name for name in result.coords if str(name).rpartition("_")[2] == "frequency"]
    if not any(result[name].attrs.get("units") == "Hz" for name in hertz):
        return None
    classes = {str(one).upper() for one in result["class"].values} if "class" in result.coords else set()
    if classes and classes <= STAGES:
        return "sleep"
    told = settings_of(result).get("fs") if "settings" in result.attrs else None
    fs = told or rate_of(result) or 2 * max(float(result[name].max()) for name in hertz)
    return "eeg" if fs <= FAST else "octave"


def _refuse_info(result: xr.Dataset, info: Any) -> None:
    """TypeError or ValueError where it is no Info, or one of other channels."""
    over_channels = [one for one in result.data_vars.values() if "channel" in one.dims]
    if info is not None:
        info_of(find_mne("info="), (over_channels or [xr.DataArray([], dims="channel")])[0], 1.0, info)


def _names(names: Any) -> tuple[str, ...]:
    read = check_names(names, "names")
    if read is None or len(read) != 2:
        raise TypeError(f"names must be two, of the result and of the other, got {shown(names)}")
    return read


def _samples(samples: Any, count: int) -> tuple[int, ...]:
    if isinstance(samples, str) or not isinstance(samples, Sequence):
        raise TypeError(f"samples must be a sequence of positions, such as (0, 5), got {shown(samples)}")
    found = []
    for one in samples:
        position = check_integer(one, "samples")
        if not -count <= position < count:
            raise ValueError(
                f"samples must be in {-count}..{count - 1} (the result has {count}), got {position}"
            )
        found.append(position % count)
    return tuple(dict.fromkeys(found))


def _text(value: Any, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {shown(value)}")
    return value

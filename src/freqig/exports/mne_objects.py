"""Attributions and parts of signals as objects of MNE."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from .._keywords import says_what_is_meant
from ..groupings import class_names, in_order
from ..result.reading import attributions_of, dim_of, one_target, rate_of
from ..signals.units import factor
from .electrodes import find_mne, info_of


@says_what_is_meant
def to_mne(result: xr.Dataset | xr.DataArray, name: str = "rfft", *, info: Any = None) -> Any:
    """Attributions as a spectrum or a time-frequency map of MNE, or a part of a signal as its Epochs.

    Attributions are signed: draw them without decibels, ``spectrum.plot(dB=False)``, and with a
    colour map that is symmetric about zero. Their unit is that of the explained output, whatever
    unit MNE writes.

    Parameters
    ----------
    result : xarray.Dataset or xarray.DataArray
        An explanation of one target, as `freqig.Explainer` returns it; or signals over sample, channel
        and time, as `freqig.resynthesize` returns them.
    name : str, default "rfft"
        Variable of attributions over frequency, or over frequency and time.
    info : mne.Info, optional
        Names, kinds and positions of the channels, such as those of the recording that was explained.
        Of kinds that MNE has no spectra of, such as EOG, attributions are called EEG. Default: EEG,
        with positions of the 10-05 system where every name is known there.

    Returns
    -------
    mne.time_frequency.EpochsSpectrumArray
        Of a variable over frequency.
    mne.time_frequency.EpochsTFRArray
        Of a variable over frequency and time.
    mne.EpochsArray
        Of signals, in V where their unit is one of voltage, else as they are.
        One epoch per sample; events are the true classes where they are known, else the explained ones.

    Raises
    ------
    ImportError
        If MNE is not installed.
    TypeError, ValueError
        If `result` is neither, holds several targets, or is not over a frequency in Hz; if the
        sampling rate is not known; if `info` has other channels.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(128, 1))
    >>> result = freqig.Explainer(model, fs=64)(np.random.default_rng(0).normal(size=(3, 2, 64)), target=0)
    >>> spectrum = freqig.to_mne(result.assign_coords(channel=["O1", "Oz"]))
    >>> spectrum.get_data().shape, spectrum.ch_names
    ((3, 2, 33), ['O1', 'Oz'])
    """
    mne = find_mne("to_mne")
    if isinstance(result, xr.DataArray):
        signals = _over(result, "result", ("sample", "channel", "time"))
        by = factor(str(result.attrs["units"]), "V") if "units" in result.attrs else None
        about = info_of(
            mne,
            signals,
            _rate(result),
            info,
            "eeg" if by is not None or "units" not in result.attrs else "misc",
        )
        events, codes = _events(result)
        values = signals.values.astype(np.float64) * (1.0 if by is None else by)
        tmin = float(signals["time"].values[0]) if "time" in signals.coords else 0.0
        return mne.EpochsArray(
            values, about, events, tmin, event_id=codes, proj=False, baseline=None, verbose="error"
        )
    variable = attributions_of(result, name)
    one_target(variable)
    axes = {kind: dim_of(variable, kind) for kind in ("frequency", "time")}
    frequency, time = axes["frequency"], axes["time"]
    if (
        frequency is None
        or frequency not in variable.coords
        or variable[frequency].attrs.get("units") != "Hz"
    ):
        raise ValueError(
            f"result.{name} must be over a frequency in Hz, got the dimensions "
            f"{', '.join(map(repr, variable.dims))}: explain with freqig.RFFT() or freqig.STFT(), pass fs= "
            "to Explainer, and export before bands are summed"
        )
    inner = (frequency,) if time is None else (frequency, time)
    ordered = _over(variable, f"result.{name}", ("sample", "channel", *inner))
    about = info_of(mne, ordered, _rate(result), info, spectra=True)
    events, codes = _events(result)
    data, at = ordered.values.astype(np.float64), variable[frequency].values.astype(np.float64)
    spectra = mne.time_frequency
    if time is None:
        return spectra.EpochsSpectrumArray(data, about, at, events, event_id=codes, verbose="error")
    times = variable[time].values.astype(np.float64)
    return spectra.EpochsTFRArray(
        about, data, times, at, events=events, event_id=codes, comment=f"attribution, {name}", method="freqig"
    )


def _over(variable: xr.DataArray, what: str, dims: tuple[str, ...]) -> xr.DataArray:
    """A variable over these dimensions and no others; one channel and one sample are added."""
    spare = [dim for dim in variable.dims if dim not in dims and variable.sizes[dim] == 1]
    kept = variable.squeeze(spare, drop=True)
    for dim in ("channel", "sample"):
        if dim not in kept.dims:
            kept = kept.expand_dims(dim)
    if set(kept.dims) != set(dims):
        raise ValueError(
            f"{what} must be over {', '.join(map(repr, dims))}, which MNE knows, got the dimensions "
            f"{', '.join(map(repr, variable.dims))}: select or sum over the others"
        )
    return kept.transpose(*dims)


def _rate(labelled: xr.Dataset | xr.DataArray) -> float:
    fs = rate_of(labelled)
    if fs is None:
        raise ValueError("result must be of a known sampling rate, got none: pass fs= to Explainer")
    return fs


def _events(result: xr.Dataset | xr.DataArray) -> tuple[np.ndarray, dict[str, int]]:
    """Events of MNE, one per sample, and names of their codes."""
    count = result.sizes.get("sample", 1)
    label = next((key for key in ("truth", "label", "target") if key in result.coords), None)
    classes = np.full(count, "sample") if label is None else np.atleast_1d(result[label].values)
    if classes.ndim > 1 or classes.size not in (1, count):
        classes = np.full(count, "sample")
    text = [str(one) for one in np.broadcast_to(classes, (count,)).tolist()]
    codes = {one: code for code, one in enumerate(in_order(text, class_names(result)), start=1)}
    rows = [[place, 0, codes[one]] for place, one in enumerate(text)]
    return np.array(rows, dtype=np.int64).reshape(-1, 3), codes

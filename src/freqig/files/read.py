"""`read`: a file as a DataArray (sample, channel, time), with everything that it says of itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .._check import LARGEST_COUNT, check_fs, check_path, check_text
from .._keywords import says_what_is_meant
from ..errors import SignalWarning, warn
from ..signals.axes import times
from ..signals.rates import CLOSE
from ..signals.recordings import told_spans
from ..signals.units import factor, unit_of_all
from .asked import Reading
from .formats import Reader, reader_of
from .labels import read_annotations
from .mne_files import of_raw
from .recording import Annotation, RatesError, Recording, UnclearRateError
from .windows import Windows


@says_what_is_meant
def read(
    path: str | os.PathLike[str],
    *,
    fs: float | None = None,
    channels: Sequence[str] | None = None,
    unit: str | None = None,
    window: float | None = None,
    step: float | None = None,
    resample: float | None = None,
    annotations: Any = None,
) -> xr.DataArray:
    """Read a recording.

    Parameters
    ----------
    path : path
        A file of EDF, EDF+, BDF, GDF, FIF, BrainVision, EEGLAB, WAV, FLAC, OGG, MP3, AIFF, CSV, TSV, Parquet,
        NPY, NPZ, MAT, netCDF, Zarr, miniSEED, SAC or WFDB. What a file is, its name says, else its content.
    fs : float, optional
        Sampling rate in Hz, for files that do not say it, or whose times do not say in which unit they are.
    channels : sequence of str, optional
        Names of the channels to read, in this order; numbers from 0, as text, where they have no names.
        Default all that are signals.
    unit : str, optional
        Unit of the values, such as "uV", for files that do not say it.
    window, step : float, optional
        Length of windows in s, and from one to the next, by default the length. Without them the recording is
        one sample. Windows cross no gap, whose time counts in `onset` where the file tells it, and those that
        touch a span marked bad are left out.
    resample : float, optional
        Sampling rate in Hz to bring the signals to, with a low-pass in front (scipy's polyphase filter); also
        those of channels that have several rates.
    annotations : path or sequence, optional
        Labels in place of those in the file: a text file with one per line, or a sequence, one per window,
        counted with those that are left out or without; or a table, of a file or of pandas, or a sequence of
        onset, duration (in s) and label. A window has the label that covers most of it.

    Returns
    -------
    xarray.DataArray
        Dimensions (sample, channel, time), attributes `fs` and `units`; along `sample` coordinates
        `onset` in s, `file`, and `label` where there are labels, and those that netCDF or Zarr has of its
        samples. `attrs["n_bad"]` counts windows that were left out, `attrs["n_rest"]` points in time that
        filled none.

    Raises
    ------
    ValueError
        If the file is damaged, contradicts an argument, lacks what is asked for, or leaves no window.
    FileNotFoundError
        If there is no such file.
    ImportError
        If the library that reads it is missing; the error names the extra to install.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "noise.npy"
    >>> np.save(path, np.random.default_rng(0).normal(size=(2, 1000)))
    >>> signal = read(path, fs=100, window=2.5)
    >>> signal.dims, signal.shape, signal.onset.values.tolist()
    (('sample', 'channel', 'time'), (4, 2, 250), [0.0, 2.5, 5.0, 7.5])
    """
    given = check_path(path, "path")
    if not given.exists():
        raise FileNotFoundError(f"path must be that of a file, but there is none at {str(given)!r}")
    if not given.is_file() and not given.is_dir():
        raise ValueError(f"path must be that of a file, but {str(given)!r} is a pipe or a device")
    if given.is_file() and given.stat().st_size == 0:
        raise ValueError(f"{given.name} must hold a recording, got an empty file")
    reading = Reading(fs, channels, window, step, resample)
    load = reader_of(given)
    try:
        found = load(given, reading.channels)
    except RatesError as error:
        if reading.resample is None:
            raise
        found = _brought_together(load, given, error.rates, reading.resample)
    except UnclearRateError as error:
        found = error.at(reading.fs)
    # Beside resample, fs may be meant for afterwards: it then tells what the file does not, and no more.
    given_fs = reading.fs if resample is None or found.fs is None else None
    found = _told(found, given_fs, unit, given.name)
    return _cut(found, given.name, reading, annotations)


def cut_raw(
    raw: Any,
    *,
    channels: Sequence[str] | None = None,
    window: float | None = None,
    step: float | None = None,
    resample: float | None = None,
    annotations: Any = None,
) -> xr.DataArray:
    """The same of a Raw of MNE, whose annotations label its windows, or leave them out where they are bad."""
    names = [Path(one).name for one in getattr(raw, "filenames", ()) if one is not None]
    reading = Reading(None, channels, window, step, resample)
    return _cut(of_raw(raw, reading.channels, "x"), names[0] if names else "Raw", reading, annotations)


def _cut(found: Recording, name: str, reading: Reading, annotations: Any) -> xr.DataArray:
    window, step = reading.window, reading.step
    # In s, before another rate counts other samples.
    found = replace(found, annotations=found.notes, spans=())
    if reading.resample is not None:
        found = _resampled(found, reading.resample, name)
    beside = () if annotations is None else read_annotations(annotations)
    spans = tuple(one for one in beside if isinstance(one, Annotation))
    found = replace(found, annotations=spans) if spans else found
    if found.is_cut:
        if window is not None:
            raise ValueError(f"window must be omitted for {name}, which holds series that are cut already")
        windows, values = (
            Windows(np.zeros(len(found.values), dtype=np.int64), found.values.shape[-1]),
            found.values,
        )
        labels = list(found.labels)
    else:
        if window is not None and found.fs is None:
            raise ValueError(f"fs must be given with window, for {name} does not say it")
        windows = Windows.of(found, window, step, name)
        values, labels = windows.cut(found.values), windows.labels(found)
    if beside and not spans:
        labels = windows.given([str(one) for one in beside], name)
    bad = [one for one in found.annotations if one.is_bad]
    if bad and window is None:
        told = told_spans([one.label for one in bad], sum(one.duration for one in bad))
        warn(f"{name}: {told} are read with the rest; to leave them out, pass window=", SignalWarning)
    if windows.n_bad:
        warn(
            f"{name}: {windows.n_bad} of {windows.n_bad + len(values)} windows touch spans marked bad, "
            "and are left out",
            SignalWarning,
        )
    return _labelled(found, windows, values, labels, name)


def _told(recording: Recording, fs: float | None, unit: str | None, name: str) -> Recording:
    """With the rate and unit that the caller gave, where they do not contradict the file."""
    if 0 in recording.values.shape:
        raise ValueError(f"{name} must hold values, got none, of shape {recording.values.shape}")
    if recording.fs is not None:
        try:
            check_fs(recording.fs)
        except (TypeError, ValueError) as error:
            if fs is None:
                raise ValueError(f"{name} must tell a sampling rate, or pass it as fs=: {error}") from None
            recording = replace(recording, fs=None)
    if fs is not None:
        if recording.fs is not None and abs(fs - recording.fs) > CLOSE * fs:
            raise ValueError(
                f"fs must be that of {name}, which says {recording.fs:g} Hz, got {fs:g}: omit it, or pass "
                f"resample= for another rate{_other_unit_of_time(fs / recording.fs)}"
            )
        recording = replace(recording, fs=fs)
    if unit is not None:
        unit = check_text(unit, "unit")
        if recording.unit is not None and factor(unit, recording.unit) != 1:
            raise ValueError(
                f"unit must be that of {name}, which is read in {recording.unit!r}, got {unit!r}: omit it; "
                "what the model takes is unit= of Explainer"
            )
        recording = replace(recording, unit=unit)
    return recording


def _resampled(recording: Recording, fs: float, name: str) -> Recording:
    if recording.fs is None:
        raise ValueError(f"fs must be given with resample, for {name} does not say it")
    if recording.breaks:
        raise ValueError(
            f"resample must be omitted for {name}, which has gaps: resample each stretch by itself"
        )
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise ImportError("resample needs the library scipy: pip install scipy", name=error.name) from error

    ratio = Fraction(fs / recording.fs).limit_denominator(10_000)
    if abs(float(ratio) * recording.fs - fs) > CLOSE * fs:
        raise ValueError(
            f"resample must be a simple multiple of {recording.fs:g} Hz, the rate of {name}, got {fs:g}"
        )
    values = np.asarray(recording.values, dtype=np.float64)
    if ratio * values.shape[-1] > LARGEST_COUNT:
        raise ValueError(f"resample must leave at most {LARGEST_COUNT} samples of {name}, got {fs:g} Hz")
    values = resample_poly(values, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
    return replace(recording, values=values, fs=fs)


def _brought_together(load: Reader, path: Path, rates: Mapping[str, float], fs: float) -> Recording:
    """Channels of several rates at one, over the time that all of them have."""
    names, rows = tuple(rates), dict[str, np.ndarray]()
    parts = list[Recording]()
    for rate in dict.fromkeys(rates.values()):
        same = tuple(name for name in names if rates[name] == rate)
        parts.append(part := _resampled(load(path, same), fs, path.name))
        rows.update(zip(same, part.values, strict=True))
    n = min(len(row) for row in rows.values())
    unit = unit_of_all(part.unit for part in parts)
    return replace(parts[-1], values=np.stack([rows[name][:n] for name in names]), channels=names, unit=unit)


def _labelled(
    recording: Recording, windows: Windows, values: np.ndarray, labels: list[str], name: str
) -> xr.DataArray:
    at, unit_of_time = times(values.shape[-1], recording.fs)
    coords: dict[str, Any] = {"time": ("time", at, {"units": unit_of_time})}
    if recording.channels is not None:
        coords["channel"] = ("channel", list(recording.channels))
    coords["file"] = ("sample", np.full(len(values), name))
    if not recording.is_cut and recording.fs is not None:
        coords["onset"] = ("sample", recording.seconds(windows.starts), {"units": "s"})
    for key, along in recording.coords.items():
        coords[key] = "sample", along, {"units": "s"} if key == "onset" else {}
    if any(labels):
        coords["label"] = ("sample", np.array(labels))
    attrs: dict[str, Any] = {"n_bad": windows.n_bad, "n_rest": windows.n_rest}
    if recording.fs is not None:
        attrs["fs"] = recording.fs
    if recording.unit is not None:
        attrs["units"] = recording.unit
    return xr.DataArray(values, coords, ("sample", "channel", "time"), name="signal", attrs=attrs)


def _other_unit_of_time(ratio: float) -> str:
    """What may be wrong where rates differ by a thousand, or a million: times in another unit than s."""
    units = {1e3: "ms", 1e6: "us", 1e9: "ns"}
    unit = next((unit for scale, unit in units.items() if abs(ratio / scale - 1) < CLOSE), None)
    return f"; where its times are in {unit}, name their column 'time ({unit})'" if unit else ""

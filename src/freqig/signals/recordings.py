"""Recordings of MNE: which channels are signals, in which unit, and what is no time series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from .._check import check_fs
from ..errors import SignalWarning, warn
from .arrays import as_tensor
from .signal import Signal
from .units import unit_of_all

NO_SIGNAL = ("stim", "exci", "ias", "syst")
"""Kinds of channels that hold triggers and states of the device."""
VOLTS = ("eeg", "seeg", "ecog", "dbs", "eog", "ecg", "emg", "bio")
UNITS = {**dict.fromkeys(VOLTS, "V"), "mag": "T", "ref_meg": "T", "grad": "T/m", "gsr": "S"}
VOLTS_AT_MOST = 1.0
"""Peak to peak that no electrode on a body reaches: such a signal was scaled, and is not in volts."""
REFUSED = {
    "BaseSpectrum": "pass the Raw or Epochs that the spectrum was computed from",
    "BaseTFR": "pass the Raw or Epochs that the time-frequency transform was computed from",
    "_BaseSourceEstimate": "pass its values as one sample, stc.data[None], and fs=1 / stc.tstep",
    "Annotations": "pass the Raw that the annotations belong to",
    "ICA": "pass the Raw or Epochs to explain, and the decomposition as a domain, freqig.ICA(ica)",
    "Info": "pass the Raw or Epochs to explain",
}
"""Classes of MNE that are no time series, by the names of their bases, and what to pass instead."""

LONGEST_WINDOW = 30.0
"""Seconds of the longest window in common use, an epoch of sleep: beyond that a Raw is rarely one sample."""


def is_recording(x: Any) -> bool:
    """Whether this is an object of MNE, or reads like its Raw and Epochs."""
    return any(base.__module__.partition(".")[0] == "mne" for base in type(x).__mro__) or (
        hasattr(x, "get_data") and hasattr(x, "info") and hasattr(x, "ch_names")
    )


def read_recording(x: Any, name: str, cut: bool = False) -> Signal:
    """Signals of Raw, Epochs and Evoked objects, with rate, names and unit.

    Channels of triggers and channels marked bad are left out, which one warning says; so is what
    is marked bad in time, but this stays in.

    Parameters
    ----------
    x : mne.io.Raw, mne.Epochs or mne.Evoked
        A Raw and an Evoked are one sample.
    name : str
        Name of the parameter in errors.
    cut : bool
        Whether it will be cut into windows, so that there is nothing to say of its length and of spans.

    Returns
    -------
    Signal
        Dimensions (channel, time) or (sample, channel, time).

    Raises
    ------
    TypeError
        If it is another object of MNE.
    ValueError
        If no channel is left.
    """
    bases = {base.__name__ for base in type(x).__mro__}
    kind = type(x).__name__
    for base, remedy in REFUSED.items():
        if base in bases:
            raise TypeError(f"{name} must be a time series, got MNE's {kind}: {remedy}")
    if not (hasattr(x, "get_data") and hasattr(x, "info") and hasattr(x, "ch_names")):
        raise TypeError(f"{name} must be a Raw, Epochs or Evoked of MNE, or an array, got MNE's {kind}")
    kept, kinds, said = _channels(x, name)
    if not cut:
        said += _bad_spans(x)
        if name.startswith(("x", "input")):
            _refuse_long(x, name)
    if said:
        warn(f"{name}: {'; '.join(said)}", SignalWarning)
    picked = len(kept) < len(x.ch_names)
    values = np.asarray(x.get_data(picks=kept) if picked else x.get_data())
    units = [UNITS.get(one) for one in kinds]
    coords, classes = _of_events(x, len(values)) if values.ndim == 3 else ({}, None)
    scaled = "V" in units and values.size > 0 and np.median(np.ptp(values, -1)) > VOLTS_AT_MOST
    return Signal(
        as_tensor(values, name),
        check_fs(float(x.info["sfreq"])),
        tuple(str(x.ch_names[i]) for i in kept),
        ("channel", "time") if values.ndim == 2 else ("sample", "channel", "time"),
        coords=coords,
        unit=None if scaled else unit_of_all(units),
        classes=classes,
        start=float(x.tmin) if values.ndim == 3 else 0.0,
    )


def _of_events(x: Any, count: int) -> tuple[dict[str, np.ndarray], tuple[str, ...] | None]:
    """Labels and onsets of Epochs, one per sample, and the names of their events in the order of codes."""
    events, names = getattr(x, "events", None), dict(getattr(x, "event_id", None) or {})
    if events is None or len(events) != count:
        return {}, None
    coords = {}
    # Epochs that were made of an array have numbers for events, and no place in a recording.
    if type(x).__name__ != "EpochsArray":
        coords["onset"] = events[:, 0] / float(x.info["sfreq"]) + float(x.tmin)
    # Of epochs of a fixed length there is one event, called by its number, which says nothing.
    is_bare = len(names) < 2 and all(name == str(code) for name, code in names.items())
    if is_bare or len(set(names.values())) < len(names):
        return coords, None
    by_code = {code: str(name) for name, code in sorted(names.items(), key=lambda item: item[1])}
    coords["label"] = np.array([by_code.get(code, "") for code in events[:, 2].tolist()])
    # One class of several was selected, where there is but one.
    return coords, tuple(by_code.values()) if len(by_code) > 1 else None


def _channels(x: Any, name: str) -> tuple[list[int], list[str], list[str]]:
    """Places and kinds of the channels to read, and what to say about the others."""
    bads = set(x.info.get("bads", ()))
    kinds = list(x.get_channel_types()) if hasattr(x, "get_channel_types") else [""] * len(x.ch_names)
    left, kept = [], []
    for i, (channel, kind) in enumerate(zip(x.ch_names, kinds, strict=True)):
        if channel in bads:
            left.append(f"{channel} (marked bad)")
        elif kind in NO_SIGNAL:
            left.append(f"{channel} ({kind})")
        else:
            kept.append(i)
    if not kept:
        raise ValueError(
            f"{name} must have a channel that is neither a trigger nor marked bad, got {', '.join(left)}: "
            "mend info['bads'] or the kinds of channels"
        )
    said = []
    if left:
        shown = ", ".join(left[:8]) + (f" and {len(left) - 8} more" if len(left) > 8 else "")
        said.append(
            f"{len(left)} of {len(kinds)} channels are left out, {shown}; to have other channels explained, "
            "pick or interpolate them beforehand"
        )
    return kept, [kinds[i] for i in kept], said


def _refuse_long(x: Any, name: str) -> None:
    """ValueError where a whole recording stands in place of the windows that models read."""
    seconds = len(x.times) / float(x.info["sfreq"]) if is_raw(x) else 0.0
    if seconds > LONGEST_WINDOW:
        raise ValueError(
            f"{name} must be cut into windows, got a Raw of {seconds:.4g} s: pass window= to the call of an "
            "Explainer, the length in s of those that the model takes, or epochs, "
            "mne.make_fixed_length_epochs(raw, duration); for a model of any length raw.get_data()[None] as "
            "one sample, and fs="
        )


def is_raw(x: Any) -> bool:
    """Whether this is a Raw of MNE."""
    return "BaseRaw" in {base.__name__ for base in type(x).__mro__}


def _bad_spans(x: Any) -> list[str]:
    # Epochs were cut with them in view; a Raw, and what was averaged, was not.
    if not is_raw(x):
        return []
    spans = [one for one in x.annotations if str(one["description"]).lower().startswith("bad")]
    if not spans:
        return []
    labels, seconds = [str(one["description"]) for one in spans], sum(float(one["duration"]) for one in spans)
    said = (
        f"{told_spans(labels, seconds)} are explained with the rest; to leave them out, cut epochs without "
        "them, mne.make_fixed_length_epochs(raw, duration)"
    )
    return [said]


def told_spans(labels: Iterable[str], seconds: float) -> str:
    """What warnings call spans that are marked bad.

    Examples
    --------
    >>> told_spans(["BAD_move", "bad", "bad"], 4.5)
    'spans marked bad (1 × BAD_move, 2 × bad, 4.5 s in all)'
    """
    kinds = ", ".join(f"{count} × {label}" for label, count in Counter(labels).items())
    return f"spans marked bad ({kinds}, {seconds:.3g} s in all)"

"""FIF, BrainVision, EEGLAB and GDF, read by MNE."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from ..signals.recordings import read_recording
from .formats import pick
from .recording import Annotation, Recording

BREAK = "edge boundary"


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """Signals of a raw recording; channels of triggers and bad ones are left out, with a word."""
    import mne

    with warnings.catch_warnings():
        # What MNE has to say of names, filters and scaling is not about what is read here.
        warnings.simplefilter("ignore")
        try:
            raw = _read_raw(mne, path, channels)
        except Exception as error:
            # MNE raises as the damage has it.
            said = (" ".join(str(error).split()) or type(error).__name__)[:300]
            raise ValueError(f"{path.name} must be a recording, which MNE cannot read: {said}") from error
    return of_raw(raw, channels, path.name)


def of_raw(raw: Any, channels: tuple[str, ...] | None, name: str) -> Recording:
    """A Raw of MNE as a recording."""
    signal = read_recording(raw, name, cut=True)
    names = signal.channels or ()
    values = signal.values.numpy()
    places = pick(names, channels, len(names), name)
    first = float(raw.first_time)
    notes = [
        Annotation(float(one["onset"]) - first, float(one["duration"]), str(one["description"]))
        for one in raw.annotations
    ]
    breaks = {round(one.onset * raw.info["sfreq"]) for one in notes if one.label.lower() == BREAK}
    return Recording(
        values[places],
        signal.fs,
        tuple(names[i] for i in places),
        signal.unit,
        tuple(one for one in notes if one.label.lower() != BREAK),
        tuple(sorted(breaks)),
    )


def _read_raw(mne: Any, path: Path, channels: tuple[str, ...] | None) -> Any:
    if path.suffix.lower() in (".edf", ".bdf"):
        read = mne.io.read_raw_edf if path.suffix.lower() == ".edf" else mne.io.read_raw_bdf
        # Latin 1 reads every byte, and the standard wants ASCII.
        return read(path, include=list(channels) if channels else None, encoding="latin1", verbose="error")
    return mne.io.read_raw(path, verbose="error")

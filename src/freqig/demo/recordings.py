"""EEG of people who look at a flickering light, read from files.

Four people look at lights that flicker at 13, 17 or 21 Hz while eight electrodes over the visual
cortex record. The brain answers at the flicker frequency f and at 2f, so it is known beforehand
which frequencies ought to drive a classifier, and an explanation can be held against that.

The recordings are those of `CITATION`; they are in the public domain (`LICENCE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import Float, Int

CITATION = (
    "Kalunga, Chevallier and Barthélemy (2016), Online SSVEP-based BCI using Riemannian geometry, "
    "Neurocomputing 191, 55-68"
)
LICENCE = "CC0 1.0"
ORIGIN = "https://github.com/sylvchev/dataset-ssvep-exoskeleton"
FOLDER = "ssvep_exo"

FLICKER_HZ = (13.0, 17.0, 21.0)
"""Flicker frequency of each class in Hz. Trials at rest are not used."""

N_RECORDINGS = 9
HELD_OUT = (2, 4, 6, 9)
"""Recordings that no network is trained on, counted from 1 in the order of names: one per person."""

TRIAL_SECONDS = 5.0
# Slow drift and mains (50 Hz) would otherwise dominate the scale of a window. Alpha waves, next
# to 13 Hz, stay in: telling them from the flicker is the network's business.
BAND_HZ = (5.0, 45.0)
MIN_FS = 120.0
"""Sampling rate in Hz down to which recordings are thinned: those at 256 Hz to 128 Hz."""

_FLICKER_OF_EVENT = {2: 13.0, 4: 17.0, 3: 21.0}


@dataclass(frozen=True)
class Recording:
    """The flicker trials of one recording.

    Parameters
    ----------
    name : str
        File name without ``_raw.fif``.
    trials : numpy.ndarray
        Shape (n_trials, channel, time), float64, in volts: the five seconds after each flicker
        event, band-passed to `BAND_HZ`.
    labels : numpy.ndarray
        Shape (n_trials,), int64: position of the flicker in `FLICKER_HZ`.
    fs : float
        Sampling rate in Hz.
    channels : tuple of str
        Names of the channels, sorted.

    Examples
    --------
    >>> import numpy as np
    >>> from freqig.demo.recordings import Recording
    >>> Recording("subject03", np.zeros((1, 2, 640)), np.array([2]), 128.0, ("O1", "Oz")).fs
    128.0
    """

    name: str
    trials: Float[np.ndarray, "trial channel time"]
    labels: Int[np.ndarray, " trial"]
    fs: float
    channels: tuple[str, ...]


def read_recordings(path: str | Path) -> list[Recording]:
    """Read every recording of a folder, band-passed and cut into trials.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of files ``NAME_raw.fif``, each with its events in ``NAME-eve.fif``; or a folder
        in which such a one is called ``ssvep_exo``.

    Returns
    -------
    list of Recording
        In the order of names, all with the same channels in the same order.

    Raises
    ------
    ImportError
        If MNE, which reads the files, is not installed.
    FileNotFoundError
        If there is no such folder, or a recording has no file of events.
    ValueError
        If the folder holds no recording; if one cannot be read, has no complete flicker trial,
        no EEG channel, values that are not finite, or too low a sampling rate; or if channels or
        sampling rate differ between recordings.

    Examples
    --------
    >>> from freqig.demo.recordings import read_recordings
    >>> read_recordings("nowhere")
    Traceback (most recent call last):
        ...
    FileNotFoundError: path must be a folder of '*_raw.fif' files, got 'nowhere', which is none: ...
    """
    folder = Path(path)
    remedy = f"the recordings are at {ORIGIN}"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"path must be a folder of '*_raw.fif' files, got {str(path)!r}, which is none: {remedy}"
        )
    files = sorted(folder.glob("*_raw.fif")) or sorted((folder / FOLDER).glob("*_raw.fif"))
    if not files:
        raise ValueError(
            f"path must hold '*_raw.fif' files, itself or in a folder {FOLDER!r}, got none in "
            f"{str(path)!r}: {remedy}"
        )
    recordings = [_read_recording(file) for file in files]
    first = recordings[0]
    for other in recordings[1:]:
        if (other.channels, other.fs) != (first.channels, first.fs):
            raise ValueError(
                "path must hold recordings of the same channels and sampling rate, got "
                f"{', '.join(other.channels)} at {other.fs:g} Hz in {other.name!r} and "
                f"{', '.join(first.channels)} at {first.fs:g} Hz in {first.name!r}: leave one out"
            )
    return recordings


def split_recordings(recordings: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Part recordings into those to train on and those held out.

    Parameters
    ----------
    recordings : sequence of Recording
        All nine, in the order of names.

    Returns
    -------
    training, held_out : list of Recording
        The first has five recordings; the second those that `HELD_OUT` counts.

    Raises
    ------
    ValueError
        If there are not nine recordings, so that `HELD_OUT` would mean others.

    Examples
    --------
    >>> import numpy as np
    >>> from freqig.demo.recordings import Recording, split_recordings
    >>> one = np.zeros((1, 1, 640)), np.array([0]), 128.0, ("Oz",)
    >>> training, held_out = split_recordings([Recording(str(i), *one) for i in range(1, 10)])
    >>> [recording.name for recording in held_out]
    ['2', '4', '6', '9']
    """
    if len(recordings) != N_RECORDINGS:
        raise ValueError(
            f"recordings must be the {N_RECORDINGS} for which it is fixed which are held out, got "
            f"{len(recordings)}: {[recording.name for recording in recordings]}; have exactly those of "
            f"four people in the folder, as {ORIGIN} has them (subjects 3, 7, 8 and 12)"
        )
    training = [recording for i, recording in enumerate(recordings, start=1) if i not in HELD_OUT]
    return training, [recordings[i - 1] for i in HELD_OUT]


def _read_recording(file: Path) -> Recording:
    name = file.name.removesuffix("_raw.fif")
    raw, events = _read_files(file, file.with_name(f"{name}-eve.fif"))
    first = raw.first_samp
    rate = float(raw.info["sfreq"])
    if rate < MIN_FS:
        raise ValueError(
            f"path must hold recordings at {MIN_FS:g} Hz or more, got {rate:g} Hz in {file.name!r}: "
            "leave it out"
        )
    # Their order differs from file to file.
    kinds = zip(raw.ch_names, raw.get_channel_types(), strict=True)
    channels = tuple(sorted(channel for channel, kind in kinds if kind == "eeg"))
    if not channels:
        raise ValueError(
            f"path must hold recordings with EEG channels, got none in {file.name!r}: leave it out"
        )
    raw.filter(*BAND_HZ, h_trans_bandwidth=4.0, verbose="ERROR")
    # Nothing is left above 49 Hz, so samples can be dropped without aliasing.
    keep = int(rate // MIN_FS)
    signal, fs = raw.get_data(picks=list(channels))[:, ::keep], rate / keep
    if not np.isfinite(signal).all():
        raise ValueError(f"path must hold finite signals, got NaN or infinity in {file.name!r}: leave it out")
    length = round(TRIAL_SECONDS * fs)
    trials, labels = [], []
    for start, code in zip((events[:, 0] - first) // keep, events[:, 2].tolist(), strict=True):
        if code in _FLICKER_OF_EVENT and 0 <= start <= signal.shape[1] - length:
            trials.append(signal[:, start : start + length])
            labels.append(FLICKER_HZ.index(_FLICKER_OF_EVENT[code]))
    if not trials:
        raise ValueError(
            f"path must hold recordings with events {sorted(_FLICKER_OF_EVENT)}, each followed by "
            f"{TRIAL_SECONDS:g} s of signal, got events {sorted(set(events[:, 2].tolist()))} and "
            f"{signal.shape[1] / fs:g} s in {file.name!r}: leave it out"
        )
    return Recording(name, np.stack(trials), np.array(labels, dtype=np.int64), fs, channels)


def _read_files(file: Path, event_file: Path) -> tuple[Any, np.ndarray]:
    try:
        import mne
    except ImportError as error:
        raise ImportError(
            "recordings are read by MNE, which is missing: pip install 'freqig[eeg]'"
        ) from error
    if not event_file.is_file():
        raise FileNotFoundError(
            f"path must hold the events of {file.name!r}, got no {event_file.name!r} beside it: they are "
            f"at {ORIGIN}"
        )
    reading = file
    try:
        raw = mne.io.read_raw_fif(file, preload=True, verbose="ERROR")
        reading = event_file
        events = mne.read_events(event_file, verbose="ERROR")
    # MNE meets an empty file with an AttributeError, and other broken ones with a ValueError.
    except (AttributeError, OSError, ValueError) as error:
        raise ValueError(
            f"path must hold files that MNE can read, got {reading.name!r}: {error}; copy "
            f"it anew from {ORIGIN}"
        ) from error
    return raw, np.asarray(events)

"""EEG of people who look at a flickering light: the truth is the frequency of the light, and its double.

Recordings are those of `freqig demo ssvep`. The network learns from five of them; windows of four others,
one of each person, are explained.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import xarray as xr

from freqig.demo.flicker import Windows, cut_windows
from freqig.demo.recordings import CITATION, FLICKER_HZ, FOLDER, read_recordings, split_recordings
from freqig.synth.problem import Truth, bins, labelled

DATA = Path(os.environ.get("FREQIG_DATA") or Path(__file__).parents[3] / "shared" / "data")


def missing() -> str:
    """Why there are no recordings, "" where there are."""
    if not any(DATA.glob(f"{FOLDER}/*_raw.fif")):
        return "FREQIG_DATA names no folder with the recordings of `freqig demo ssvep`"
    return "" if find_spec("mne") else "recordings are read by MNE, which is not installed"


def held_out(n: int, seed: int) -> xr.Dataset:
    """Windows of recordings that no network has seen, n or all of them, in random order."""
    return _drawn(1, n, seed)


def to_learn_from(n: int, seed: int) -> xr.Dataset:
    """Windows of the other recordings, n or all of them, in random order."""
    return _drawn(0, n, seed)


def _drawn(part: int, n: int, seed: int) -> xr.Dataset:
    windows, fs = _halves()
    chosen = np.random.default_rng(seed).permutation(len(windows[part].labels))[:n]
    label = windows[part].labels[chosen]
    signal = windows[part].signals[chosen]
    length = signal.shape[-1]
    lines = np.stack([bins(np.array([f, 2 * f]), length, fs) for f in FLICKER_HZ])
    truth = Truth(
        ("sample", "frequency"), lines[label], "whether it is the frequency of the light, or its double"
    )
    return labelled(
        signal,
        label,
        {"truth_line": truth},
        fs=fs,
        problem="flicker",
        source=CITATION,
        classes=[f"{f:g} Hz" for f in FLICKER_HZ],
        seed=seed,
        parameters={},
    )


@cache
def _halves() -> tuple[tuple[Windows, Windows], float]:
    """Windows to learn from and windows held out, and their sampling rate."""
    recordings = read_recordings(DATA)
    learnt, others = split_recordings(recordings)
    return (cut_windows(learnt), cut_windows(others)), recordings[0].fs

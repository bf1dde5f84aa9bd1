"""Kinds of sound, and structs of EEGLAB, under names that say no more of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from freqig import read

from ..helpers import noise

FS = 250.0


@pytest.mark.parametrize("outside", [True, False])
def test_structs_of_eeglab_in_a_mat_file(outside: bool, tmp_path: Path) -> None:
    """Names of channels lie in a struct for each, and epochs on the last axis."""
    epochs, names = noise(3, 2, 40), np.zeros(2, dtype=[("labels", object), ("X", object)])
    names["labels"] = ["Fz", "Cz"]
    events = np.zeros(2, dtype=[("labels", object)])
    events["labels"] = ["left", "right"]
    about = {"srate": FS, "nbchan": 2, "pnts": 40, "trials": 3, "chanlocs": names, "events": events}
    eeg = {"data": np.moveaxis(epochs, 0, -1), **about}
    scipy.io.savemat(tmp_path / "x.mat", {"EEG": eeg} if outside else eeg)
    found = read(tmp_path / "x.mat")
    assert (found.attrs["fs"], found.channel.values.tolist()) == (FS, ["Fz", "Cz"])
    np.testing.assert_array_equal(found, epochs)


@pytest.mark.parametrize("suffix", ["mp3", "opus", "oga", "aifc", "au", "w64"])
def test_sound_by_other_names(suffix: str, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    kind = {"opus": "OGG", "oga": "OGG", "aifc": "AIFF"}.get(suffix, suffix.upper())
    if kind not in soundfile.available_formats():
        pytest.skip(f"libsndfile has no {kind} here")
    soundfile.write(
        tmp_path / f"x.{suffix}", tone, 16_000, format=kind, subtype="OPUS" if suffix == "opus" else None
    )
    found = read(tmp_path / f"x.{suffix}")
    assert (found.attrs["fs"], found.shape) == (16_000, (1, 1, 16_000))
    # Some codecs shift what they code by a part of a period, and keep the pitch.
    assert np.abs(np.fft.rfft(found.values[0, 0])).argmax() == 440

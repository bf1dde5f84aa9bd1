"""Sound: what is written can be read, whole or not at all, and only where it can be heard."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import freqig

soundfile = pytest.importorskip("soundfile")

FS = 8000.0


@pytest.fixture
def sounds() -> xr.DataArray:
    t = np.arange(400) / FS
    tones = np.stack([[np.sin(2 * np.pi * f * t), 0.25 * np.cos(2 * np.pi * f * t)] for f in (200, 440)])
    return xr.DataArray(
        tones,
        dims=("sample", "channel", "time"),
        coords={"time": ("time", t, {"units": "s"}), "channel": ["left", "right"]},
    )


def test_what_is_written_can_be_read(sounds: xr.DataArray, tmp_path: Path) -> None:
    path = freqig.to_wav(sounds, tmp_path / "tone.wav", sample=1)
    values, fs = soundfile.read(path)
    assert fs == FS
    # A step of 16 bits.
    np.testing.assert_allclose(values, sounds[1].T, atol=2**-15)
    assert [one.name for one in tmp_path.iterdir()] == ["tone.wav"]
    alone, _ = soundfile.read(freqig.to_wav(sounds, tmp_path / "one.wav", sample=-1, channel="right"))
    np.testing.assert_allclose(alone, sounds[1, 1], atol=2**-15)
    again, _ = soundfile.read(freqig.to_wav(sounds[0, :1], tmp_path / "two.WAV"))
    np.testing.assert_allclose(again, sounds[0, 0], atol=2**-15)


def test_large_values_are_scaled_to_fit_and_small_ones_are_not(sounds: xr.DataArray, tmp_path: Path) -> None:
    loud, _ = soundfile.read(freqig.to_wav(50 * sounds, tmp_path / "loud.wav", sample=0))
    np.testing.assert_allclose(loud, sounds[0].T / float(np.abs(sounds[0]).max()), atol=2**-14)
    soft, _ = soundfile.read(freqig.to_wav(sounds / 50, tmp_path / "soft.wav", sample=0))
    assert np.abs(soft).max() == pytest.approx(0.02, abs=1e-3)


def test_volts_fill_the_range_and_silence_stays(sounds: xr.DataArray, tmp_path: Path) -> None:
    """Volts of EEG are some 1e-4, of which 16 bits would leave three."""
    volts = (1e-4 * sounds).assign_attrs(units="V")
    heard, _ = soundfile.read(freqig.to_wav(volts, tmp_path / "eeg.wav", sample=0))
    np.testing.assert_allclose(heard, sounds[0].T / float(np.abs(sounds[0]).max()), atol=2**-14)
    silent, _ = soundfile.read(freqig.to_wav(0 * volts, tmp_path / "silent.wav", sample=0))
    assert not silent.any()


def test_files_are_replaced_only_when_told(sounds: xr.DataArray, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="pass overwrite=True to replace it"):
        freqig.to_wav(sounds, path, sample=0)
    assert path.read_bytes() == b"mine"
    freqig.to_wav(sounds, path, sample=0, overwrite=True)
    assert soundfile.info(path).frames == 400


def test_nothing_is_left_of_what_cannot_be_written(
    sounds: xr.DataArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: str, *others: object, **named: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(soundfile, "write", fails)
    with pytest.raises(OSError, match="disk full"):
        freqig.to_wav(sounds, tmp_path / "tone.wav", sample=0)
    assert list(tmp_path.iterdir()) == []


def test_the_mask_of_new_files_is_never_changed(
    sounds: xr.DataArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For a moment files of other threads would be open to everybody.
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail(f"umask({mask})"))
    path = freqig.to_wav(sounds, tmp_path / "tone.wav", sample=0)
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_cannot_be_heard_says_how_fast(sounds: xr.DataArray, tmp_path: Path) -> None:
    eeg = xr.DataArray(np.zeros(100), dims="time", attrs={"fs": 250.0})
    with pytest.raises(ValueError, match="got 250 Hz at a speed of 1: pass speed=16 or more"):
        freqig.to_wav(eeg, tmp_path / "eeg.wav")
    assert soundfile.info(freqig.to_wav(eeg, tmp_path / "eeg.wav", speed=16)).samplerate == 4000
    with pytest.raises(ValueError, match="part must be of a known sampling rate, got none"):
        freqig.to_wav(sounds.drop_vars("time"), tmp_path / "none.wav", sample=0)


def test_choices_that_are_missing_or_wrong(sounds: xr.DataArray, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with pytest.raises(ValueError, match="sample must be given where part holds several, got 2"):
        freqig.to_wav(sounds, path)
    with pytest.raises(ValueError, match=r"sample must be in -2..1 \(part has 2\), got 2"):
        freqig.to_wav(sounds, path, sample=2)
    with pytest.raises(
        ValueError, match=r"channel must be one of 'left', 'right', or a position in 0..1, got 'top'"
    ):
        freqig.to_wav(sounds, path, sample=0, channel="top")
    with pytest.raises(ValueError, match=r"path must end in .wav"):
        freqig.to_wav(sounds, tmp_path / "tone.mp3", sample=0)
    with pytest.raises(ValueError, match="part must be over time"):
        freqig.to_wav(sounds.isel(time=0), path, sample=0)
    with pytest.raises(ValueError, match="part must be finite"):
        freqig.to_wav(sounds.where(sounds > 0), path, sample=0)
    with pytest.raises(ValueError, match="speed must be finite and above 0"):
        freqig.to_wav(sounds, path, sample=0, speed=0)
    assert list(tmp_path.iterdir()) == []

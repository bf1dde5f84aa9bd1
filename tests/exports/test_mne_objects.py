"""Objects of MNE: values stay what they were, signed, with names, positions, rates and events."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig.errors import EmptyExplanationWarning
from freqig.exports.electrodes import info_of

mne = pytest.importorskip("mne")

FS, N = 64.0, 96
NAMES = ["O1", "Oz", "Fp1"]


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    rng = np.random.default_rng(0)
    signal = xr.DataArray(
        rng.normal(size=(4, 3, N)),
        dims=("sample", "channel", "time"),
        coords={"channel": NAMES, "truth": ("sample", ["open", "closed", "open", "open"])},
        attrs={"units": "uV"},
    )
    weights = torch.tensor(rng.normal(size=(3 * N, 2)))
    explainer = freqig.Explainer(
        lambda x: x.flatten(1) @ weights,
        fs=FS,
        domains=[freqig.RFFT(), freqig.STFT(0.5)],
        dtype=torch.float64,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        return explainer(signal, target=1)


def test_a_spectrum_is_signed_and_labelled(result: xr.Dataset) -> None:
    spectrum = freqig.to_mne(result)
    assert isinstance(spectrum, mne.time_frequency.EpochsSpectrumArray)
    np.testing.assert_array_equal(spectrum.get_data(), result.rfft)
    assert spectrum.get_data().min() < 0
    np.testing.assert_array_equal(spectrum.freqs, result.frequency)
    assert spectrum.ch_names == NAMES
    assert spectrum.info["sfreq"] == FS
    assert spectrum.event_id == {"closed": 1, "open": 2}
    assert spectrum.events[:, 2].tolist() == [2, 1, 2, 2]
    np.testing.assert_array_equal(spectrum["closed"].get_data(), result.rfft[[1]])
    # Oz lies in the middle, at the back.
    places = spectrum.info.get_montage().get_positions()["ch_pos"]
    assert abs(places["Oz"][0]) < 0.01
    assert places["Oz"][1] < -0.08 < places["Fp1"][1]


def test_a_map_over_time_keeps_its_frames(result: xr.Dataset) -> None:
    tfr = freqig.to_mne(result, "stft")
    assert isinstance(tfr, mne.time_frequency.EpochsTFRArray)
    np.testing.assert_array_equal(tfr.get_data(), result.stft)
    np.testing.assert_allclose(tfr.times, result.stft_time)
    np.testing.assert_array_equal(tfr.freqs, result.stft_frequency)


def test_they_can_be_drawn_by_mne(result: xr.Dataset) -> None:
    from matplotlib import pyplot as plt

    spectrum = freqig.to_mne(result)
    figure = spectrum.average().plot_topomap(bands={"alpha": (8, 12)}, dB=False, show=False)
    assert figure.axes
    plt.close("all")


def test_parts_are_epochs_in_volts(result: xr.Dataset) -> None:
    part = freqig.resynthesize(result, result.rfft == result.rfft)
    epochs = freqig.to_mne(part)
    np.testing.assert_allclose(epochs.get_data(), 1e-6 * result.signal)
    assert epochs.info["sfreq"] == FS
    assert epochs.get_channel_types() == ["eeg"] * 3
    # It is what Explainer takes.
    assert freqig.Explainer(torch.nn.Flatten(), unit="uV", output=lambda y, t: y.sum(-1))(
        epochs
    ).signal.shape == (
        4,
        3,
        N,
    )


def test_other_units_and_layouts_stay(result: xr.Dataset) -> None:
    part = freqig.resynthesize(result)
    swapped = part.transpose("sample", "time", "channel").assign_attrs(units="Pa")
    epochs = freqig.to_mne(swapped)
    np.testing.assert_allclose(epochs.get_data(), part)
    assert epochs.get_channel_types() == ["misc"] * 3


def test_an_info_tells_kinds_and_places(result: xr.Dataset) -> None:
    info = mne.create_info(["Fp1", "Oz", "EMG", "O1"], 512.0, ["eog", "eeg", "emg", "eeg"])
    spectrum = freqig.to_mne(result, info=info)
    assert spectrum.get_channel_types() == ["eeg", "eeg", "eeg"]
    part = freqig.resynthesize(result)
    assert freqig.to_mne(part, info=info).get_channel_types() == ["eeg", "eeg", "eog"]
    assert spectrum.info["sfreq"] == FS
    plain = result.drop_vars("channel")
    assert freqig.to_mne(plain).ch_names == ["0", "1", "2"]
    assert freqig.to_mne(plain, info=mne.create_info(list("abc"), FS, "eeg")).ch_names == ["a", "b", "c"]
    with pytest.raises(ValueError, match=r"info must have the channels of the result.*got none called Fp1"):
        freqig.to_mne(result, info=mne.create_info(["O1", "Oz"], FS, "eeg"))


def test_one_sample_and_no_channel(result: xr.Dataset) -> None:
    assert freqig.to_mne(result.isel(sample=1)).get_data().shape == (1, 3, N // 2 + 1)
    assert freqig.to_mne(result.sum("channel", keep_attrs=True)).get_data().shape == (4, 1, N // 2 + 1)
    mean = result[["rfft"]].mean("sample", keep_attrs=True)
    np.testing.assert_array_equal(
        freqig.to_mne(mean.assign_coords(time=result.time)).get_data()[0], mean.rfft
    )


def test_what_mne_does_not_know(result: xr.Dataset) -> None:
    with pytest.raises(
        ValueError, match=r"result.rfft must be over a frequency in Hz.*before bands are summed"
    ):
        freqig.to_mne(freqig.bands(result, "eeg"))
    several = result.drop_vars("target").expand_dims(target=[0, 1])
    with pytest.raises(ValueError, match="result must hold one target, got 2"):
        freqig.to_mne(several)
    with pytest.raises(ValueError, match="result must be of a known sampling rate"):
        freqig.to_mne(result.drop_vars("time"))
    wide = result.rename(channel="axis_1")
    with pytest.raises(ValueError, match=r"result.rfft must be over 'sample', 'channel', 'frequency'"):
        freqig.to_mne(wide)


def test_electrodes_are_known_by_names_as_files_write_them() -> None:
    names = ["Fc5.", "EEG Cz-REF", "o2"]
    values = xr.DataArray(np.zeros(3), {"channel": names}, dims="channel")
    as_written, plain = (
        info_of(mne, values.assign_coords(channel=own), 100.0).get_montage().get_positions()["ch_pos"]
        for own in (names, ["FC5", "Cz", "O2"])
    )
    assert list(as_written) == names
    np.testing.assert_allclose([*as_written.values()], [*plain.values()], atol=1e-9)
    assert plain["FC5"][0] < 0 < plain["O2"][0]
    bipolar = values.assign_coords(channel=["EEG Fpz-Cz", "Cz", "Pz"])
    assert info_of(mne, bipolar, 100.0).get_montage() is None

"""Recordings of MNE: rate, names, unit, and what of them is a signal."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

from freqig import Explainer, attribute, baselines
from freqig.errors import SignalWarning

from ..helpers import close, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

mne = pytest.importorskip("mne")

FS, N = 160.0, 80
NAMES = ["Fp1", "Cz", "Oz", "STI", "EOG"]
KINDS = ["eeg", "eeg", "eeg", "stim", "eog"]
# In volts, as MNE keeps signals.
VALUES = np.random.default_rng(5).normal(size=(4, 5, N)) * 20e-6


def info(names: list[str] = NAMES, kinds: list[str] = KINDS, bads: tuple[str, ...] = ()) -> Any:
    made = mne.create_info(names, FS, kinds)
    made["bads"] = list(bads)
    return made


def epochs(values: np.ndarray = VALUES, **kwargs: Any) -> Any:
    return mne.EpochsArray(values, info(**kwargs), verbose="error")


def eeg(values: np.ndarray = VALUES[:, :3]) -> Any:
    return epochs(values, names=NAMES[:3], kinds=KINDS[:3])


def raw(bads: tuple[str, ...] = ()) -> Any:
    return mne.io.RawArray(VALUES[0], info(bads=bads), verbose="error")


class Net(nn.Module):
    """Hears microvolts, and every channel in another way."""

    def __init__(self, channels: int, scale: float = 1e6) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, 4, 5, dtype=torch.float64)
        self.dense = nn.Linear(4, 2, dtype=torch.float64)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.dense((self.conv(x * self.scale) / 10).tanh().mean(-1))


def explainer(channels: int, **kwargs: Any) -> Explainer:
    return Explainer(seeded(Net, channels), n_steps=30, **kwargs)


def test_rate_names_and_unit_come_along() -> None:
    result = explainer(3)(eeg(), target=1)
    assert result.rfft.frequency.values[-1] == FS / 2
    assert result.channel.values.tolist() == NAMES[:3]
    assert result.signal.attrs["units"] == "V"
    close(result.rfft, explainer(3)(VALUES[:, :3], target=1).rfft.values, 0)


def test_a_rate_that_contradicts_the_recording_is_an_error() -> None:
    with pytest.raises(ValueError, match="x, which says that it is 160 Hz, got fs=128: omit fs"):
        explainer(3, fs=128)(eeg())
    assert explainer(3, fs=160.05)(eeg(), target=1).rfft.frequency.values[-1] == 160.05 / 2


def test_triggers_and_bad_channels_are_left_out_aloud() -> None:
    with pytest.warns(SignalWarning, match=r"x: 2 of 5 channels .* Cz \(marked bad\), STI \(stim\)"):
        result = explainer(3)(epochs(bads=("Cz",)), target=1)
    assert result.channel.values.tolist() == ["Fp1", "Oz", "EOG"]
    close(result.rfft, explainer(3)(VALUES[:, [0, 2, 4]], target=1).rfft.values, 0)
    with pytest.warns(SignalWarning, match="1 of 5 channels are left out, STI"):
        one = explainer(4)(raw(), target=1)
    close(one.rfft, explainer(4)(VALUES[:1, [0, 1, 2, 4]], target=1).rfft.values, 0)
    with pytest.raises(ValueError, match="x must have a channel that is neither a trigger nor marked bad"):
        explainer(3)(epochs(bads=("Fp1", "Cz", "Oz", "EOG")))


def test_bad_spans_of_a_recording_are_named() -> None:
    recording = raw().pick(["Fp1", "Cz", "Oz"])
    recording.set_annotations(mne.Annotations([0.1, 0.2, 0.3], [0.05, 0.1, 0.1], ["BAD_move", "bad", "N2"]))
    with pytest.warns(SignalWarning, match=r"spans marked bad \(1 × BAD_move, 1 × bad, 0\.15 s in all\)"):
        result = explainer(3)(recording, target=1)
    close(result.rfft, explainer(3)(VALUES[:1, :3], target=1).rfft.values, 0)


def long_raw(seconds: float, rate: float = 10.0) -> Any:
    values = np.random.default_rng(0).normal(size=(2, round(seconds * rate))) * 1e-6
    return mne.io.RawArray(values, mne.create_info(["Cz", "Oz"], rate, "eeg"), verbose="error")


def test_a_long_recording_must_be_cut() -> None:
    told = r"(x|input) must be cut into windows, got a Raw of 60 s: pass window= .*make_fixed_length_epochs"
    volume = lambda x: (x * 1e6).square().mean((-1, -2))
    with pytest.raises(ValueError, match=told):
        Explainer(volume, n_steps=2)(long_raw(60))
    with pytest.raises(ValueError, match=told):
        attribute(long_raw(60), volume, n_steps=2)
    two = lambda a, b: volume(a) + volume(b)
    with pytest.raises(ValueError, match=r"x\[1\] must be cut into windows, got a Raw of 45 s"):
        Explainer(two, n_steps=2)((long_raw(20), long_raw(45)))
    assert Explainer(volume, n_steps=2, unit="uV")(long_raw(60), window=20).sizes["sample"] == 3
    assert Explainer(volume, fs=10, n_steps=2)(long_raw(60).get_data()[None]).sizes["sample"] == 1


def test_no_word_on_recordings_that_are_a_window_or_are_cut() -> None:
    volume = lambda x: (x * 1e6).square().mean((-1, -2))
    cut = mne.make_fixed_length_epochs(long_raw(60), 15, preload=True, verbose="error")
    for x in (long_raw(30), cut):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Explainer(volume, n_steps=2)(x)


def test_an_average_is_one_sample() -> None:
    average = eeg().average()
    result = explainer(3)(average, target=1)
    close(result.rfft, explainer(3)(average.data[None], target=1).rfft.values, 0)
    assert result.sizes["sample"] == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: eeg().compute_psd(verbose="error"),
            "EpochsSpectrum: pass the Raw or Epochs that the spectrum",
        ),
        (lambda: eeg().average().compute_psd(verbose="error"), "Spectrum: pass the Raw or Epochs"),
        (
            lambda: eeg().compute_tfr("morlet", freqs=[30.0], n_cycles=2, verbose="error"),
            "EpochsTFR: pass the Raw or Epochs that the time-frequency transform",
        ),
        (
            lambda: mne.SourceEstimate(np.ones((2, 8)), [np.arange(1), np.arange(1)], 0, 0.01),
            r"SourceEstimate: pass its values as one sample, stc\.data\[None\], and fs=1 / stc\.tstep",
        ),
        (lambda: mne.Annotations([0.0], [1.0], ["a"]), "Annotations: pass the Raw"),
        (lambda: info(), "Info: pass the Raw or Epochs"),
        (lambda: [eeg(), eeg()], "a list with MNE's EpochsArray in it: join them"),
    ],
)
def test_what_is_no_time_series_is_refused_by_name(make: Any, message: str) -> None:
    for name, explain in (
        ("x", lambda wrong: explainer(3)(wrong)),
        ("baseline", lambda wrong: explainer(3)(eeg(), baseline=wrong)),
        ("samples", baselines.data),
    ):
        with pytest.raises(TypeError, match=f"{name} must be .*{message}"):
            explain(make())


def test_baselines_are_put_in_the_order_of_the_recording() -> None:
    other = np.random.default_rng(6).normal(size=(4, 3, N)) * 20e-6
    mixed = epochs(other[:, [2, 0, 1]], names=["Oz", "Fp1", "Cz"], kinds=["eeg"] * 3)
    expected = explainer(3)(VALUES[:, :3], baseline=other, target=1).rfft.values
    close(explainer(3)(eeg(), baseline=mixed, target=1).rfft, expected, 0)
    averaged = explainer(3)(VALUES[:, :3], baseline=baselines.data(other), target=1).rfft.values
    close(explainer(3)(eeg(), baseline=baselines.data(mixed), target=1).rfft, averaged, 1e-13)
    with pytest.raises(ValueError, match=r"baseline must have the labels .* but it lacks 'Oz'"):
        explainer(3)(eeg(), baseline=mixed.copy().drop_channels("Oz"))
    with pytest.raises(ValueError, match=r"baseline must have the sampling rate of x, 160 Hz, got 80 Hz"):
        explainer(3)(eeg(), baseline=mixed.copy().resample(80, verbose="error"))


def test_other_labels_and_units_meet_those_of_a_recording() -> None:
    other = np.random.default_rng(6).normal(size=(4, 3, N)) * 20e-6
    labelled = xr.DataArray(
        other[:, [2, 0, 1]] * 1e6,
        dims=("sample", "channel", "time"),
        coords={"channel": ["Oz", "Fp1", "Cz"], "time": np.arange(N) / FS},
        attrs={"units": "uV"},
    )
    expected = explainer(3)(VALUES[:, :3], baseline=other, target=1).rfft.values
    found = explainer(3)(eeg(), baseline=labelled.transpose("channel", "time", "sample"), target=1)
    close(found.rfft, expected, 1e-12)


@pytest.mark.parametrize(("other", "unit"), [("mag", "T and V"), ("misc", "V and an unknown unit")])
def test_channels_of_several_units_are_not_taken_for_one(other: str, unit: str) -> None:
    """Volts beside tesla were taken to be in the unit that was asked for, as they stood."""
    mixed = epochs(VALUES[:, :3], names=NAMES[:3], kinds=["eeg", other, "eeg"])
    with pytest.raises(ValueError, match=rf"which is in .*{unit}.*'uV'.*pick channels of one kind"):
        explainer(3, unit="uV")(mixed)
    found = explainer(3)(
        mixed, baseline=mixed.copy().reorder_channels([NAMES[i] for i in (2, 0, 1)]), target=0
    )
    np.testing.assert_array_equal(found.signal, VALUES[:, :3])
    np.testing.assert_array_equal(found.rfft, 0)


def test_volts_that_the_model_does_not_hear_are_named() -> None:
    deaf = Explainer(seeded(Net, 3, scale=1.0), n_steps=5)
    with pytest.warns(SignalWarning, match=r"x is in V, peak-to-peak .*\d µV\).*trained on microvolts.*1e6"):
        deaf(eeg(), target=1)


@pytest.mark.parametrize(
    "x",
    [
        VALUES[:, :3],
        torch.as_tensor(VALUES[:, :3]),
        eeg(VALUES[:, :3] * 1e6),
        mne.EvokedArray(np.zeros((3, N)), info(NAMES[:3], KINDS[:3]), verbose="error"),
    ],
    ids=["array", "tensor", "microvolts", "silence"],
)
def test_no_word_on_volts_where_nothing_says_them(x: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SignalWarning)
        result = Explainer(seeded(Net, 3, scale=1e-3), n_steps=5)(x, target=1)
    assert result.signal.attrs.get("units") in (None, "V")


def test_values_that_were_scaled_are_no_longer_in_volts() -> None:
    hears = Explainer(seeded(Net, 3, scale=1.0), n_steps=30)
    assert "units" not in hears(eeg(VALUES[:, :3] * 1e6), target=1).signal.attrs

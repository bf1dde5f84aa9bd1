"""Times before and after an event: those of Epochs, and of labelled arrays, stay to the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import freqig

from ..helpers import noise

FS, N, TMIN = 100.0, 150, -0.5
TIMES = TMIN + np.arange(N) / FS
DOMAINS = (
    freqig.RFFT(),
    freqig.Time(),
    freqig.STFT(0.5),
    freqig.FilterBank("eeg"),
    freqig.Segments(0.5),
    freqig.Wavelet(),
)


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * N, 2), torch.nn.Tanh()).double()


def epochs() -> Any:
    """Epochs from half a second before their events."""
    mne = pytest.importorskip("mne")
    info = mne.create_info(["Fz", "Cz"], FS, "eeg")
    raw = mne.io.RawArray(1e-6 * noise(2, 1000), info, verbose="error")
    events = np.array([[100, 0, 1], [300, 0, 2], [600, 0, 1]])
    return mne.Epochs(
        raw, events, {"left": 1, "right": 2}, TMIN, TMIN + (N - 1) / FS, baseline=None, verbose="error"
    )


def labelled() -> xr.DataArray:
    return xr.DataArray(
        noise(3, 2, N),
        dims=("sample", "channel", "time"),
        coords={"channel": ["Fz", "Cz"], "time": ("time", 1000 * TIMES, {"units": "ms"})},
        attrs={"units": "uV"},
    )


@pytest.mark.parametrize("made", [epochs, labelled])
def test_times_begin_where_the_signal_does(made: Any) -> None:
    x = made()
    explainer = freqig.Explainer(network(), unit="uV", n_steps=4, domains=DOMAINS)
    result = explainer(x, target=[0, 1, 0])
    plain = freqig.Explainer(network(), fs=FS, n_steps=4, domains=DOMAINS)
    from_zero = plain(result.signal.values, target=[0, 1, 0])
    np.testing.assert_allclose(result.time, TIMES, atol=1e-12)
    for name in ("stft_time", "segments_segment", "wavelet_time"):
        np.testing.assert_allclose(result[name], TMIN + from_zero[name], atol=1e-12)
    for name in ("stft_frequency", "wavelet_frequency", "segments_length"):
        np.testing.assert_array_equal(result[name], from_zero[name])
    for domain in DOMAINS:
        np.testing.assert_array_equal(result[domain.name], from_zero[domain.name])
        # It is known that nothing is missing: all of the coefficients make up the signal.
        part = freqig.resynthesize(result, result[domain.name].notnull(), explainer=explainer)
        by = 1e6 if part.attrs["units"] == "V" else 1.0
        np.testing.assert_allclose(part * by, result.signal, atol=1e-9)
        np.testing.assert_allclose(part.time, TIMES, atol=1e-12)
        np.testing.assert_allclose(part.part_output, result.output)
    again = explainer(part, target=0)
    np.testing.assert_allclose(again.stft_time, result.stft_time, atol=1e-12)


def test_times_go_to_mne() -> None:
    result = freqig.Explainer(network(), unit="uV", n_steps=4, domains=DOMAINS[:3])(epochs(), target=0)
    assert freqig.to_mne(freqig.resynthesize(result, "eeg")).tmin == TMIN
    assert freqig.to_mne(result, "stft").times[0] == TMIN


def test_windows_of_a_slid_signal_begin_with_it() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(100, 1)).double()
    explainer = freqig.Explainer(model, unit="uV", domains=freqig.Time())
    found = freqig.slide(explainer, epochs(), window=0.5, hop=0.25, target=0)
    np.testing.assert_allclose(found.time, TIMES, atol=1e-12)
    np.testing.assert_allclose(found.window, [-0.5, -0.25, 0, 0.25, 0.5])


def test_names_of_classes_that_came_with_the_signals_are_known_to_what_follows() -> None:
    explainer, x = freqig.Explainer(network(), unit="uV"), epochs()
    result = explainer(x, target="left")
    part = freqig.resynthesize(result, "eeg", explainer=explainer)
    np.testing.assert_allclose(part.whole_output, result.output)
    table = freqig.evaluate(result, network(), x, explainer=explainer, families="deletion", steps=2)
    assert np.isfinite(table.score.sel(metric="deletion_by_count")).all()


def test_batches_that_begin_at_other_times_are_no_one_result() -> None:
    x = labelled()
    later = x.assign_coords(time=("time", x.time.values + 100, {"units": "ms"}))
    with pytest.raises(
        ValueError, match="coordinate 'time', but one has other sampling rate, length or first"
    ):
        freqig.Explainer(network(), unit="uV", progress=False)(iter([x, later]), target=0)

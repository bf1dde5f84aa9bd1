"""Tables: every coefficient once, sums that stay, labels of the samples; peaks against brute force."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import freqig
from freqig.errors import EmptyExplanationWarning

FS, N = 32.0, 40


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    rng = np.random.default_rng(0)
    signal = xr.DataArray(
        rng.normal(size=(3, 2, N)),
        dims=("sample", "channel", "time"),
        coords={"channel": ["Fz", "Oz"], "file": ("sample", ["a.wav", "b.wav", "c.wav"])},
    )
    weights = torch.tensor(rng.normal(size=(2 * N, 2)))
    domains = [freqig.RFFT(), freqig.STFT(0.5), freqig.Wavelet(), freqig.FilterBank("eeg")]
    explainer = freqig.Explainer(
        lambda x: x.flatten(1) @ weights, fs=FS, domains=domains, dtype=torch.float64, classes=("no", "yes")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        return explainer(signal, target="all")


@pytest.mark.parametrize("name", ["rfft", "stft", "wavelet", "filterbank"])
def test_every_coefficient_is_a_row(result: xr.Dataset, name: str) -> None:
    table = freqig.to_dataframe(result, name)
    assert len(table) == int(np.isfinite(result[name]).sum())
    sums = table.groupby(["sample", "target"])["attribution"].sum().to_xarray()
    np.testing.assert_allclose(sums.sel(target=["no", "yes"]), result.output - result.baseline_output)
    chosen = table[(table["sample"] == 1) & (table["target"] == "yes")]
    assert set(chosen["file"]) == {"b.wav"}
    assert set(chosen["output"]) == {float(result.output.sel(target="yes")[1])}
    assert table.attrs["units"]["attribution"] == "logit"


def test_rows_stand_at_their_coordinates(result: xr.Dataset) -> None:
    for row in freqig.to_dataframe(result, "stft").sample(5, random_state=0).itertuples():
        one = result.stft.sel(
            target=row.target, channel=row.channel, stft_frequency=row.stft_frequency, stft_time=row.stft_time
        )
        assert float(one[row.sample]) == row.attribution


def test_bands_and_means_are_tables_too(result: xr.Dataset) -> None:
    table = freqig.to_dataframe(freqig.bands(result, {"low": (0, 8)}))
    assert table.columns[:5].tolist() == ["sample", "target", "channel", "band", "attribution"]
    mean = freqig.to_dataframe(result[["rfft"]].mean("sample", keep_attrs=True))
    assert "sample" not in mean.columns
    assert len(mean) == 2 * 2 * (N // 2 + 1)
    total = freqig.to_dataframe(result[["rfft"]].sum(keep_attrs=True))
    assert total["attribution"].tolist() == [pytest.approx(float(result.rfft.sum()))]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9), st.integers(1, 4))
def test_peaks_are_those_of_a_loop(values: list[int], n: int) -> None:
    rfft = xr.Variable("frequency", np.array(values, dtype=float), {"kind": "attribution"})
    table = freqig.peaks(xr.Dataset({"rfft": rfft}, {"frequency": np.arange(len(values))}), n)
    expected = []
    for i, v in enumerate(values):
        left = values[i - 1] if i else 0
        right = values[i + 1] if i + 1 < len(values) else 0
        sign = np.sign(v)
        if v and v * sign > left * sign and v * sign >= right * sign:
            expected.append((i, v))
    expected.sort(key=lambda peak: (-abs(peak[1]), peak[0]))
    assert list(zip(table["frequency"], table["attribution"], strict=True)) == expected[:n]
    total = sum(map(abs, values))
    assert table["share"].tolist() == pytest.approx([v / total for _, v in expected[:n]])


def test_peaks_of_each_sample_and_target_over_channels_and_times(result: xr.Dataset) -> None:
    table = freqig.peaks(result, 3, name="stft")
    assert table.columns.tolist() == [
        *("sample", "target", "channel", "stft_frequency", "stft_time", "attribution", "share")
    ]
    assert table.groupby(["sample", "target"]).size().tolist() == [3] * 6
    for (sample, target), rows in table.groupby(["sample", "target"]):
        one = np.abs(result.stft.sel(target=target)[sample])
        # The largest of all has no larger neighbour.
        assert rows["attribution"].abs().iloc[0] == float(one.max())
        assert rows["attribution"].abs().is_monotonic_decreasing


def test_levels_of_a_wavelet_are_no_neighbours(result: xr.Dataset) -> None:
    table = freqig.peaks(result.isel(sample=0, target=0), 1000, name="wavelet")
    values = result.wavelet[0, 0].values
    expected = sum(
        v != 0 and abs(v) > max(left * np.sign(v), 0) and abs(v) >= max(right * np.sign(v), 0)
        for row in values.reshape(-1, values.shape[-1])
        for left, v, right in zip(
            [0, *np.nan_to_num(row)[:-1]], np.nan_to_num(row), [*np.nan_to_num(row)[1:], 0], strict=True
        )
    )
    assert len(table) == expected


def test_errors_name_what_there_is(result: xr.Dataset) -> None:
    with pytest.raises(
        ValueError, match=r"name must be .* 'rfft', 'stft', 'wavelet', 'filterbank' here, got 'si"
    ):
        freqig.to_dataframe(result, "signal")
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        freqig.peaks(result, 0)
    with pytest.raises(TypeError):
        freqig.peaks(result.rfft)

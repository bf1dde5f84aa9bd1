"""Explanations of shap: base values and values add up to outputs, features and data are what they say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig.errors import EmptyExplanationWarning
from freqig.exports.shap_values import features_of

FS, N = 64.0, 128
BANDS = {"low": (1, 8), "high": (8, 20)}


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    rng = np.random.default_rng(0)
    signal = xr.DataArray(
        rng.normal(size=(5, 2, N)), dims=("sample", "channel", "time"), coords={"channel": ["Fz", "Oz"]}
    )
    weights = torch.tensor(rng.normal(size=(2 * N, 3)))
    explainer = freqig.Explainer(
        lambda x: torch.tanh(x.flatten(1) @ weights / 20) + 2,
        fs=FS,
        domains=[freqig.RFFT(), freqig.STFT(0.5), freqig.FilterBank(BANDS)],
        dtype=torch.float64,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        return explainer(signal, target="all")


@pytest.mark.parametrize("name", ["rfft", "stft", "filterbank"])
def test_values_add_up_to_the_output(result: xr.Dataset, name: str) -> None:
    found = features_of(result, BANDS, name)
    assert found["feature_names"] == ["Fz low", "Fz high", "Fz rest", "Oz low", "Oz high", "Oz rest"]
    assert found["output_names"] == ["0", "1", "2"]
    assert found["values"].shape == (5, 6, 3)
    gap = (result.completeness_gap + result.correction).values
    np.testing.assert_allclose(found["values"].sum(1) + found["base_values"], result.output + gap, atol=1e-9)


def test_values_are_band_sums_of_a_channel(result: xr.Dataset) -> None:
    found = features_of(result.isel(target=1), BANDS)
    f = result.frequency
    inside = result.rfft.sel(frequency=(f >= 8) & (f < 20), channel="Oz", target=1).sum("frequency")
    np.testing.assert_allclose(found["values"][:, found["feature_names"].index("Oz high")], inside)
    before = features_of(freqig.bands(result.isel(target=1), BANDS))
    np.testing.assert_array_equal(found["values"], before["values"])
    np.testing.assert_array_equal(found["data"], before["data"])


def test_data_are_amplitudes_in_the_bands() -> None:
    t = np.arange(N) / FS
    x = np.stack([3 * np.sin(2 * np.pi * 4 * t) + 1.5 * np.sin(2 * np.pi * 10 * t) + 7, np.ones(N)])[:, None]
    explainer = freqig.Explainer(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(N, 1)), fs=FS)
    found = features_of(explainer(x, target=0), BANDS)
    wanted = [[3 / np.sqrt(2), 1.5 / np.sqrt(2), 7], [0, 0, 1]]
    np.testing.assert_allclose(found["data"], wanted, atol=1e-6)


def test_series_that_end_early_have_amplitudes_of_their_own() -> None:
    t = np.arange(N) / FS
    tone = 3 * np.sin(2 * np.pi * 4 * t)[None]
    half = round(N / 2)
    explainer = freqig.Explainer(lambda x: x.square().mean((1, 2)), fs=FS)
    found = features_of(explainer([tone, tone[:, :half]]), BANDS)
    ends = [features_of(explainer(one[None]), BANDS)["data"][0] for one in (tone, tone[:, :half])]
    np.testing.assert_allclose(found["data"], ends, atol=1e-6)


def test_without_a_signal_data_are_unknown(result: xr.Dataset) -> None:
    assert np.isnan(features_of(result.drop_vars("signal"), BANDS)["data"]).all()
    with pytest.raises(ValueError, match="name must be a variable of attributions"):
        features_of(result, BANDS, "wavelet")


def test_shap_draws_them(result: xr.Dataset) -> None:
    shap = pytest.importorskip("shap", reason="shap brings numba and LLVM; it is an extra of its own")
    explanation = freqig.to_shap(result.isel(target=0), BANDS)
    assert isinstance(explanation, shap.Explanation)
    from matplotlib import pyplot as plt

    with warnings.catch_warnings():
        # Of its own, on newer libraries.
        warnings.simplefilter("ignore")
        shap.plots.beeswarm(explanation, show=False)
        plt.close("all")
        shap.plots.waterfall(explanation[0], show=False)
    plt.close("all")
    np.testing.assert_array_equal(
        explanation.values.sum(1) + explanation.base_values,
        features_of(result.isel(target=0), BANDS)["values"].sum(1) + result.baseline_output[:, 0].values,
    )


def test_a_missing_shap_names_its_extra(result: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ImportError, match=r"pip install 'freqig\[shap\]'"):
        freqig.to_shap(result, BANDS)

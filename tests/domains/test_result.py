"""Several domains in one result: variables, dimensions, coordinates, and refusal before the model runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from freqig import Explainer
from freqig.domains import ICA, RFFT, STFT, Components, Domain, FilterBank, Segments, Spatial, Time

from ..helpers import Smooth, noise

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

FS, N, CHANNELS = 16.0, 45, 3


def several() -> list[Domain]:
    mixing = noise(CHANNELS, 2, seed=5)
    return [
        Time(),
        RFFT(),
        STFT(window=1.0),
        Segments(1.0),
        FilterBank({"low": (0, 2)}),
        ICA(mixing),
        ICA(mixing) >> RFFT(),
        Spatial(noise(4, CHANNELS, seed=6), name="montage"),
        Components(lambda series: {"positive": np.maximum(series, 0)}),
    ]


def explain(domains: list[Domain], **settings: Any) -> xr.Dataset:
    explainer = Explainer(Smooth(N, CHANNELS), fs=FS, domains=domains, **settings)
    return explainer(noise(2, CHANNELS, N), target=1, baseline=0.1 * noise(2, CHANNELS, N, seed=1))


def test_one_variable_a_domain_with_dimensions_in_physical_units() -> None:
    result = explain(several(), n_steps=30)
    dims = {
        name: result[name].dims[1:]
        for name in result.data_vars
        if result[name].attrs.get("kind") == "attribution"
    }
    assert dims == {
        "waveform": ("channel", "time"),
        "rfft": ("channel", "frequency"),
        "stft": ("channel", "stft_frequency", "stft_time"),
        "segments": ("channel", "segments_segment", "segments_frequency"),
        "filterbank": ("channel", "filterbank_band", "time"),
        "ica": ("ica_component", "time"),
        "ica_rfft": ("ica_component", "frequency"),
        "montage": ("montage_row", "time"),
        "components": ("channel", "components_part", "time"),
    }
    units = {name: result[name].attrs.get("units") for name in result.coords}
    assert units["stft_frequency"] == units["segments_frequency"] == units["filterbank_high"] == "Hz"
    assert units["stft_time"] == units["segments_segment"] == units["segments_length"] == "s"
    assert result.filterbank.sel(filterbank_band="low").filterbank_high == 2
    assert result.segments_length.values.tolist() == [1, 1, 13 / 16]
    assert result.components_part.values.tolist() == ["positive", "residual"]


def test_every_variable_adds_up_to_the_same_difference() -> None:
    result = explain(several(), n_steps=30)
    difference = (result.output - result.baseline_output).values
    for name, variable in result.data_vars.items():
        if variable.attrs.get("kind") != "attribution":
            continue
        total = variable.sum(variable.dims[1:]).values
        # What the path's own quadrature leaves is the same for all.
        np.testing.assert_allclose(
            total, difference + result.completeness_gap.values, atol=1e-12, err_msg=name
        )


def test_the_domains_do_not_depend_on_each_other() -> None:
    together = explain(several(), n_steps=8, tol=100.0)
    for domain in several():
        alone = explain([domain], n_steps=8, tol=100.0)
        xr.testing.assert_allclose(alone[domain.name], together[domain.name])


def test_a_result_is_saved_and_loaded(tmp_path: Path) -> None:
    result = explain(several(), n_steps=8, tol=100.0)
    path = tmp_path / "result.nc"
    result.to_netcdf(path, engine="h5netcdf")
    with xr.open_dataset(path, engine="h5netcdf") as loaded:
        xr.testing.assert_allclose(loaded.load(), result)


class Lossy(RFFT):
    """Drops the offset."""

    def synthesize(self, c: torch.Tensor, n: int) -> torch.Tensor:
        signal = super().synthesize(c, n)
        return signal - signal.mean(-1, keepdim=True)


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (STFT(1.0, hop=1.0), "hop of domain 'stft'"),
        (Lossy(), "'lossy' must invert"),
        (ICA(np.eye(5)), "mixing of domain 'ica' is for 5 channels, got signals with 3"),
    ],
    ids=["stft", "own", "ica"],
)
def test_what_cannot_be_explained_is_refused_before_the_model_runs(domain: Domain, message: str) -> None:
    calls = []

    def model(x: torch.Tensor) -> torch.Tensor:
        calls.append(x.shape)
        return x.sum((1, 2))[:, None]

    explainer = Explainer(model, fs=FS, domains=[domain], dtype=torch.float64)
    with pytest.raises(ValueError, match=message):
        explainer(noise(2, CHANNELS, N), target=0)
    assert calls == []


def test_lengths_in_seconds_need_a_sampling_rate() -> None:
    for domain in (STFT(), Segments(), FilterBank()):
        with pytest.raises(ValueError, match="pass fs= in Hz"):
            Explainer(Smooth(N), domains=[domain])(noise(2, N), target=0)


def test_float32_is_complete_to_its_precision() -> None:
    model = Smooth(N, CHANNELS, dtype=torch.float32)
    result = Explainer(model, fs=FS, domains=several(), n_steps=30)(noise(2, CHANNELS, N), target=0)
    difference = (result.output - result.baseline_output + result.completeness_gap).values
    for name, variable in result.data_vars.items():
        if variable.attrs.get("kind") == "attribution":
            assert variable.dtype == np.float32
            total = variable.astype(float).sum(variable.dims[1:]).values
            scale = float(abs(result.waveform).sum())
            np.testing.assert_allclose(total, difference, atol=1e-6 * scale, err_msg=str(name))

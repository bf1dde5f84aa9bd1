"""Band sums: edges, additivity, what stays, and the errors."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import freqig
from freqig.bands import bands, named_bands, presets


def explanation(
    n: int = 256, fs: float | None = 128.0, channels: int | None = 2, dtype: str = "float32"
) -> xr.Dataset:
    """A result with random attributions of two samples, laid out as the explainer's."""
    rng = np.random.default_rng(0)
    layout: tuple[str, ...] = ("sample",) if channels is None else ("sample", "channel")
    shape = (2,) if channels is None else (2, channels)
    frequency = np.fft.rfftfreq(n, 1 / (fs or 1.0))
    coords: dict[str, Any] = {
        "frequency": ("frequency", frequency, {"units": "Hz" if fs else "cycles/sample"}),
        "time": ("time", np.arange(n) / (fs or 1.0), {"units": "s" if fs else "samples"}),
    }
    if channels is not None:
        coords["channel"] = [f"C{i}" for i in range(channels)]
    values = rng.standard_normal((*shape, frequency.size)).astype(dtype)
    signal = rng.standard_normal((*shape, n)).astype(dtype)
    return xr.Dataset(
        {
            "rfft": ((*layout, "frequency"), values, {"kind": "attribution", "units": "logit"}),
            "signal": ((*layout, "time"), signal, {"kind": "signal"}),
            "output": ("sample", np.array([1.0, 2.0])),
        },
        coords=coords,
        attrs={"settings": "{}", "model": "net"},
    )


def test_a_bin_on_an_edge_belongs_to_the_band_that_starts_there() -> None:
    result = explanation()
    summed = bands(result, {"low": (1, 4), "high": (4, 8)})
    f = result.frequency
    np.testing.assert_allclose(
        summed.rfft.sel(band="low"), result.rfft.sel(frequency=(f >= 1) & (f < 4)).sum("frequency")
    )
    np.testing.assert_allclose(
        summed.rfft.sel(band="high"), result.rfft.sel(frequency=(f >= 4) & (f < 8)).sum("frequency")
    )
    assert summed.band_n_frequencies.values.tolist() == [6, 8, 129 - 14]


@pytest.mark.parametrize(("n", "fs"), [(300, 100.0), (3000, 100.0), (2100, 70.0), (999, 99.9)])
def test_rounding_of_bins_does_not_move_them_over_an_edge(n: int, fs: float) -> None:
    """Every bin is an edge once, and exactly one bin is in each [f, f + df)."""
    result = explanation(n, fs, channels=None)
    step = fs / n
    for factor in (1 - 1e-15, 1.0, 1 + 1e-15):
        moved = result.assign_coords(frequency=result.frequency * factor)
        moved.frequency.attrs["units"] = "Hz"
        edges = {f"{k}": (k * step, (k + 1) * step) for k in range(n // 2)}
        assert set(bands(moved, edges).band_n_frequencies.values.tolist()) == {1}


def test_a_float32_frequency_axis_has_the_tolerance_of_its_precision() -> None:
    result = explanation(300, 100.0, channels=None)
    result = result.assign_coords(frequency=result.frequency.astype("float32"))
    result.frequency.attrs["units"] = "Hz"
    edges = {f"{k}": (k / 3, (k + 1) / 3) for k in range(1, 100)}
    assert set(bands(result, edges).band_n_frequencies.values[:-1].tolist()) == {1}


edge_lists = st.lists(st.floats(0, 200, allow_nan=False), min_size=2, max_size=9, unique=True).map(sorted)


@given(
    edges=edge_lists,
    gaps=st.booleans(),
    n=st.integers(1, 65),
    fs=st.floats(0.1, 1000),
    channels=st.sampled_from([None, 1, 3]),
)
def test_the_sum_over_bands_is_the_sum_over_frequencies(
    edges: list[float], gaps: bool, n: int, fs: float, channels: int | None
) -> None:
    pairs = list(pairwise(edges))[:: 2 if gaps else 1]
    result = explanation(n, fs, channels)
    summed = bands(result, {f"b{i}": pair for i, pair in enumerate(pairs)})
    # float64 sums of float32 numbers of like size lose nothing beyond the order of additions.
    np.testing.assert_allclose(
        summed.rfft.sum("band"),
        result.rfft.astype("float64").sum("frequency"),
        rtol=1e-13,
        atol=1e-13,
    )
    assert int(summed.band_n_frequencies.sum()) == result.sizes["frequency"]


@pytest.mark.parametrize("preset", ["sleep", "eeg"])
def test_presets_add_up_with_dc(preset: str) -> None:
    result = explanation()
    result["rfft"][..., 0] = 1000.0
    summed = bands(result, preset)
    np.testing.assert_allclose(
        summed.rfft.sum("band"), result.rfft.astype("float64").sum("frequency"), rtol=1e-14
    )
    first = "rest" if preset == "sleep" else "delta"
    assert (summed.rfft.sel(band=first) > 900).all()


def test_presets_are_the_documented_edges_and_cannot_be_changed() -> None:
    assert presets["sleep"] == {
        "delta": (0.5, 4), "theta": (4, 8), "alpha": (8, 12), "sigma": (12, 16), "beta": (16, 30),
        "gamma": (30, 40),
    }  # fmt: skip
    assert presets["eeg"] == {
        "delta": (0, 4), "theta": (4, 8), "alpha": (8, 12), "beta": (12, 30), "gamma": (30, 45)
    }  # fmt: skip
    with pytest.raises(TypeError):
        presets["sleep"]["delta"] = (0.0, 1.0)  # type: ignore[index]
    named_bands("sleep")["delta"] = (0.0, 1.0)
    assert presets["sleep"]["delta"] == (0.5, 4)


def test_coordinates_dtype_and_attributes() -> None:
    result = explanation()
    summed = bands(result, {"b": (8, 12), "a": (0, 4)})
    assert summed.rfft.dims == ("sample", "channel", "band")
    assert summed.rfft.dtype == np.float64
    assert summed.rfft.attrs == result.rfft.attrs
    assert summed.attrs == result.attrs
    assert summed.band.values.tolist() == ["b", "a", "rest"]
    np.testing.assert_array_equal(summed.band_low, [8, 0, np.nan])
    np.testing.assert_array_equal(summed.band_high, [12, 4, np.nan])
    assert summed.band_low.attrs["units"] == summed.band_high.attrs["units"] == "Hz"
    assert "frequency" not in summed.dims
    assert "frequency" not in summed.coords


def test_other_variables_stay_and_the_result_is_not_changed() -> None:
    result = explanation()
    power = xr.DataArray(np.ones(129), dims="frequency", attrs={"kind": "signal"})
    result = result.assign(power=power).assign_coords(note=("frequency", np.arange(129)))
    before = result.copy(deep=True)
    summed = bands(result)
    xr.testing.assert_identical(result, before)
    for name in ("signal", "output", "power"):
        xr.testing.assert_identical(summed[name], result[name])
    assert summed.sizes["frequency"] == 129


def test_every_frequency_dimension_of_every_attribution() -> None:
    result = explanation()
    rng = np.random.default_rng(1)
    values = rng.standard_normal((2, 5, 9))
    result["stft"] = (("sample", "stft_frequency", "stft_time"), values, {"kind": "attribution"})
    result = result.assign_coords(stft_frequency=("stft_frequency", np.arange(5) * 16.0, {"units": "Hz"}))
    result["waveform"] = (("sample", "time"), rng.standard_normal((2, 256)))
    result.waveform.attrs["kind"] = "attribution"
    summed = bands(result, "eeg")
    assert summed.rfft.dims == ("sample", "channel", "band")
    assert summed.stft.dims == ("sample", "stft_band", "stft_time")
    assert summed.stft_band.values[-1] == "rest"
    np.testing.assert_allclose(summed.stft.sel(stft_band="beta"), values[:, 1])
    assert summed.stft_band_low.dims == ("stft_band",)
    xr.testing.assert_identical(summed.waveform, result.waveform)


def test_a_band_beyond_the_axis_is_zero_and_says_that_it_holds_nothing() -> None:
    summed = bands(explanation(), {"ultra": (70, 90)})
    assert (summed.rfft.sel(band="ultra") == 0).all()
    assert summed.band_n_frequencies.sel(band="ultra") == 0


def test_a_nan_stays_in_its_band() -> None:
    result = explanation(channels=None)
    result["rfft"][0, 10] = np.nan  # 5 Hz
    summed = bands(result)
    assert np.isnan(summed.rfft.sel(band="theta")[0])
    assert np.isfinite(summed.rfft.drop_sel(band="theta")).all()
    assert np.isfinite(summed.rfft[1]).all()


def test_a_shorter_last_segment_keeps_its_attributions() -> None:
    # 75 values in segments of 30: the last has 15, and every other frequency of the axis is not its own.
    x = np.random.default_rng(0).normal(size=(3, 75))
    explainer = freqig.Explainer(lambda x: x.square().sum(-1), fs=10, domains=freqig.Segments(3))
    result = explainer(x)
    summed = bands(result, {"slow": (0, 2)})
    np.testing.assert_allclose(
        summed.segments.sum(("segments_segment", "segments_band")), (x**2).sum(1), 1e-5
    )
    last = np.abs(np.fft.rfft(x[:, 60:])) ** 2 * [1, *[2] * 7] / 15
    np.testing.assert_allclose(summed.segments[:, -1, 0], last[:, :3].sum(1), 1e-5)
    told = freqig.summary(result, {"slow": (0, 2)})["classes"][0]
    assert np.isclose(sum(told["bands"].values()), told["output"])


def test_a_sample_that_is_not_known_has_no_sums() -> None:
    x = np.random.default_rng(0).normal(size=(1, 75))
    result = freqig.Explainer(lambda x: x.square().sum(-1), fs=10, domains=freqig.Segments(3))(x)
    result["segments"][0] = np.nan
    assert bands(result, {"slow": (0, 2)}).segments.isnull().all()
    assert freqig.summary(result, {"slow": (0, 2)})["classes"][0]["bands"] == {"slow": None, "rest": None}


@pytest.mark.parametrize(("samples", "channels"), [(0, 2), (2, 0)])
def test_no_samples_or_channels(samples: int, channels: int) -> None:
    summed = bands(explanation(channels=channels).isel(sample=slice(samples)), "eeg")
    assert summed.rfft.shape == (samples, channels, 6)


@pytest.mark.parametrize(
    ("edges", "error", "message"),
    [
        ({}, ValueError, "at least one band"),
        ("sleeep", ValueError, "'sleep', 'eeg' or a dict"),
        (3, TypeError, "got int"),
        ([("a", 0, 4)], TypeError, "got list"),
        ({"a": (4, 4)}, ValueError, "0 <= low < high"),
        ({"a": (8, 4)}, ValueError, "0 <= low < high in Hz, got (8, 4)"),
        ({"a": (-1, 4)}, ValueError, "0 <= low < high"),
        ({"a": (0, np.inf)}, ValueError, "finite"),
        ({"a": (np.nan, 4)}, ValueError, "finite"),
        ({"a": (0, 4, 8)}, TypeError, "two numbers (low, high)"),
        ({"a": 4}, TypeError, "two numbers"),
        ({"a": "ab"}, TypeError, "two numbers"),
        ({"a": ("0", "4")}, TypeError, "two numbers"),
        ({"a": (False, True)}, TypeError, "two numbers"),
        ({1: (0, 4)}, TypeError, "strings, got 1"),
        ({"": (0, 4)}, ValueError, "other than ''"),
        ({"rest": (0, 4)}, ValueError, "got 'rest'"),
        ({"a": (0, 4), "b": (3, 8)}, ValueError, "'a' (0, 4) and 'b' (3, 8)"),
        ({"a": (4, 8), "b": (0, 30)}, ValueError, "must not overlap"),
        ({"a": (4, 8), "b": (4, 8)}, ValueError, "must not overlap"),
    ],
)
def test_wrong_bands(edges: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        bands(explanation(), edges)


@pytest.mark.parametrize(
    "edges",
    [[8, 12], np.array([8, 12]), (np.float32(8), np.int64(12))],
    ids=["list", "array", "np"],
)
def test_edges_may_be_any_pair_of_numbers(edges: Any) -> None:
    assert named_bands({"alpha": edges}) == {"alpha": (8.0, 12.0)}


def test_an_axis_that_is_not_in_hertz_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"got 'cycles/sample'; pass .*fs="):
        bands(explanation(fs=None))
    without_units = explanation()
    del without_units.frequency.attrs["units"]
    with pytest.raises(ValueError, match=r"got None; pass .*fs="):
        bands(without_units)


def test_a_missing_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="must have a coordinate 'frequency'"):
        bands(explanation().drop_vars("frequency"))


def test_results_without_a_spectrum_are_refused() -> None:
    with pytest.raises(TypeError):
        bands(explanation().rfft)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'signal', 'output'"):
        bands(explanation().drop_vars("rfft"))
    with pytest.raises(ValueError, match="only once"):
        bands(bands(explanation()))

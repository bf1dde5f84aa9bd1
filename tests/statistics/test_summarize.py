"""Summaries of results and of means: values by hand, who is resampled, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig import summarize

from ..helpers import seeded
from .cases import people, result_of


def test_means_are_over_subjects_means() -> None:
    """A person of many samples counts as one of few."""
    rng = np.random.default_rng(0)
    subject = np.repeat(list("fbadcge"), [1, 30, 2, 4, 9, 5, 3])
    values = rng.normal(size=(len(subject), 4))
    found = summarize(result_of(values, subject=subject))
    own = np.array([values[subject == one].mean(0) for one in "abcdefg"])
    np.testing.assert_allclose(found.rfft, own.mean(0))
    np.testing.assert_allclose(found.rfft_spread, own.std(0, ddof=1))
    assert (found.n_units.item(), found.n_samples.item(), found.reason.item()) == (7, len(subject), "")
    assert found.attrs["unit"] == "subject"
    assert "subjects" in found.attrs["intervals"]
    assert "subjects" in found.rfft_spread.attrs["long_name"]
    assert found.rfft.attrs == {"kind": "attribution", "units": "logit"}
    assert found.frequency.attrs == {"units": "Hz"}
    # Sums stay sums.
    np.testing.assert_allclose(found.rfft.sum(), found.output - found.baseline_output)


def test_without_subjects_samples_are_the_units() -> None:
    values = np.random.default_rng(0).normal(size=(20, 3))
    found = summarize(result_of(values, stage=["N2", "W"] * 10), by="stage")
    assert found.rfft.dims == ("stage", "frequency")
    np.testing.assert_allclose(found.rfft.sel(stage="W"), values[1::2].mean(0))
    np.testing.assert_allclose(found.rfft_spread.sel(stage="N2"), values[::2].std(0, ddof=1))
    assert found.n_units.values.tolist() == [10, 10]
    assert found.attrs["unit"] == "sample"
    assert json.loads(found.attrs["summary"])["unit"] == "sample"


def test_intervals_over_subjects_cover_where_those_over_samples_do_not() -> None:
    """30 alike samples of each of 12 people: their mean errs by what people differ by."""
    result = people(12, 30, places=800, seed=1)
    found, naive = summarize(result), summarize(result.drop_vars("subject"))

    def share(one: xr.Dataset) -> float:
        return float(((one.rfft_lower <= 0) & (one.rfft_upper >= 0)).mean())

    assert 0.92 < share(found) < 0.975
    assert share(naive) < 0.5


def test_order_of_samples_changes_nothing() -> None:
    result = people(8, 5)
    result = result.assign_coords(stage=("sample", ["N2", "W", "W", "N2", "W"] * 8))
    shuffled = result.isel(sample=np.random.default_rng(0).permutation(40))
    one, other = (summarize(own, by="stage") for own in (result, shuffled))
    for key in ("rfft", "rfft_spread"):
        np.testing.assert_allclose(one[key], other[key])
    # Resamples are of units in an order of their own.
    for key in ("rfft_lower", "rfft_upper"):
        np.testing.assert_allclose(one[key], other[key], rtol=1e-5)


@pytest.mark.parametrize("kind", ["numbers", "text", "objects", "dates"])
def test_labels_of_any_type(kind: str) -> None:
    names: Any = {
        "numbers": np.array([3, 1]),
        "text": np.array(["b", "a"]),
        "objects": np.array(["b", "a"], dtype=object),
        "dates": np.array(["2024-02-01", "2024-01-01"], dtype="datetime64[ns]"),
    }[kind]
    result = people(7, 4)
    found = summarize(result, by={"night": np.tile(names, 14)})
    assert found.night.values.tolist() == sorted(names.tolist())
    np.testing.assert_allclose(
        found.rfft.isel(night=0), result.rfft.isel(sample=slice(1, None, 2)).mean("sample")
    )


def test_several_groupings_make_a_table_with_empty_cells() -> None:
    result = people(6, 4)
    result = result.assign_coords(
        stage=("sample", ["N2"] * 23 + ["W"]), night=("sample", [1] * 12 + [2] * 12)
    )
    found = summarize(result, by=["stage", "night"])
    assert found.rfft.dims == ("stage", "night", "frequency")
    empty = found.sel(stage="W", night=1)
    assert empty.n_samples == 0
    assert empty.reason == "no samples"
    assert np.isnan(empty.rfft).all()
    assert found.sel(stage="W", night=2).reason == "one subject"
    assert found.sel(stage="N2", night=1).reason == "3 subjects, fewer than 6"
    assert np.isfinite(found.sel(stage="N2", night=1).rfft).all()
    assert np.isnan(found.rfft_lower).all()


def test_grouped_by_subject_samples_are_resampled() -> None:
    found = summarize(people(3, 10), by="subject")
    assert found.rfft.dims == ("subject", "frequency")
    assert found.attrs["unit"] == "sample"
    assert np.isfinite(found.rfft_lower).all()


def test_one_subject_has_samples_resampled() -> None:
    for one in (people(1, 10), people(2, 10).isel(sample=slice(10))):
        found = summarize(one)
        assert (found.attrs["unit"], found.n_units.item()) == ("sample", 10)


def test_ready_groupings() -> None:
    result = result_of(
        np.arange(16.0).reshape(8, 2),
        truth=["W", "W", "N1", "N1", "", "N2", "N2", "W"],
        predicted=["W", "N1", "N1", "N1", "W", "N2", "W", "W"],
    )
    right = summarize(result, by="correct")
    assert right.correct.values.tolist() == ["right", "wrong"]
    assert right.n_samples.values.tolist() == [5, 2]
    np.testing.assert_allclose(right.rfft.sel(correct="wrong"), result.rfft.values[[1, 6]].mean(0))
    assert json.loads(right.attrs["summary"])["left_out"] == 1
    moved = summarize(result, by={"change": "transition"})
    assert moved.change.values.tolist() == ["steady", "transition"]
    assert moved.n_samples.values.tolist() == [3, 2]
    own = summarize(result, by={"of": lambda one: freqig.groupings.transition(one, of="predicted")})
    assert own.n_samples.sum() == 7


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_every_domain_keeps_its_dimensions_and_coordinates() -> None:
    model = seeded(torch.nn.Linear, 64, 3)
    domains = [
        freqig.RFFT(),
        freqig.STFT(0.25),
        freqig.Time(),
        freqig.FilterBank("eeg"),
        freqig.Segments(0.5),
    ]
    explainer = freqig.Explainer(model, fs=64, domains=domains, classes=("W", "N1", "N2"))
    result = explainer(np.random.default_rng(0).normal(size=(14, 64)), target="all")
    result = result.assign_coords(subject=("sample", np.repeat(np.arange(7), 2)))
    found = summarize(result)
    explained = [key for key, own in result.data_vars.items() if own.attrs.get("kind") == "attribution"]
    assert len(explained) == 5
    for key in explained:
        assert found[key].dims == result[key].dims[1:]
        mean = result[key].mean("sample")
        xr.testing.assert_allclose(
            found[key].drop_attrs(), mean.drop_attrs().astype(float), rtol=1e-5, atol=1e-7
        )
        assert set(found[key].coords) >= set(mean.coords) - {"sample"}
    assert found.target.values.tolist() == ["W", "N1", "N2"]
    banded = summarize(freqig.bands(result[["rfft"]], "eeg"))
    np.testing.assert_allclose(banded.rfft.sum("band"), found.rfft.sum("frequency"), rtol=1e-5, atol=1e-7)


def test_files_and_lazy_arrays_give_the_same(tmp_path: Path) -> None:
    pytest.importorskip("h5netcdf")
    result = people(7, 4).assign_coords(stage=("sample", ["N2", "W"] * 14))
    result.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    whole = summarize(result, by="stage")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as lazy:
        xr.testing.assert_allclose(summarize(lazy, by="stage"), whole)
    whole.to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "b.nc", engine="h5netcdf") as back:
        xr.testing.assert_allclose(back, whole)
        assert back.attrs["intervals"] == whole.attrs["intervals"]


def means_of(result: xr.Dataset, by: dict[str, np.ndarray]) -> xr.Dataset:
    """Means as `Explainer.average` returns them, by pandas-like loops."""
    names = list(by)
    levels = [np.unique(by[name]) for name in names]
    shape = tuple(map(len, levels))
    mean, error = (np.full((*shape, result.sizes["frequency"]), np.nan) for _ in range(2))
    count = np.zeros(shape, dtype=np.int64)
    for place in np.ndindex(*shape):
        rows = np.all([by[n] == level[i] for n, level, i in zip(names, levels, place, strict=True)], axis=0)
        values = result.rfft.values[rows]
        count[place] = len(values)
        if len(values):
            mean[place] = values.mean(0)
        if len(values) > 1:
            error[place] = values.std(0, ddof=1) / np.sqrt(len(values))
    return xr.Dataset(
        {
            "rfft": ((*names, "frequency"), mean, {"kind": "attribution", "units": "logit"}),
            "rfft_standard_error": ((*names, "frequency"), error, {"kind": "standard_error"}),
            "n_samples": (names, count),
        },
        {**dict(zip(names, levels, strict=True)), "frequency": result.frequency},
    )


def test_means_with_subjects_are_summed_up_like_their_samples() -> None:
    result = people(9, 6)
    by = {"stage": np.array(["N2", "W", "N2"] * 18), "subject": result.subject.values}
    found = summarize(means_of(result, by))
    truth = summarize(result.assign_coords(stage=("sample", by["stage"])), by="stage")
    for key in ("rfft", "rfft_spread", "rfft_lower", "rfft_upper", "n_samples", "n_units"):
        np.testing.assert_allclose(found[key], truth[key], rtol=1e-5)
    assert found.attrs["unit"] == "subject"
    whole = summarize(means_of(result, by), by=[])
    np.testing.assert_allclose(whole.rfft, summarize(result).rfft)


def test_means_without_subjects_have_the_normal_interval_and_say_so() -> None:
    result = people(1, 60)
    by = {"stage": np.array(["N2", "W", "W"] * 20), "night": np.repeat([1, 2, 3], 20)}
    found = summarize(means_of(result, by))
    error = means_of(result, by)
    np.testing.assert_allclose(found.rfft_upper, error.rfft + 1.959964 * error.rfft_standard_error, rtol=1e-6)
    assert "standard errors" in found.attrs["intervals"]
    assert "normal" in json.loads(found.attrs["summary"])["method"]
    # Cells put together have the spread of their samples.
    pooled = summarize(means_of(result, by), by="stage")
    for stage in ("N2", "W"):
        own = result.rfft.values[by["stage"] == stage]
        np.testing.assert_allclose(pooled.rfft.sel(stage=stage), own.mean(0))
        np.testing.assert_allclose(pooled.rfft_spread.sel(stage=stage), own.std(0, ddof=1))
    by_subject = summarize(
        means_of(result, {"subject": result.subject.values, **by}), by=["subject", "stage"]
    )
    assert "standard errors" in by_subject.attrs["intervals"]


def test_means_of_few_samples_have_no_interval() -> None:
    result = people(1, 7)
    found = summarize(means_of(result, {"stage": np.array(["N2"] * 6 + ["W"])}))
    assert found.reason.values.tolist() == ["", "one sample"]
    assert np.isfinite(found.rfft_lower.sel(stage="N2")).all()
    assert np.isnan(found.rfft_lower.sel(stage="W")).all()
    assert np.isfinite(found.rfft.sel(stage="W")).all()


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_average_of_an_explainer_is_summed_up() -> None:
    model = seeded(torch.nn.Sequential, torch.nn.Linear(16, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    x = np.random.default_rng(0).normal(size=(64, 16))
    subject = np.repeat(np.arange(8), 8)
    explainer = freqig.Explainer(model, fs=16)
    means = explainer.average(x, {"subject": subject}, target="all")
    found = summarize(means)
    assert found.rfft.dims == ("target", "frequency")
    assert found.n_units == 8
    truth = summarize(explainer(x, target="all").assign_coords(subject=("sample", subject)))
    np.testing.assert_allclose(
        found.rfft, truth.rfft, atol=0.02 * float(np.abs(truth.rfft).sum("frequency").max())
    )


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("nobody", "by must name coordinates of result along its samples .*'stage'.* got 'nobody'"),
        ({"a": ["x"]}, r"by\['a'\] must hold one label per sample, so 12"),
        ({"a": ["x"] * 11 + [None]}, r"by\['a'\] must have a label for every sample, but sample 11"),
        ({"a": ["x"] * 11 + [""]}, r"by\['a'\] .* but 1 of 12 have an empty one"),
        ({"a": [1.0] * 11 + [np.nan]}, "must have a label for every sample"),
        ({"rfft": ["x"] * 12}, "by must not be named 'rfft'"),
        ({"n_units": ["x"] * 12}, "by must not be named 'n_units'"),
        ("frequency", "'frequency' is a dimension of what was explained"),
        ("correct", "must have the coordinate 'truth' along its samples"),
        ({"frequency": ["x"] * 12}, "by must not be named 'frequency', a dimension"),
    ],
)
def test_groupings_that_are_refused(by: Any, message: str) -> None:
    result = people(3, 4).assign_coords(stage=("sample", ["N2"] * 12))
    with pytest.raises(ValueError, match=message):
        summarize(result, by)


@pytest.mark.parametrize(
    "by", [3, {3: ["x"] * 12}, {"a/b": ["x"] * 12}, np.array(["x"] * 12), {"a": [1, "x"] * 6}]
)
def test_groupings_of_another_type(by: Any) -> None:
    if isinstance(by, dict) and "a" in by:
        by = {"a": np.array(by["a"], dtype=object)}
    with pytest.raises(TypeError, match="by"):
        summarize(people(3, 4), by)


def test_results_that_are_refused() -> None:
    result = people(3, 4)
    with pytest.raises(TypeError, match="Dataset"):
        summarize(result.rfft)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="result must hold attributions"):
        summarize(result[["output"]])
    with pytest.raises(ValueError, match="at least one sample, got none"):
        summarize(result.isel(sample=[]))
    with pytest.raises(ValueError, match="result must have samples, or be means"):
        summarize(result.mean("sample"))
    with pytest.raises(ValueError, match="leave the name 'rfft_lower' to the summary"):
        summarize(result.assign(rfft_lower=result.rfft))
    with pytest.raises(ValueError, match="got a summary"):
        summarize(summarize(result))
    bad = result.copy(deep=True)
    bad.rfft[5, 2] = np.nan
    bad.rfft[7] = np.inf
    with pytest.raises(ValueError, match=r"result\.rfft must be finite, but 2 of 12 samples .* sample 5"):
        summarize(bad)
    with pytest.raises(ValueError, match=r"by\['subject'\] must have a label"):
        summarize(result.assign_coords(subject=("sample", ["a"] * 11 + [""])))
    with pytest.raises(ValueError, match=r"interval must be above 0 and below 1, got 95: 95 % is 0\.95"):
        summarize(result, interval=95)
    with pytest.raises(ValueError, match="n_resamples must be at least 100"):
        summarize(result, n_resamples=3)


@pytest.mark.parametrize("by", [None, "subject"])
def test_places_without_a_coefficient_stay_empty_and_change_nothing(by: str | None) -> None:
    dense = people(7, 4)
    sparse = dense.assign(rfft=dense.rfft.where(dense.frequency != 1.0))
    found, expected = summarize(sparse, by), summarize(dense.drop_sel(frequency=1.0), by)
    for name in ("rfft", "rfft_spread", "rfft_lower", "rfft_upper"):
        assert found[name].sel(frequency=1.0).isnull().all()
        xr.testing.assert_allclose(found[name].drop_sel(frequency=1.0), expected[name])

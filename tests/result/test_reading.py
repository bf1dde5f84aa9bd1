"""What those find in a result who do something with it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr
from torch import nn

import freqig
from freqig.errors import EmptyExplanationWarning
from freqig.result.reading import attributions_of, of_predicted

from ..helpers import noise, seeded


def test_a_predicted_class_that_was_selected_away_is_named() -> None:
    rfft = ("sample", "target"), [[1.0, 2.0], [3.0, 4.0]]
    result = xr.Dataset({"rfft": rfft}, {"target": ["W", "N2"], "predicted": ("sample", ["N2", "W"])})
    with pytest.raises(ValueError, match="got 'N2' as its targets and none for 'W'"):
        of_predicted(result.isel(target=[1]), "rfft")


def test_a_variable_that_lost_its_attributes_is_told_how_to_keep_them() -> None:
    result = xr.Dataset({"rfft": ("frequency", [1.0, 2.0], {"kind": "attribution"})})
    with xr.set_options(keep_attrs=False), pytest.raises(ValueError, match=r"has lost its attrs\['kind'\]"):
        attributions_of(result.assign(rfft=0 * result.rfft), "rfft")
    with pytest.raises(ValueError, match=r"which are 'rfft' here, got 'fft'$"):
        attributions_of(result, "fft")


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    model = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(2 * 32, 3)))
    explainer = freqig.Explainer(model, fs=32, classes=["a", "b", "c"], progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        return explainer(noise(4, 2, 32), truth=[0, 1, 2, 0])


USES: dict[str, Callable[[xr.Dataset, Path], object]] = {
    "summary": lambda one, _: freqig.summary(one, "eeg"),
    "report": lambda one, folder: freqig.report(one, folder / "page.html"),
}


def test_a_single_sample_is_summed_up_as_the_one_of_its_selection(result: xr.Dataset) -> None:
    assert freqig.summary(result.isel(sample=2), "eeg") == freqig.summary(result.isel(sample=[2]), "eeg")


@pytest.mark.parametrize("use", USES)
def test_means_of_xarray_are_told_from_samples(use: str, result: xr.Dataset, tmp_path: Path) -> None:
    for one in (result.mean("sample", keep_attrs=True), result.groupby("truth").mean(), result.astype(float)):
        with pytest.raises(ValueError, match=r"result\.converged must be true or false for each sample"):
            USES[use](one, tmp_path)


def test_a_selection_of_nothing_is_told_or_has_no_peaks(result: xr.Dataset, tmp_path: Path) -> None:
    nothing = result.isel(sample=[])
    assert freqig.peaks(nothing).empty
    for act in (*USES.values(), lambda one, _: freqig.resynthesize(one)):
        with pytest.raises(ValueError, match="result must hold at least one sample, got none"):
            act(nothing, tmp_path)

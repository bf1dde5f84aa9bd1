"""`target` and `predicted` are coordinates of the result: grouping, averaging, files and titles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from freqig import Explainer, bands
from freqig.plots._title import title_of

from ..helpers import Smooth, close, noise

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 20


def explained(target: object = None) -> xr.Dataset:
    return Explainer(Smooth(N), fs=20.0, n_steps=20)(noise(9, N), target=target)


def test_groups_of_targets() -> None:
    result = explained()
    means = result.groupby("target").mean()
    for k in np.unique(result.target):
        close(means.rfft.sel(target=k), result.rfft.values[result.target.values == k].mean(0), 1e-12)
    by_both = explained([0, 1, 2] * 3).rfft.groupby("predicted").mean()
    np.testing.assert_array_equal(by_both.predicted, np.unique(result.predicted))


def test_a_mean_has_no_target() -> None:
    mean = explained([0, 1, 1] * 3).mean("sample")
    assert not {"target", "predicted"} & set(mean.variables)
    assert "target" not in title_of(mean, "rfft")
    # Files of before have them as variables.
    old = explained([0, 1, 1] * 3).reset_coords(["target", "predicted"]).mean("sample")
    assert "target" not in title_of(old, "rfft")
    assert title_of(explained([1] * 9).isel(sample=3), "rfft", 3).startswith("sample 3, target 1")


def test_samples_with_names_are_called_by_them() -> None:
    result = explained().assign_coords(sample=[f"night {i}" for i in range(9)])
    assert title_of(result.isel(sample=4), "rfft", 4).startswith("sample night 4, ")
    assert title_of(result.sel(sample="night 2"), "rfft").startswith("sample night 2, ")


def test_files_hold_them(tmp_path: Path) -> None:
    for i, target in enumerate([None, [0, 1, 2] * 3, "all"]):
        result = explained(target)
        result.to_netcdf(tmp_path / f"{i}.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / f"{i}.nc", engine="h5netcdf") as read:
            xr.testing.assert_identical(read.load(), result)
            assert {"target", "predicted"} <= set(read.coords)


def test_they_go_along_to_bands_and_single_variables() -> None:
    result = explained()
    np.testing.assert_array_equal(bands(result, {"low": (0, 5)}).target, result.target)
    np.testing.assert_array_equal(result.rfft.target, result.target)
    np.testing.assert_array_equal(result.signal.predicted, result.predicted)

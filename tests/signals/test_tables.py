"""Rows of tables go by their labels, whatever the order of what is given beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from torch import nn

import freqig
from freqig import Explainer, Time

from ..helpers import noise, seeded

ROWS, OTHER = list("abcd"), [2, 0, 3, 1]
X = pd.DataFrame(noise(4, 32), index=ROWS)
CLASSES, NAMES = pd.Series([0, 1, 2, 1], ROWS), pd.Series(["w", "x", "y", "z"], ROWS)
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


MODEL = seeded(nn.Linear, 32, 3).double()
WEIGHT = MODEL.weight.detach().numpy()


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(MODEL, domains=Time(), progress=False)


def test_a_series_goes_by_its_index(explainer: Explainer) -> None:
    found = explainer(X, target=CLASSES.iloc[OTHER], truth=CLASSES.iloc[OTHER], names=NAMES.iloc[OTHER])
    assert found.target.values.tolist() == found.truth.values.tolist() == [0, 1, 2, 1]
    assert found.file.values.tolist() == list("wxyz")
    np.testing.assert_allclose(found.waveform, X * WEIGHT[[0, 1, 2, 1]], rtol=1e-9)


def test_groups_go_by_labels(explainer: Explainer) -> None:
    labels = pd.Series(["p", "p", "q", "q"], ROWS)
    alike = explainer.average(X, {"group": labels.tolist()}, target=0)
    by = {"group": labels.iloc[OTHER]}
    np.testing.assert_allclose(explainer.average(X, by, target=0).waveform, alike.waveform)
    array = xr.DataArray(X, dims=("sample", "time"), coords={"sample": ROWS})
    by = {"group": xr.DataArray(labels.tolist(), dims="sample", coords={"sample": ROWS})[OTHER]}
    np.testing.assert_allclose(explainer.average(array, by, target=0).waveform, alike.waveform)


def test_a_baseline_goes_by_its_rows(explainer: Explainer) -> None:
    baseline = 0.3 * X + 1
    by_place = explainer(X, target=0, baseline=baseline.to_numpy())
    found = explainer(X, target=0, baseline=baseline.iloc[OTHER])
    np.testing.assert_allclose(found.waveform, by_place.waveform)


def test_numbers_from_0_are_places_beside_other_labels(explainer: Explainer) -> None:
    for x, target in ((X, CLASSES.reset_index(drop=True)), (X.reset_index(drop=True), CLASSES)):
        assert explainer(x, target=target).target.values.tolist() == [0, 1, 2, 1]
    shuffled = CLASSES.reset_index(drop=True).iloc[OTHER]
    assert explainer(X.reset_index(drop=True), target=shuffled).target.values.tolist() == [0, 1, 2, 1]


def test_labels_of_others_are_an_error(explainer: Explainer) -> None:
    with pytest.raises(ValueError, match="target must have the labels of x along 'sample', but it lacks 'd'"):
        explainer(X, target=CLASSES.rename({"d": "e"}))


def test_targets_of_other_calls_go_by_labels(explainer: Explainer) -> None:
    x = xr.DataArray(X, dims=("sample", "time"), coords={"sample": ROWS})
    by_label = xr.DataArray(CLASSES, dims="sample", coords={"sample": ROWS})[OTHER]
    np.testing.assert_array_equal(
        freqig.attribute(x.expand_dims("channel", 1), MODEL, target=by_label),
        freqig.attribute(x.expand_dims("channel", 1), MODEL, target=CLASSES.tolist()),
    )
    long = xr.concat([x, x], "time").assign_coords(time=np.arange(64) / 32)
    found = freqig.slide(explainer, long, window=1.0, target=by_label)
    assert found.target.values.tolist() == [0, 1, 2, 1]


def test_groups_of_a_result_go_by_labels(explainer: Explainer) -> None:
    x = xr.DataArray(noise(12, 32), dims=("sample", "time"), coords={"sample": list("abcdefghijkl")})
    result, order = explainer(x, target=0), np.random.default_rng(0).permutation(12)
    labels = pd.Series(list("pqqp") * 3, x.sample.values)
    by_place = freqig.summarize(result, {"group": labels.tolist()}, n_resamples=100)
    for group in (labels.iloc[order], xr.DataArray(labels.tolist(), coords=[x.sample])[order]):
        found = freqig.summarize(result, {"group": group}, n_resamples=100)
        np.testing.assert_array_equal(found.waveform, by_place.waveform)

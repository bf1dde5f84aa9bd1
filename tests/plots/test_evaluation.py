"""The figure of an evaluation: a curve for each order, and errors that name what there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib.figure import Figure

import freqig

from ..helpers import noise


@pytest.fixture(scope="module")
def table() -> xr.Dataset:
    x, model = noise(3, 12), torch.nn.Linear(12, 1).double()
    result = freqig.Explainer(model, fs=12.0)(x, target=0)
    return freqig.evaluate(result, model, x, families="deletion", steps=4, random_orders=1)


def test_a_line_is_the_mean_curve_of_an_order(table: xr.Dataset) -> None:
    pair = freqig.plots.evaluation(table, axes=Figure(layout="constrained").subplots(1, 2))
    curve = table.curve.sel(variable="rfft", by="count", replacement="baseline").mean("sample")
    for panel, kind in zip(pair, ("deletion", "insertion"), strict=True):
        names = [line.get_label() for line in panel.lines]
        assert names == ["rfft", "random order", "amplitude order", "best order"]
        np.testing.assert_allclose(
            panel.lines[0].get_ydata(), curve.sel(kind=kind, order="attribution"), atol=1e-12
        )


def test_what_cannot_be_drawn_is_told(table: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="variable must be one of rfft"):
        freqig.plots.evaluation(table, variable="stft")
    with pytest.raises(ValueError, match="replacement must be one of baseline"):
        freqig.plots.evaluation(table, replacement="noise")
    with pytest.raises(ValueError, match="result must have the curves"):
        freqig.plots.evaluation(table.drop_vars("curve"))

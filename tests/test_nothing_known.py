"""Where nothing is known, nothing is said, and NumPy does not warn of it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from freqig.known_values import known, largest
from freqig.plots._signal import draw_signal
from freqig.reporting.sections.interactions import _figure
from freqig.reporting.words import comparing
from freqig.reporting.words.alerts import doubtful_unit, unknown_baseline
from freqig.reporting.words.cells import Axis

from .reporting.results import told

BAND = {"": (11.0, 16.0)}


def test_means_of_what_is_known() -> None:
    values = np.array([[1.0, np.nan, np.inf], [3.0, np.nan, np.inf]])
    np.testing.assert_array_equal(known(np.nanmean, values, 0), [2.0, np.nan, np.inf])
    assert np.isnan(known(np.nanmax, np.full(3, np.nan)))
    assert (largest(values), largest(np.empty(0))) == (3.0, 0.0)


def test_spectra_of_two_results() -> None:
    axis = Axis.of(told(None, BAND))
    assert axis is not None
    cells = np.ones((4, len(axis)))
    cells[:, 3] = np.nan
    figure = comparing._spectra([cells, np.full_like(cells, np.nan)], axis, ("one", "two"), "logit")
    means = np.array([trace["y"] for trace in figure.traces])
    assert np.isnan(means[0]).nonzero()[0].tolist() == [3]
    assert np.isnan(means[1]).all()


def test_interactions_of_players() -> None:
    pairs, alone = np.full((3, 4, 4), np.nan), np.full((3, 4), np.nan)
    figure = _figure(0, "W", 3, pairs, alone, list("abcd"))
    assert (figure.traces[0]["zmin"], figure.traces[0]["zmax"]) == (-1.0, 1.0)


def test_alerts_of_signals_without_values() -> None:
    result = told(None, BAND, settings={"unit": None, "baseline": {"name": "zero"}})
    result["signal"] = result.signal.where(False)
    result["baseline_output"] = result.output
    for unit in ("V", None):
        result.signal.attrs = {"kind": "signal", **({} if unit is None else {"units": unit})}
        assert doubtful_unit(result) is None
    assert unknown_baseline(result) is None


@pytest.mark.parametrize("gone", [[1], [0, 1, 2]])
def test_a_channel_without_values(gone: list[int]) -> None:
    values = np.random.default_rng(0).normal(size=(3, 50))
    values[gone] = np.nan
    signal = xr.DataArray(values, {"time": np.arange(50) / 50}, ("channel", "time"))
    axes = Figure().subplots()
    draw_signal(axes, signal)
    assert np.isfinite(axes.get_ylim()).all()

"""The figure of one explanation: what is drawn where, what it says, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

import freqig
from freqig import plots
from freqig.plots._style import (
    NEGATIVE,
    POSITIVE,
)

Build = Callable[..., xr.Dataset]
Bars = Callable[[Axes], tuple[np.ndarray, np.ndarray]]


def test_bars_are_the_attributions_of_the_sample(explanation: Build, bars: Bars) -> None:
    result = explanation()
    above, below = plots.spectrum(result, 1, max_frequency=np.inf)
    heights, borders = bars(below)
    np.testing.assert_allclose(heights, result.rfft[1])
    np.testing.assert_allclose((borders[1:] + borders[:-1]) / 2, result.frequency)
    (line,) = above.get_lines()
    np.testing.assert_allclose(line.get_ydata(), result.signal[1])
    np.testing.assert_allclose(line.get_xdata(), result.time)
    positive, negative = (patch for patch in below.patches if isinstance(patch, StepPatch))
    assert positive.get_data().values.min() == 0
    assert negative.get_data().values.max() == 0
    np.testing.assert_allclose(positive.get_facecolor()[:3], to_rgb(POSITIVE))
    np.testing.assert_allclose(negative.get_facecolor()[:3], to_rgb(NEGATIVE))
    assert [text.get_text() for text in below.get_legend().get_texts()] == [
        "raises the output",
        "lowers the output",
    ]


@pytest.mark.parametrize("fs", [128.0, None])
def test_labels_have_units(explanation: Build, fs: float | None) -> None:
    above, below = plots.spectrum(explanation(fs=fs), max_frequency=1000)
    assert above.get_xlabel() == ("time (s)" if fs else "time (samples)")
    assert below.get_xlabel() == ("frequency (Hz)" if fs else "frequency (cycles per sample)")
    assert below.get_ylabel() == "attribution (logit)"
    assert above.get_ylabel() == "signal"


def test_units_of_the_signal_are_named(explanation: Build) -> None:
    result = explanation(layout={"channel": 2})
    result.signal.attrs["units"] = "µV"
    above, _ = plots.spectrum(result, channel="EEG 0")
    assert above.get_ylabel() == "signal (µV)"
    above, _ = plots.spectrum(result)
    assert " µV apart" in above.get_ylabel()


def test_title_tells_target_and_output_and_the_corner_the_gap(explanation: Build) -> None:
    above, _ = plots.spectrum(explanation())
    assert above.get_title(loc="left") == ("sample 0, target 1\nlogit 8.313 (baseline 0.5)")
    assert [text.get_text() for text in above.texts] == ["completeness gap −1.5e−05"]
    above, _ = plots.spectrum(explanation(), sample=-1)
    assert [text.get_text() for text in above.texts] == ["completeness gap 0.2, not converged"]
    assert above.get_title(loc="left") == ("sample 1, target 0, predicted 1\nlogit −2 (baseline 0.25)")


def test_title_does_without_what_the_result_lacks(explanation: Build) -> None:
    result = explanation()[["rfft", "signal"]].mean("sample", keep_attrs=True)
    above, _ = plots.spectrum(result)
    assert above.get_title(loc="left") == ""


def test_title_tells_the_target_that_was_selected_from_several(explanation: Build) -> None:
    result = explanation().drop_vars("target")
    several = result.assign(rfft=result.rfft.expand_dims(target=[0, 1, 2]))
    above, _ = plots.spectrum(several.isel(target=2))
    assert above.get_title(loc="left").startswith("sample 0, target 2, predicted 1\n")


def test_channels_are_summed_below_and_stacked_above(explanation: Build, bars: Bars) -> None:
    result = explanation(layout={"channel": 8})
    above, below = plots.spectrum(result, max_frequency=np.inf)
    np.testing.assert_allclose(bars(below)[0], result.rfft[0].sum("channel"))
    assert below.get_ylabel() == "attribution (logit)\nsum of 8 channels"
    assert [label.get_text() for label in above.get_yticklabels()] == [f"EEG {i}" for i in range(8)]
    lines = above.get_lines()
    assert len(lines) == 8
    ranges = [(line.get_ydata().min(), line.get_ydata().max()) for line in lines]
    for (upper, _), (_, lower) in pairwise(ranges):
        assert lower <= upper + 1e-9
    for line, signal in zip(lines, result.signal[0].values, strict=True):
        np.testing.assert_allclose(np.diff(line.get_ydata()), np.diff(signal))


def test_one_channel_by_name_and_by_position(explanation: Build, bars: Bars) -> None:
    result = explanation(layout={"channel": 3})
    for channel in ("EEG 2", 2, -1):
        above, below = plots.spectrum(result, channel=channel, max_frequency=np.inf)
        np.testing.assert_allclose(bars(below)[0], result.rfft[0, 2])
        assert f"channel {channel}" in above.get_title(loc="left")
        assert len(above.get_lines()) == 1
    numbered = result.assign_coords(channel=[7, 8, 9])
    np.testing.assert_allclose(
        bars(plots.spectrum(numbered, channel=7, max_frequency=np.inf)[1])[0], result.rfft[0, 0]
    )
    unnamed = explanation(layout={"channel": 3}, names=False)
    np.testing.assert_allclose(
        bars(plots.spectrum(unnamed, channel=1, max_frequency=np.inf)[1])[0], result.rfft[0, 1]
    )


def test_more_axes_than_channels(explanation: Build, bars: Bars) -> None:
    result = explanation(layout={"axis_1": 2, "channel": 3})
    above, below = plots.spectrum(result, max_frequency=np.inf)
    np.testing.assert_allclose(bars(below)[0], result.rfft[0].sum(("axis_1", "channel")))
    names = [label.get_text() for label in above.get_yticklabels()]
    assert names == [f"{i} EEG {j}" for i in range(2) for j in range(3)]


def test_max_frequency_limits_axis_and_scale(explanation: Build, bars: Bars) -> None:
    result = explanation()
    result.rfft[0, 100] = 1000.0
    _, below = plots.spectrum(result, max_frequency=30)
    heights, borders = bars(below)
    assert heights.size == 61
    assert below.get_xlim() == (borders[0], borders[-1]) == (-0.25, 30.25)
    assert below.get_ylim()[1] < 10
    _, all_of_it = plots.spectrum(result, max_frequency=1e6)
    assert bars(all_of_it)[0].size == 129


def test_given_axes_are_used_and_pyplot_is_left_alone(explanation: Build) -> None:
    pair = Figure(layout="constrained").subplots(2)
    assert plots.spectrum(explanation(), axes=pair) == tuple(pair)
    assert plots.spectrum(explanation(), axes=list(pair)) == tuple(pair)
    assert plt.get_fignums() == []
    plots.spectrum(explanation())
    assert len(plt.get_fignums()) == 1


def test_attributions_of_zero(explanation: Build) -> None:
    result = explanation()
    result["rfft"] = xr.zeros_like(result.rfft)
    _, below = plots.spectrum(result)
    assert below.get_legend() is None
    low, high = below.get_ylim()
    assert low < 0 < high


def test_the_result_is_not_changed(explanation: Build) -> None:
    result = explanation(layout={"channel": 2})
    before = result.copy(deep=True)
    plots.spectrum(result, bands="eeg", max_frequency=20)
    xr.testing.assert_identical(result, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample": 2}, r"sample must be in -2\.\.1 .*got 2"),
        ({"sample": -3}, "sample must be at least -2, got -3"),
        ({"channel": "Fz"}, r"'EEG 0', 'EEG 1' or a position in 0\.\.1, got 'Fz'"),
        ({"channel": 2}, "got 2"),
        ({"max_frequency": -1}, "max_frequency must be finite"),
        ({"max_frequency": float("nan")}, "max_frequency must be finite"),
        ({"bands": "sleeep"}, "bands must be one of"),
        ({"bands": {"a": (4, 2)}}, "0 <= low < high"),
    ],
)
def test_wrong_values(explanation: Build, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.spectrum(explanation(layout={"channel": 2}), **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"sample": 0.0},
        {"sample": True},
        {"max_frequency": "30"},
        {"axes": 3},
        {"axes": [1, 2]},
        {"bands": 3},
    ],
)
def test_wrong_types(explanation: Build, arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        plots.spectrum(explanation(), **arguments)


def test_one_axes_holds_the_spectrum_alone(explanation: Build, bars: Bars) -> None:
    axes = Figure(layout="constrained").subplots()
    result = explanation().drop_vars("signal")
    assert plots.spectrum(result, axes=axes, max_frequency=np.inf) is axes
    np.testing.assert_allclose(bars(axes)[0], result.rfft[0])
    assert axes.get_title(loc="left").startswith("sample 0, target 1")
    alone = plots.spectrum(explanation(), signal=False)
    assert isinstance(alone, Axes)
    assert alone.get_figure().axes == [alone]
    with pytest.raises(TypeError, match="axes must be two matplotlib Axes"):
        plots.spectrum(explanation(), signal=True, axes=Figure().subplots())
    with pytest.raises(TypeError, match="axes must be one matplotlib Axes"):
        plots.spectrum(explanation(), signal=False, axes=Figure().subplots(2))
    with pytest.raises(ValueError, match=r"variable 'signal'.*pass signal=False"):
        plots.spectrum(result)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.drop_vars("signal"), "variable 'signal'"),
        (lambda r: r.drop_vars("rfft"), "variable 'rfft'"),
        (lambda r: r.drop_vars("frequency"), "coordinate 'frequency'"),
        (lambda r: r.drop_vars("time"), "coordinate 'time'"),
        (lambda r: r.rename(frequency="band"), "before bands are summed"),
        (lambda r: r.isel(sample=[]), "at least one sample"),
        (lambda r: r.assign(rfft=r.rfft.expand_dims(target=3)), "one target, got 3"),
    ],
)
def test_results_that_cannot_be_drawn(explanation: Build, change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.spectrum(change(explanation().drop_vars("target")))


def test_bands_need_hertz_and_channels_need_a_channel_axis(explanation: Build) -> None:
    with pytest.raises(ValueError, match=r"got 'cycles/sample'; pass the sampling rate"):
        plots.spectrum(explanation(fs=None), bands="eeg")
    with pytest.raises(ValueError, match="without channels"):
        plots.spectrum(explanation(), channel=0)
    with pytest.raises(ValueError, match="lowest frequency"):
        plots.spectrum(explanation().isel(frequency=slice(20, None)), max_frequency=5)


def test_one_of_several_inputs_is_drawn_as_errors_say() -> None:
    def model(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return (first.sum(-1) + second.sum((1, 2)))[:, None]

    result = freqig.Explainer(model, fs=16)((np.ones((2, 16)), np.ones((2, 3, 8))))
    for name in ("rfft", "rfft_1"):
        with pytest.raises(ValueError, match="of one input, got several") as caught:
            plots.spectrum(result, name=name)
        told = str(caught.value).partition("result = ")[2]
        one = eval(told, {"result": result})
        wanted = "frequency_1" if name == "rfft_1" else "frequency_0"
        np.testing.assert_array_equal(one.frequency, result[wanted])
        below = plots.spectrum(one)[1]
        assert below.get_xlabel().startswith("frequency (Hz)")


def test_means_of_groups_are_drawn_as_errors_say() -> None:
    rng = np.random.default_rng(0)
    explainer = freqig.Explainer(lambda x: x.square().sum(-1), fs=16)
    result = explainer(rng.normal(size=(12, 16))).assign_coords(stage=("sample", ["N2", "W"] * 6))
    means = freqig.summarize(result, by="stage").assign_coords(target=1)
    with pytest.raises(ValueError, match=r"must be over samples, got 'stage', 'frequency': means") as caught:
        plots.class_spectrum(means)
    drawn = eval(str(caught.value).rpartition("time, ")[2], {"plots": plots, "result": means})
    assert drawn.get_ylabel() == "attribution (output)"

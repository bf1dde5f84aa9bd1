"""The figure of one explanation: what is drawn where, what it says, and that nothing overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from freqig import plots
from freqig.plots._style import (
    NEGATIVE,
    NEGATIVE_EDGE,
    POSITIVE,
    SIGNED_COLORMAP,
    label_with_units,
    shade_bands,
    signed_norm,
)


def explanation(
    n: int = 256, fs: float | None = 128.0, layout: dict[str, int] | None = None, names: bool = True
) -> xr.Dataset:
    """A result of two samples: random series, one strong positive and one negative frequency."""
    rng = np.random.default_rng(0)
    layout = layout or {}
    dims, shape = ("sample", *layout), (2, *layout.values())
    frequency = np.fft.rfftfreq(n, 1 / (fs or 1.0))
    attribution = 0.1 * rng.standard_normal((*shape, frequency.size))
    attribution[..., 14 % frequency.size] += 3
    attribution[..., 40 % frequency.size] -= 2
    coords: dict[str, Any] = {
        "frequency": ("frequency", frequency, {"units": "Hz" if fs else "cycles/sample"}),
        "time": ("time", np.arange(n) / (fs or 1.0), {"units": "s" if fs else "samples"}),
    }
    if names and "channel" in layout:
        coords["channel"] = [f"EEG {i}" for i in range(layout["channel"])]
    return xr.Dataset(
        {
            "rfft": ((*dims, "frequency"), attribution, {"kind": "attribution", "units": "logit"}),
            "signal": ((*dims, "time"), 10 * rng.standard_normal((*shape, n)), {"kind": "signal"}),
            "output": ("sample", [8.3131, -2.0]),
            "baseline_output": ("sample", [0.5, 0.25]),
            "target": ("sample", [1, 0]),
            "predicted": ("sample", [1, 1]),
            "completeness_gap": ("sample", [-1.5e-5, 0.2]),
            "converged": ("sample", [True, False]),
        },
        coords=coords,
    )


def bars(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Heights of all bars, and the borders between them."""
    patches = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
    return sum(patch.get_data().values for patch in patches), patches[0].get_data().edges


def texts(*axes: Axes) -> list[Text]:
    """Every piece of text that is visible in the figure."""
    found = []
    for one in axes:
        found += [*one.texts, one.title, one._left_title, one.xaxis.label, one.yaxis.label]
        for axis in (one.xaxis, one.yaxis):
            # Ticks outside the limits keep a label that is never drawn.
            low, high = sorted(axis.get_view_interval())
            slack = 1e-6 * (high - low)
            ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
            found += [label for at, label in ticks if low - slack <= at <= high + slack]
        legend = one.get_legend()
        found += legend.get_texts() if legend else []
    return [text for text in found if text.get_visible() and text.get_text()]


def assert_readable(*axes: Axes) -> None:
    """No two texts overlap, none leaves the figure, and none of those inside touches a bar."""
    figure = axes[0].get_figure(root=True)
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(*axes)]
    for (one, box), (other, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), f"{one!r} overlaps {other!r}"
    for one, box in boxes:
        assert box.x0 >= 0, one
        assert box.y0 >= 0, one
        assert box.x1 <= figure.bbox.x1, one
        assert box.y1 <= figure.bbox.y1, one
    spectrum = axes[-1]
    heights, _ = bars(spectrum)
    top = spectrum.transData.transform((0, max(heights.max(), 0)))[1]
    inside = [*spectrum.texts, *spectrum.get_legend().get_texts()]
    for text in inside:
        assert text.get_window_extent().y0 > top, f"{text.get_text()!r} touches the bars"


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


def grey(color: str) -> float:
    """Lightness as a printer without colour gives it, 0 black to 1 white."""
    return float(np.dot(to_rgb(color), [0.299, 0.587, 0.114]))


def test_signs_are_told_apart_in_grey() -> None:
    assert grey(NEGATIVE) - grey(POSITIVE) > 0.3
    # The darkest band in the background is lighter than any bar.
    assert max(grey(NEGATIVE), grey(NEGATIVE_EDGE)) < 0.88 - 0.1


def test_bars_are_the_attributions_of_the_sample() -> None:
    result = explanation()
    above, below = plots.spectrum(result, 1)
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
def test_labels_have_units(fs: float | None) -> None:
    above, below = plots.spectrum(explanation(fs=fs))
    assert above.get_xlabel() == ("time (s)" if fs else "time (samples)")
    assert below.get_xlabel() == ("frequency (Hz)" if fs else "frequency (cycles per sample)")
    assert below.get_ylabel() == "attribution (logit)"
    assert above.get_ylabel() == "signal"


def test_units_of_the_signal_are_named() -> None:
    result = explanation(layout={"channel": 2})
    result.signal.attrs["units"] = "µV"
    above, _ = plots.spectrum(result, channel="EEG 0")
    assert above.get_ylabel() == "signal (µV)"
    above, _ = plots.spectrum(result)
    assert " µV apart" in above.get_ylabel()


def test_title_tells_target_output_and_gap() -> None:
    above, _ = plots.spectrum(explanation())
    assert above.get_title(loc="left") == (
        "sample 0, target 1\nlogit 8.313 (baseline 0.5), completeness gap -1.5e-05"
    )
    above, _ = plots.spectrum(explanation(), sample=-1)
    assert above.get_title(loc="left") == (
        "sample 1, target 0, predicted 1\nlogit -2 (baseline 0.25), completeness gap 0.2, not converged"
    )


def test_title_does_without_what_the_result_lacks() -> None:
    result = explanation()[["rfft", "signal"]].mean("sample", keep_attrs=True)
    above, _ = plots.spectrum(result)
    assert above.get_title(loc="left") == ""


def test_channels_are_summed_below_and_stacked_above() -> None:
    result = explanation(layout={"channel": 8})
    above, below = plots.spectrum(result)
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


def test_one_channel_by_name_and_by_position() -> None:
    result = explanation(layout={"channel": 3})
    for channel in ("EEG 2", 2, -1):
        above, below = plots.spectrum(result, channel=channel)
        np.testing.assert_allclose(bars(below)[0], result.rfft[0, 2])
        assert f"channel {channel}" in above.get_title(loc="left")
        assert len(above.get_lines()) == 1
    numbered = result.assign_coords(channel=[7, 8, 9])
    np.testing.assert_allclose(bars(plots.spectrum(numbered, channel=7)[1])[0], result.rfft[0, 0])
    unnamed = explanation(layout={"channel": 3}, names=False)
    np.testing.assert_allclose(bars(plots.spectrum(unnamed, channel=1)[1])[0], result.rfft[0, 1])


def test_more_axes_than_channels() -> None:
    result = explanation(layout={"axis_1": 2, "channel": 3})
    above, below = plots.spectrum(result)
    np.testing.assert_allclose(bars(below)[0], result.rfft[0].sum(("axis_1", "channel")))
    names = [label.get_text() for label in above.get_yticklabels()]
    assert names == [f"{i} EEG {j}" for i in range(2) for j in range(3)]


def test_many_channels_name_only_some() -> None:
    above, below = plots.spectrum(explanation(layout={"channel": 64}))
    assert len(above.get_lines()) == 64
    assert 8 <= len(above.get_yticklabels()) <= 12
    assert_readable(above, below)


@pytest.mark.parametrize("layout", [{}, {"channel": 1}, {"channel": 8}], ids=str)
@pytest.mark.parametrize("fs", [128.0, None])
@pytest.mark.parametrize("n", [1, 2, 3, 255, 256])
def test_every_layout_and_length_is_readable(layout: dict[str, int], fs: float | None, n: int) -> None:
    above, below = plots.spectrum(explanation(n, fs, layout))
    low, high = below.get_xlim()
    assert low < 0 < high
    assert_readable(above, below)


@pytest.mark.parametrize("preset", ["sleep", "eeg"])
@pytest.mark.parametrize(("fs", "limit"), [(128.0, 40), (128.0, None), (512.0, None), (4000.0, None)])
def test_bands_are_shaded_and_named_without_overlaps(preset: str, fs: float, limit: float | None) -> None:
    above, below = plots.spectrum(explanation(256, fs), bands=preset, max_frequency=limit)
    assert_readable(above, below)
    named = [text.get_text() for text in below.texts]
    if fs == 128.0:
        expected = {"sleep": ["delta", "theta", "alpha", "sigma", "beta", "gamma"]}.get(
            preset, ["delta", "theta", "alpha", "beta", "gamma"]
        )
        assert named == expected
    # Half a bin of the 0.5 Hz wide bars is left of 0.
    assert below.get_xlim()[0] == pytest.approx(-fs / 512)


def test_bands_in_small_axes_of_a_figure_without_layout() -> None:
    pair = Figure(figsize=(5, 4)).subplots(2, gridspec_kw={"hspace": 0.6})
    pair[0].get_figure().subplots_adjust(left=0.17, top=0.85, right=0.97)
    axes = plots.spectrum(explanation(), bands="sleep", axes=pair)
    assert_readable(*axes)


def test_no_band_in_view() -> None:
    axes = Figure().subplots()
    axes.set_xlim(0, 10)
    assert shade_bands(axes, {"high": (20.0, 30.0)}, top=1.0) == 0
    assert not axes.texts


def test_max_frequency_limits_axis_and_scale() -> None:
    result = explanation()
    result.rfft[0, 100] = 1000.0
    _, below = plots.spectrum(result, max_frequency=30)
    heights, borders = bars(below)
    assert heights.size == 61
    assert below.get_xlim() == (borders[0], borders[-1]) == (-0.25, 30.25)
    assert below.get_ylim()[1] < 10
    _, all_of_it = plots.spectrum(result, max_frequency=1e6)
    assert bars(all_of_it)[0].size == 129


def test_given_axes_are_used_and_pyplot_is_left_alone() -> None:
    pair = Figure(layout="constrained").subplots(2)
    assert plots.spectrum(explanation(), axes=pair) == tuple(pair)
    assert plots.spectrum(explanation(), axes=list(pair)) == tuple(pair)
    assert plt.get_fignums() == []
    plots.spectrum(explanation())
    assert len(plt.get_fignums()) == 1


def test_attributions_of_zero() -> None:
    result = explanation()
    result["rfft"] = xr.zeros_like(result.rfft)
    _, below = plots.spectrum(result)
    assert below.get_legend() is None
    low, high = below.get_ylim()
    assert low < 0 < high


def test_the_result_is_not_changed() -> None:
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
def test_wrong_values(arguments: dict[str, Any], message: str) -> None:
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
def test_wrong_types(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        plots.spectrum(explanation(), **arguments)


def test_one_axes_is_not_enough() -> None:
    with pytest.raises(TypeError, match="axes must be two matplotlib Axes"):
        plots.spectrum(explanation(), axes=Figure().subplots())


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
def test_results_that_cannot_be_drawn(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.spectrum(change(explanation().drop_vars("target")))


def test_bands_need_hertz_and_channels_need_a_channel_axis() -> None:
    with pytest.raises(ValueError, match=r"got 'cycles/sample'; pass the sampling rate"):
        plots.spectrum(explanation(fs=None), bands="eeg")
    with pytest.raises(ValueError, match="without channels"):
        plots.spectrum(explanation(), channel=0)
    with pytest.raises(ValueError, match="lowest frequency"):
        plots.spectrum(explanation().isel(frequency=slice(20, None)), max_frequency=5)


def test_colour_limits_are_symmetric_about_zero() -> None:
    norm = signed_norm([[-3.0, 1.0], [np.nan, np.inf]])
    assert (norm.vmin, norm.vmax) == (-3, 3)
    assert norm(0.0) == 0.5
    assert (signed_norm([0.0]).vmax, signed_norm([]).vmax) == (1, 1)
    middle = plt.get_cmap(SIGNED_COLORMAP)(0.5)
    assert min(middle[:3]) > 0.9


def test_units_unknown_to_the_labels_are_shown_as_they_are() -> None:
    assert label_with_units("signal", xr.DataArray(0.0, attrs={"units": "mmHg"})) == "signal (mmHg)"
    assert label_with_units("signal", xr.DataArray(0.0)) == "signal"

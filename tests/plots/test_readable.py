"""Figures can be read: no overlaps, signs told apart in grey, colours symmetric about zero."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from unittest import mock

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from freqig import plots
from freqig.plots._labels import shade_bands
from freqig.plots._style import (
    NEGATIVE,
    NEGATIVE_EDGE,
    POSITIVE,
    SIGNED_COLORMAP,
    label_with_units,
    signed_norm,
)

from .texts import assert_apart

Build = Callable[..., xr.Dataset]
Bars = Callable[[Axes], tuple[np.ndarray, np.ndarray]]


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
    figure = axes[0].get_figure()
    figure.draw_without_rendering()
    assert_apart(figure, texts(*axes))
    spectrum = axes[-1]
    bars = [patch for patch in spectrum.patches if isinstance(patch, StepPatch)]
    highest = max(patch.get_data().values.max() for patch in bars)
    top = spectrum.transData.transform((0, max(highest, 0)))[1]
    inside = [*spectrum.texts, *spectrum.get_legend().get_texts()]
    for text in inside:
        assert text.get_window_extent().y0 > top, f"{text.get_text()!r} touches the bars"


def grey(color: str) -> float:
    """Lightness as a printer without colour gives it, 0 black to 1 white."""
    return float(np.dot(to_rgb(color), [0.299, 0.587, 0.114]))


def test_signs_are_told_apart_in_grey() -> None:
    assert grey(NEGATIVE) - grey(POSITIVE) > 0.3
    # The darkest band in the background is lighter than any bar.
    assert max(grey(NEGATIVE), grey(NEGATIVE_EDGE)) < 0.88 - 0.1


def test_many_channels_are_rows_of_a_map_with_units(explanation: Build) -> None:
    result = explanation(layout={"channel": 64})
    result.signal.attrs["units"] = "µV"
    above, below = plots.spectrum(result)
    (image,) = above.get_images()
    signal = result.signal[0]
    np.testing.assert_allclose(image.get_array(), signal - signal.median("time"))
    assert image.get_extent() == [0, 2, 64, 0]
    names = [label.get_text() for label in above.get_yticklabels()]
    assert len(names) >= 8
    for at, name in zip(above.get_yticks(), names, strict=True):
        assert name == f"EEG {int(at)}"
    (bar,) = [one for one in above.get_figure().axes if one.get_label() == "<colorbar>"]
    low, zero, high = (label.get_text() for label in bar.get_yticklabels())
    limit = image.norm.vmax
    assert (low, zero, high) == (f"−{limit:g} µV", "0", f"{limit:g} µV")
    assert limit == pytest.approx(np.percentile(np.abs(np.asarray(image.get_array())), 98), rel=0.06)
    assert_readable(above, below)


@pytest.mark.parametrize("layout", [{}, {"channel": 1}, {"channel": 8}], ids=str)
@pytest.mark.parametrize("fs", [128.0, None])
@pytest.mark.parametrize("n", [1, 2, 3, 255, 256])
def test_every_layout_and_length_is_readable(
    explanation: Build, layout: dict[str, int], fs: float | None, n: int
) -> None:
    above, below = plots.spectrum(explanation(n, fs, layout))
    low, high = below.get_xlim()
    assert low < 0 < high
    assert_readable(above, below)


@pytest.mark.parametrize("preset", ["sleep", "eeg"])
@pytest.mark.parametrize(("fs", "limit"), [(128.0, 40), (128.0, None), (512.0, None), (4000.0, None)])
def test_bands_are_shaded_and_named_without_overlaps(
    explanation: Build, preset: str, fs: float, limit: float | None
) -> None:
    above, below = plots.spectrum(explanation(256, fs), bands=preset, max_frequency=limit)
    assert_readable(above, below)
    named = [text.get_text() for text in below.texts]
    if fs == 128.0:
        expected = {"sleep": ["delta", "theta", "alpha", "sigma", "beta", "gamma"]}.get(
            preset, ["delta", "theta", "alpha", "beta", "gamma"]
        )
        assert named == expected
    # The first bar is centred at 0 and fs / 256 wide; shading must not move the limits.
    assert below.get_xlim()[0] == pytest.approx(-fs / 512)


def test_bands_in_small_axes_of_a_figure_without_layout(explanation: Build) -> None:
    pair = Figure(figsize=(5, 4)).subplots(2, gridspec_kw={"hspace": 0.6})
    pair[0].get_figure().subplots_adjust(left=0.17, top=0.85, right=0.97)
    axes = plots.spectrum(explanation(), bands="sleep", axes=pair)
    assert_readable(*axes)


def test_no_band_in_view() -> None:
    axes = Figure().subplots()
    axes.set_xlim(0, 10)
    assert shade_bands(axes, {"high": (20.0, 30.0)}, top=1.0) == 0
    assert not axes.texts


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


def _time_frequency(n_frames: int, n_channels: int) -> xr.Dataset:
    """A result in every domain that is drawn as a map, an hour long, with large and small numbers."""
    rng = np.random.default_rng(0)
    over = {
        "stft": ("stft_frequency", "stft_time"),
        "segments": ("segments_segment", "segments_frequency"),
        "filterbank": ("filterbank_band", "stft_time"),
        "wavelet": ("wavelet_level", "wavelet_position"),
        "polar": ("polar_part", "stft_frequency"),
    }
    bands = ["delta", "theta", "alpha", "sigma", "beta", "gamma", "rest"]
    time = np.linspace(0, 3600, n_frames)
    levels = ["A9", *(f"D{i}" for i in range(9, 0, -1))]
    coords: dict[str, object] = {
        "stft_time": ("stft_time", time, {"units": "s"}),
        "stft_frequency": ("stft_frequency", np.linspace(0, 512, 40), {"units": "Hz"}),
        "segments_segment": ("segments_segment", time, {"units": "s"}),
        "segments_frequency": ("segments_frequency", np.linspace(0, 512, 40), {"units": "Hz"}),
        "filterbank_band": bands,
        "wavelet_level": levels,
        "wavelet_time": (over["wavelet"], np.tile(time, (10, 1)), {"units": "s"}),
        "wavelet_frequency": (
            "wavelet_level",
            [0.0, *(366 / 2.0**i for i in range(9, 0, -1))],
            {"units": "Hz"},
        ),
        "polar_part": ["amplitude", "phase"],
    }
    sizes = {
        "stft_frequency": 40,
        "segments_frequency": 40,
        "filterbank_band": 7,
        "wavelet_level": 10,
        "polar_part": 2,
    }
    variables = {
        name: (
            ("sample", "channel", *dims),
            1e-7 * rng.normal(size=(1, n_channels, *(sizes.get(dim, n_frames) for dim in dims))),
            {"units": "probability"},
        )
        for name, dims in over.items()
    }
    scalars = {
        "output": -12345.678,
        "baseline_output": 1e-9,
        "target": 17,
        "predicted": 3,
        "completeness_gap": -1e-12,
    }
    return xr.Dataset({**variables, **{k: ("sample", [v]) for k, v in scalars.items()}}, coords=coords)


def drawn_texts(figure: Figure) -> list[Text]:
    """Every text that is drawn, those of insets and colour bars included."""
    found: list[Text] = []
    draw = Text.draw

    def note(text: Text, renderer: object) -> None:
        found.append(text)
        draw(text, renderer)

    # The layout settles first.
    figure.draw_without_rendering()
    with mock.patch.object(Text, "draw", note):
        figure.draw_without_rendering()
    return [text for text in found if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize(
    ("size", "letters", "n_frames", "n_channels"),
    [
        ((8.0, 4.5), 10, 2, 1),
        ((8.0, 4.5), 10, 2000, 8),
        ((5.0, 3.6), 10, 60, 8),
        # The column of a journal.
        ((85 / 25.4, 75 / 25.4), 8, 2, 1),
        ((85 / 25.4, 75 / 25.4), 8, 60, 8),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["stft", "segments", "filterbank", "wavelet", "polar"])
def test_maps_are_readable(
    name: str,
    n_frames: int,
    n_channels: int,
    size: tuple[float, float],
    letters: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(rcParams, "font.size", letters)
    result = _time_frequency(n_frames, n_channels)
    figure = Figure(figsize=size, layout="constrained")
    if name == "stft":
        plots.spectrogram(result, axes=figure.subplots())
    elif name == "segments":
        stages = [("W", "REM", "N1", "N2", "N3")[i % 5] for i in range(n_frames)]
        plots.segments(result, classes=stages, axes=figure.subplots())
    elif name == "filterbank":
        plots.components(result, name=name, axes=figure.subplots())
    elif name == "wavelet":
        plots.wavelet(result, axes=figure.subplots())
    else:
        plots.polar(result, bands="sleep", max_frequency=60, axes=figure.subplots(2))
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn_texts(figure)]
    assert len(boxes) > 8
    for (one, box), (other, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), f"{one!r} overlaps {other!r}"
    for one, box in boxes:
        assert box.x0 >= 0, one
        assert box.y0 >= 0, one
        assert box.x1 <= figure.bbox.x1 + 0.5, one
        assert box.y1 <= figure.bbox.y1 + 0.5, one

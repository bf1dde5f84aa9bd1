"""What every figure can be told: title, limits, scales, and an explanation that is a mean of several."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.text import Text

import freqig
from freqig import plots
from freqig.reporting.words.naming import summarised

Bars = Callable[[Axes], tuple[np.ndarray, np.ndarray]]
Draw = Callable[..., Any]

MAPS: list[tuple[Draw, str]] = [
    (plots.spectrogram, "stft"),
    (plots.segments, "segments"),
    (plots.components, "filterbank"),
    (plots.components, "ica_rfft"),
    (plots.wavelet, "wavelet"),
]
BARS: list[tuple[Draw, str]] = [
    (plots.spectrum, "rfft"),
    (plots.polar, "polar"),
    (plots.waveform, "waveform"),
]
ALL = [*MAPS, *BARS]


@pytest.fixture(scope="module")
def result(maps: xr.Dataset) -> xr.Dataset:
    """Two samples in every domain that has a figure; the wavelet coefficients are made up."""
    nan = np.nan
    over = ("wavelet_level", "wavelet_position")
    return maps.assign(
        waveform=maps.ica.sum("ica_component").assign_attrs(maps.ica.attrs),
        wavelet=(("sample", *over), np.arange(12.0).reshape(2, 2, 3) - 5, {"units": "log_prob"}),
    ).assign_coords(
        wavelet_level=["A1", "D1"],
        wavelet_time=(over, [[0.5, 1.5, nan], [0.5, 1.5, 2.5]], {"units": "s"}),
        wavelet_frequency=("wavelet_level", [0.0, 2.0], {"units": "Hz"}),
    )


def call(draw: Draw, result: xr.Dataset, name: str, **options: Any) -> tuple[Axes, Axes]:
    """The uppermost axes, and those of the attributions."""
    named = {} if draw is plots.spectrum else {"name": name}
    drawn = draw(result, **named, **options)
    return drawn if isinstance(drawn, tuple) else (drawn, drawn)


def limit(axes: Axes) -> float:
    """Where colours or heights end."""
    meshes = [one for one in axes.collections if isinstance(one, QuadMesh)]
    return float(meshes[0].norm.vmax) if meshes else -axes.get_ylim()[0]


@pytest.mark.parametrize(("draw", "name"), ALL)
def test_every_figure_takes_a_title_a_limit_and_a_scale(result: xr.Dataset, draw: Draw, name: str) -> None:
    above, axes = call(draw, result, name, title="Mine", vmax=0.125, xscale="log")
    assert above.get_title(loc="left") == "Mine"
    assert limit(axes) == 0.125
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] > 0
    assert call(draw, result, name, title="")[0].get_title(loc="left") == ""


@pytest.mark.parametrize(("draw", "name"), ALL)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"title": 3}, TypeError, "title must be a string|parameter .title."),
        ({"vmax": 0}, ValueError, "vmax must be finite and above 0, got 0"),
        ({"vmax": float("nan")}, ValueError, "vmax must be finite"),
        ({"vmax": "1"}, TypeError, "vmax must be a number|parameter .vmax."),
        ({"xscale": "symlog"}, ValueError, "xscale must be one of 'linear', 'log', got 'symlog'"),
    ],
)
def test_bad_options_are_named(
    result: xr.Dataset, draw: Draw, name: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(draw, result, name, **options)


def test_an_error_leaves_no_figure_half_drawn(result: xr.Dataset) -> None:
    panels = Figure().subplots(2)
    with pytest.raises(ValueError, match="vmax must be finite and above 0"):
        plots.spectrum(result, vmax=-1, axes=panels)
    assert not any(panel.has_data() for panel in panels)
    before = plt.get_fignums()
    with pytest.raises(ValueError, match="yscale must be 'linear' where nothing above zero"):
        plots.spectrogram(result.isel(stft_frequency=[0]), yscale="log")
    assert plt.get_fignums() == before


@pytest.mark.parametrize(("draw", "name"), MAPS)
def test_one_cell_does_not_set_the_scale_of_a_robust_map(result: xr.Dataset, draw: Draw, name: str) -> None:
    loud = result.copy(deep=True)
    loud[name][(0,) * loud[name].ndim] = 1e6
    _, plain = call(draw, loud, name)
    _, robust = call(draw, loud, name, robust=True)
    assert limit(plain) > 1e5
    assert limit(robust) <= float(abs(result[name][0]).sum())
    # Arrows on the colour bar say that there is more.
    (bar,) = [one for one in robust.get_figure().axes if one.get_label() == "<colorbar>"]
    assert len(bar.patches) > len([one for one in bar.patches if one.get_hatch()])
    with pytest.raises(ValueError, match="robust must be False where vmax sets the scale"):
        call(draw, loud, name, robust=True, vmax=1)
    with pytest.raises(TypeError, match=r"robust must be True or False, got 3|parameter .robust."):
        call(draw, loud, name, robust=3)


@pytest.mark.parametrize("draw", [plots.spectrogram, plots.segments])
def test_frequency_of_a_map_can_be_logarithmic(result: xr.Dataset, draw: Draw) -> None:
    axes = draw(result, yscale="log")
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] > 0
    with pytest.raises(ValueError, match="yscale must be one of"):
        draw(result, yscale="Log")


@pytest.mark.parametrize(("draw", "name"), ALL)
def test_a_mean_over_samples_is_drawn(result: xr.Dataset, draw: Draw, name: str) -> None:
    mean = result.mean("sample", keep_attrs=True)
    for one in (
        mean,
        # The mean of one variable, among numbers of single samples that say nothing of it.
        result.assign({name: mean[name]}),
    ):
        above, axes = call(draw, one, name)
        assert "sample 0" not in above.get_title(loc="left")
        total = float(mean[name].sel(polar_part="amplitude").sum() if name == "polar" else mean[name].sum())
        if axes.get_xlabel().startswith("time"):
            drawn = _sum_of(axes)
            assert drawn == pytest.approx(total, abs=1e-9) or name in ("stft", "segments")
    assert not [
        text
        for text in call(draw, result.assign({name: mean[name]}), name)[0].texts
        if "gap" in text.get_text()
    ]


def _sum_of(axes: Axes) -> float:
    meshes = [one for one in axes.collections if isinstance(one, QuadMesh)]
    cells = [np.ma.filled(one.get_array(), 0).sum() for one in meshes]
    return float(
        sum(cells) + sum(one.get_data().values.sum() for one in axes.patches if hasattr(one, "get_data"))
    )


@pytest.mark.parametrize(("draw", "name"), ALL)
def test_several_explanations_are_refused_with_what_to_do(result: xr.Dataset, draw: Draw, name: str) -> None:
    several = xr.concat([result.isel(sample=i) for i in (0, 1)], dim="subject")
    with pytest.raises(
        ValueError, match=r"got 2 along 'subject'; select one.*isel\(subject=0\).*result.mean\('subject'\)"
    ):
        call(draw, several, name)


def test_the_share_of_a_mean_that_did_not_converge_is_told(result: xr.Dataset) -> None:
    mean = result.assign(converged=("sample", [True, False])).mean("sample")
    above, _ = plots.spectrum(mean)
    assert next(text.get_text() for text in above.texts).endswith(", 50 % not converged")


@pytest.mark.parametrize("name", ["rfft", "stft", "segments", "polar", "ica_rfft"])
def test_the_frequency_axis_ends_where_nearly_all_attribution_lies(maps: xr.Dataset, name: str) -> None:
    dim = {"rfft": "frequency", "ica_rfft": "frequency"}.get(name, f"{name}_frequency")
    decaying = maps.copy()
    decaying[name] = maps[name] * np.exp(-maps[dim] / 2)
    size = abs(decaying[name][0].fillna(0))
    share = (size.sum([d for d in size.dims if d != dim]) / size.sum()).cumsum(dim)
    end = float(share[dim][int((share < 0.995).sum())])
    draw = {
        "rfft": plots.spectrum,
        "stft": plots.spectrogram,
        "segments": plots.segments,
        "polar": plots.polar,
    }
    _, axes = call(draw.get(name, plots.components), decaying, name)
    along_y = name in ("stft", "segments")
    high = (axes.get_ylim() if along_y else axes.get_xlim())[1]
    spacing = float(maps[dim][1] - maps[dim][0])
    assert end <= high <= end + spacing
    assert end < 0.6 * float(maps[dim].max())
    label = axes.get_ylabel() if along_y else axes.get_xlabel()
    assert " ".join(label.split()) == "frequency (Hz), up to 99.5 % of |attribution|"
    _, axes = call(draw.get(name, plots.components), decaying, name, max_frequency=float("inf"))
    label = axes.get_ylabel() if along_y else axes.get_xlabel()
    assert label == "frequency (Hz)"
    assert (axes.get_ylim() if along_y else axes.get_xlim())[1] >= float(maps[dim].max())


def test_markers_are_lines_with_names(maps: xr.Dataset) -> None:
    _, below = plots.spectrum(maps, markers={"BPFO": 10.7, "mains": 25}, harmonics=2, max_frequency=30)
    named = {text.get_text(): text.xy[0] for text in below.texts}
    assert named == {"BPFO": 10.7, "2×BPFO": 21.4, "mains": 25}
    upright = [line.get_xdata()[0] for line in below.get_lines() if len(set(line.get_xdata())) == 1]
    assert sorted(upright) == [10.7, 21.4, 25]
    assert below.get_xlim()[1] < 31
    # Where no end is set, markers are in view though all attribution lies below.
    low = maps.assign(rfft=maps.rfft * (maps.frequency < 5))
    _, below = plots.spectrum(low, markers={"BPFO": 20})
    assert below.get_xlim()[1] > 20
    above, below = plots.polar(maps, markers={"x": 10})
    assert [text.get_text() for text in above.texts if text.get_text() == "x"] == ["x"]
    assert not below.texts


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"markers": 107}, TypeError, r"markers must be a mapping of names to frequencies.*got 107"),
        ({"markers": ["BPFO"]}, TypeError, "markers must be a mapping"),
        ({"markers": {"BPFO": -3}}, ValueError, r"markers\['BPFO'\] must be finite and above 0, got -3"),
        ({"markers": {"BPFO": "a"}}, TypeError, r"markers\['BPFO'\] must be a number"),
        ({"markers": {"BPFO": 107}}, ValueError, r"markers\['BPFO'\] must be at most 32, the highest"),
        ({"markers": {"a": 1}, "harmonics": 0}, ValueError, "harmonics must be at least 1, got 0"),
        ({"harmonics": 1.5}, TypeError, "harmonics must be an integer|parameter .harmonics."),
        ({"max_frequency": True}, TypeError, "max_frequency must be a number"),
        ({"signal": 1}, TypeError, "signal must be True, False or None, got 1|parameter .signal."),
    ],
)
def test_bad_markers_are_named(
    maps: xr.Dataset, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.spectrum(maps, **options)


def test_a_waveform_is_drawn_over_time(result: xr.Dataset, bars: Bars) -> None:
    above, below = plots.waveform(result, 1, channel=None, axes=Figure(figsize=(8, 5)).subplots(2))
    heights, borders = bars(below)
    np.testing.assert_allclose(heights, result.waveform[1], atol=1e-12)
    np.testing.assert_allclose(borders[:-1], result.time)
    assert above.get_xlim() == below.get_xlim() == (0, 200 / 64)
    assert below.get_xlabel() == "time (s)"
    assert below.get_ylabel() == "attribution (logit)"
    alone = Figure(figsize=(2, 2), layout="constrained").subplots()
    assert plots.waveform(result, axes=alone) is alone
    assert bars(alone)[0].size < 200
    assert bars(alone)[0].sum() == pytest.approx(float(result.waveform[0].sum()))
    assert "samples" in alone.get_ylabel()


def test_a_waveform_of_time_sums_its_channels(bars: Bars) -> None:
    x = np.random.default_rng(0).normal(size=(1, 2, 40))
    explainer = freqig.Explainer(lambda x: x.square().sum((1, 2))[:, None], fs=20.0, domains=freqig.Time())
    explained = explainer(x, target=0)
    _, below = plots.waveform(explained)
    np.testing.assert_allclose(bars(below)[0], (x[0] ** 2).sum(0), rtol=1e-4)
    assert below.get_ylabel() == "attribution (output)\nsum of 2 channels"
    np.testing.assert_allclose(bars(plots.waveform(explained, channel=1)[1])[0], x[0, 1] ** 2, rtol=1e-4)


def test_bands_rise_as_frequencies_do_and_have_edges(maps: xr.Dataset) -> None:
    shuffled = maps.isel(filterbank_band=[1, 2, 0])
    for one in (maps, shuffled):
        axes = plots.components(one, name="filterbank")
        rows = [label.get_text().split() for label in axes.get_yticklabels()]
        assert [row[:-1] for row in rows] == [["alpha", "8–12", "Hz"], ["beta", "12–30", "Hz"], ["rest"]]
        low, high = axes.get_ylim()
        assert low < high
        (mesh,) = [found for found in axes.collections if isinstance(found, QuadMesh)]
        total = mesh.get_array().reshape(3, -1).sum(axis=1)
        np.testing.assert_allclose(total, maps.filterbank[0].sum(("channel", "time")), atol=1e-9)
        told = [float(row[-1].replace("\N{MINUS SIGN}", "-")) for row in rows]
        assert told == pytest.approx(total.tolist(), abs=0.006 * np.abs(total).max())


@pytest.mark.parametrize(("draw", "name"), ALL)
@pytest.mark.parametrize("units", ["log_prob", "probability", "margin", "my_score"])
def test_no_text_is_a_raw_identifier(result: xr.Dataset, draw: Draw, name: str, units: str) -> None:
    told = result.copy()
    for key in (name, "output", "baseline_output"):
        told[key] = told[key].assign_attrs(units=units)
    above, _ = call(draw, told, name)
    figure = above.get_figure()
    figure.draw_without_rendering()
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert not [text for text in texts if "_" in text]
    words = {"log_prob": "log probability", "my_score": "my score"}.get(units, units)
    assert any(words in text for text in texts)


def test_small_and_large_numbers_have_their_power_in_the_label(maps: xr.Dataset) -> None:
    for factor, power in ((1e-9, "10⁻¹⁰"), (1e9, "10⁸")):
        small = maps.assign(rfft=factor * maps.rfft / float(abs(maps.rfft[0].sum("channel")).max()) / 2)
        small["rfft"] = small.rfft.assign_attrs(units="logit")
        _, below = plots.spectrum(small, max_frequency=np.inf)
        below.get_figure().draw_without_rendering()
        assert f"({power} logit)" in below.get_ylabel()
        assert below.yaxis.get_offset_text().get_text() == ""
        ticks = [float(label.get_text().replace("−", "-")) for label in below.get_yticklabels()]
        assert max(np.abs(ticks)) <= 10


def test_bad_options_of_every_figure_are_refused_by_name() -> None:
    # In a process of its own, since annotations are checked here, which users do not do.
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("bad_options.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "", ran.stdout


@pytest.mark.parametrize("draw", [plots.spectrum, plots.waveform])
def test_robust_bars_end_where_most_do(result: xr.Dataset, draw: Draw) -> None:
    name = "rfft" if draw is plots.spectrum else "waveform"
    tall = result.copy(deep=True)
    tall[name][0, ..., 5] = 1000.0
    options: dict[str, Any] = {"signal": False, **({"max_frequency": np.inf} if name == "rfft" else {})}
    low, high = draw(tall, robust=True, **options).get_ylim()
    summed = tall[name][0].sum([dim for dim in tall[name][0].dims if dim == "channel"])
    assert high == pytest.approx(-low) == pytest.approx(np.percentile(np.abs(summed), 98), rel=0.05)
    assert high < 100
    with pytest.raises(ValueError, match="robust must be False where vmax sets the scale"):
        draw(tall, robust=True, vmax=3, **options)


def test_a_spectrum_of_another_name_and_of_quefrencies(bars: Bars) -> None:
    """A voice of 100 Hz: the energy of its harmonics stands at a quefrency of 10 ms."""
    fs, n = 2000.0, 1000
    voice = sum(np.sin(2 * np.pi * 100 * k * np.arange(n) / fs + k) for k in range(1, 9))
    x = (voice + 0.1 * np.random.default_rng(0).normal(size=n))[None]

    def prominence(x: torch.Tensor) -> torch.Tensor:
        level = torch.log(torch.fft.rfft(x).abs() + 1e-3)
        return torch.fft.irfft(level, n)[:, [20]]

    domains = [freqig.RFFT(name="power"), freqig.Cepstrum()]
    found = freqig.Explainer(prominence, fs=fs, domains=domains)(
        x, baseline=freqig.baselines.flat_log_spectrum()
    )
    axes = Figure(figsize=(8, 5)).subplots()
    heights, borders = bars(plots.spectrum(found, name="cepstrum", markers={"pitch": 0.01}, axes=axes))
    assert (borders[heights.argmax()] + borders[heights.argmax() + 1]) / 2 == pytest.approx(0.01, abs=1e-4)
    assert axes.get_xlabel().startswith("quefrency (s)")
    below = plots.spectrum(found, name="power", signal=False)
    assert below.get_xlabel().startswith("frequency (Hz)")
    with pytest.raises(ValueError, match=r"bands are in Hz, so result.cepstrum_quefrency must have"):
        plots.spectrum(found, name="cepstrum", bands="eeg")
    with pytest.raises(ValueError, match=r"scale.*mel"):
        plots.spectrum(found, name="cepstrum", scale="mel")


def test_of_a_forecast_no_class_is_predicted() -> None:
    """An output may be a horizon; where it has a name or a truth, it is a class."""
    torch.manual_seed(0)
    model, x = torch.nn.Linear(48, 12), np.random.default_rng(0).normal(size=(6, 48)).astype(np.float32)
    highest = model(torch.from_numpy(x)).argmax(1).tolist()
    other = next(i for i, place in enumerate(highest) if place != 5)

    def titled(explainer: freqig.Explainer, **asked: Any) -> str:
        result = explainer(x, target=5, **asked)
        return str(plots.spectrum(result, other, signal=False).get_title(loc="left"))

    bare = freqig.Explainer(model, fs=1 / 3600)
    assert f"target 5, highest output {highest[other]}\n" in titled(bare)
    result = bare(x, target=5)
    assert "class" not in freqig.methods_text(result).split("Paths began")[0]
    assert "predicted" not in "".join(one.text for one in summarised(result)[:2])
    assert f"predicted {highest[other]}" in titled(bare, truth=[5] * 6)
    assert f"predicted {highest[other]}" in titled(freqig.Explainer(model, fs=1 / 3600, output="margin"))
    named = freqig.Explainer(model, fs=1 / 3600, classes=[f"c{i}" for i in range(12)])
    assert f"predicted 'c{highest[other]}'" in titled(named)

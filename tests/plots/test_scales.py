"""Frequency axes to the ear, markers across maps, and titles that name files and classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from freqig import Explainer, plots

from .texts import assert_apart

Draw = Callable[..., Any]
OVER_FREQUENCY: list[tuple[Draw, str, str]] = [
    (plots.spectrum, "rfft", "x"),
    (plots.polar, "polar", "x"),
    (plots.components, "ica_rfft", "x"),
    (plots.spectrogram, "stft", "y"),
    (plots.segments, "segments", "y"),
]


def call(draw: Draw, result: xr.Dataset, name: str, **options: Any) -> Axes:
    drawn = draw(result, **({} if draw is plots.spectrum else {"name": name}), **options)
    return drawn[-1] if isinstance(drawn, tuple) else drawn


@pytest.mark.parametrize(("draw", "name", "along"), OVER_FREQUENCY)
def test_scale_is_that_of_the_frequency_axis(maps: xr.Dataset, draw: Draw, name: str, along: str) -> None:
    axes = call(draw, maps, name, scale="log")
    other = "y" if along == "x" else "x"
    assert getattr(axes, f"get_{along}scale")() == "log"
    assert getattr(axes, f"get_{other}scale")() == "linear"
    assert getattr(axes, f"get_{along}lim")()[0] > 0
    with pytest.raises(ValueError, match=r"scale must be one of 'linear', 'log', 'mel', got 'bark'"):
        call(draw, maps, name, scale="bark")
    with pytest.raises(
        ValueError, match=f"{along}scale must be left out where scale='mel' is given, got 'log'"
    ):
        call(draw, maps, name, scale="mel", **{f"{along}scale": "log"})


@pytest.mark.parametrize("loud", [1e-6, 1e3])
@pytest.mark.parametrize(("draw", "name", "along"), [*OVER_FREQUENCY, (plots.compare, "rfft", "x")])
def test_what_has_no_place_on_a_logarithmic_axis_is_told(
    maps: xr.Dataset, draw: Draw, name: str, along: str, loud: float
) -> None:
    """The bar at 0 Hz may be the largest of all: scales are those of what is drawn, and the label says it."""
    changed = maps.copy(deep=True)
    (dim,) = [str(dim) for dim in maps[name].dims if str(dim).endswith("frequency")]
    changed[name].loc[{dim: 0.0}] *= loud
    axes = call(draw, changed, name, scale="log", **({"other": changed} if draw is plots.compare else {}))
    said = " ".join(getattr(axes, f"get_{along}label")().split())
    size = np.abs(changed[name].isel(sample=0))
    share = 100 * float(size.sel({dim: 0.0}).sum() / size.sum())
    assert (f"without 0 Hz, {share:.1f} % of |attribution|" in said) == (loud > 1), said
    others = float(
        size.where(size[dim] > 0).sum([d for d in ("channel", "ica_component") if d in size.dims]).max()
    )
    for mesh in axes.collections:
        if isinstance(mesh, QuadMesh):
            assert mesh.norm.vmax <= others
    for patch in axes.patches:
        if isinstance(patch, StepPatch):
            assert abs(patch.get_data().values).max() <= others
            assert patch.get_data().edges[0] > 0


def test_amplitudes_stand_at_their_frequencies_on_a_logarithmic_axis(maps: xr.Dataset) -> None:
    own = Explainer(lambda x: x.mean((-1, -2))[:, None], fs=64.0)(maps.signal.values + 2.0, target=0)
    *_, spectrum, below = plots.sample(own, scale="log", max_frequency=np.inf)
    patch = next(one for one in spectrum.patches if isinstance(one, StepPatch)).get_data()
    n = own.sizes["time"]
    amplitude = 2 * np.sqrt((np.abs(np.fft.rfft(own.signal[0])) ** 2).mean(0)) / n
    np.testing.assert_allclose(patch.values[:-1], amplitude[1:-1], rtol=1e-6)
    assert patch.edges[0] == pytest.approx(own.frequency.values[1] / 2)
    assert "without 0 Hz" in below.get_xlabel()


@pytest.mark.parametrize("highest", [30.0, 100.0, 4000.0])
def test_names_of_mel_fit_any_rate(highest: float) -> None:
    frequency = ("frequency", np.linspace(0, highest, 101), {"units": "Hz"})
    one = xr.Dataset({"rfft": ("frequency", np.ones(101), {"kind": "attribution"})}, {"frequency": frequency})
    axes = plots.spectrum(one, scale="mel", axes=Figure((8, 4)).subplots())
    at = [float(label.get_text()) for label in axes.get_xticklabels()]
    assert len(at) >= 4
    assert at[0] == 0


@pytest.mark.parametrize("kind", ["x", "y"])
@pytest.mark.parametrize("size", [(85 / 25.4, 2.2), (8.0, 6.0)])
def test_names_of_mel_are_apart_at_any_size(kind: str, size: tuple[float, float]) -> None:
    """From 50 to 200 Hz is a twentieth of what a sound of 16 kHz has of mel."""
    rng, frequency = np.random.default_rng(0), np.arange(0, 8001.0, 50)
    about = ("frequency", frequency, {"units": "Hz"})
    attrs = {"kind": "attribution", "units": "logit"}
    with rc_context({"font.size": 8}):
        figure = Figure(size, layout="constrained")
        if kind == "x":
            one = xr.Dataset({"rfft": ("frequency", rng.normal(size=161), attrs)}, {"frequency": about})
            axes = plots.spectrum(one, scale="mel", axes=figure.subplots(), signal=False)
        else:
            values = ("frequency", "time"), rng.normal(size=(161, 5)), attrs
            time = "time", np.arange(5.0), {"units": "s"}
            one = xr.Dataset({"stft": values}, {"frequency": about, "time": time})
            axes = plots.spectrogram(one, scale="mel", axes=figure.subplots())
        below = axes[-1] if isinstance(axes, tuple) else axes
        figure.draw_without_rendering()
        labels = list((below.xaxis if kind == "x" else below.yaxis).get_ticklabels())
        assert_apart(figure, labels)
        assert len(labels) >= 3


@pytest.mark.parametrize(("draw", "name", "along"), OVER_FREQUENCY)
def test_mel_is_even_to_the_ear(maps: xr.Dataset, draw: Draw, name: str, along: str) -> None:
    axes = call(draw, maps, name, scale="mel", max_frequency=np.inf)
    i = "xy".index(along)
    low, high = getattr(axes, f"get_{along}lim")()
    at = np.array([low, 5.0, 12.0, high])
    points = axes.transData.transform(np.stack([at, at], axis=1))[:, i]
    mel = 2595 * np.log10(1 + at / 700)
    np.testing.assert_allclose(np.diff(points) / np.ptp(points), np.diff(mel) / np.ptp(mel), atol=1e-9)
    named = maps.copy()
    for coordinate in named.coords.values():
        if coordinate.attrs.get("units") == "Hz":
            coordinate.attrs["units"] = "cycles/sample"
    with pytest.raises(ValueError, match="scale must be 'linear' or 'log' where frequencies are not in Hz"):
        call(draw, named, name, scale="mel")


@pytest.mark.parametrize(
    ("draw", "name"),
    [(plots.spectrogram, "stft"), (plots.segments, "segments"), (plots.components, "ica_rfft")],
)
def test_markers_cross_maps(maps: xr.Dataset, draw: Draw, name: str) -> None:
    axes = call(draw, maps, name, markers={"BPFO": 10.7}, harmonics=2)
    upright = draw is plots.components
    lines = [line.get_xdata() if upright else line.get_ydata() for line in axes.get_lines()]
    assert sorted(float(at[0]) for at in lines if len(set(at)) == 1) == [10.7, 21.4]
    names = {text.get_text(): text for text in axes.texts}
    assert {"BPFO", "2×BPFO"} <= names.keys()
    figure = axes.get_figure()
    figure.draw_without_rendering()
    one, two = (names[key].get_window_extent() for key in ("BPFO", "2×BPFO"))
    assert not one.overlaps(two)
    for box in (one, two):
        assert box.x1 <= axes.bbox.x1 + 1
        assert box.y1 <= axes.bbox.y1 + 1


def test_names_of_close_markers_keep_apart(maps: xr.Dataset) -> None:
    axes = plots.spectrogram(maps, markers={"a": 10.0, "b": 10.1, "c": 10.2})
    axes.get_figure().draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text() in "abc" and text.get_text()]
    assert len(boxes) == 3
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_over_time_there_is_neither_scale_nor_marker(maps: xr.Dataset) -> None:
    for option, value in (("scale", "log"), ("markers", {"a": 10}), ("max_frequency", 3)):
        with pytest.raises(ValueError, match=f"{option} must be None for result.ica, which is over time"):
            plots.components(maps, name="ica", **{option: value})


@pytest.mark.parametrize(
    ("coords", "says"),
    [
        ({"target": ["seven", "two"]}, "sample 1: 'two'"),
        ({"target": [7, 2]}, "sample 1, target 2"),
        ({"target": ["seven", "two"], "file": ["a/7_theo_0.wav", "a/2_theo_0.wav"]}, "2_theo_0.wav: 'two'"),
        (
            {"target": ["W", "N2"], "file": ["n.edf", "n.edf"], "onset": [0.0, 30.0]},
            "n.edf at 30 s: 'N2'",
        ),
        (
            {"target": ["W", "N2"], "truth": ["W", "N3"], "predicted": ["W", "N1"]},
            "sample 1: 'N2', truth 'N3', predicted 'N1'",
        ),
        ({"target": [0, 2], "truth": [0, 3], "predicted": [0, 2]}, "sample 1, target 2, truth 3"),
        ({"target": ["W", "N2"], "truth": ["W", ""], "predicted": ["W", "N2"]}, "sample 1: 'N2'"),
    ],
    ids=str,
)
def test_titles_call_files_and_classes_by_their_names(
    maps: xr.Dataset, coords: dict[str, list[Any]], says: str
) -> None:
    plain = maps.drop_vars(["target", "predicted"])
    above, _ = plots.spectrum(plain.assign_coords({k: ("sample", v) for k, v in coords.items()}), 1)
    assert above.get_title(loc="left").splitlines()[0] == says
    one = plain.assign_coords({k: ("sample", v) for k, v in coords.items()}).isel(sample=1)
    below = plots.spectrogram(one)
    assert "sample" not in below.get_title(loc="left").splitlines()[0]

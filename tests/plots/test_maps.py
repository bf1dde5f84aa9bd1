"""Maps of explanations in time and frequency: what is drawn where, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

import freqig
from freqig import plots
from freqig.plots._map import pooled
from freqig.plots._time import time_axis

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

FS, N = 64.0, 200


def meshes(axes: Axes) -> list[QuadMesh]:
    return [one for one in axes.collections if isinstance(one, QuadMesh)]


def cells(axes: Axes) -> np.ma.MaskedArray:
    (mesh,) = meshes(axes)
    return np.ma.asarray(mesh.get_array()).reshape(np.array(mesh.get_coordinates().shape[:2]) - 1)


def borders(mesh: QuadMesh) -> tuple[np.ndarray, np.ndarray]:
    at = mesh.get_coordinates()
    return at[0, :, 0], at[:, 0, 1]


def colour_bar(axes: Axes) -> Axes:
    (bar,) = [one for one in axes.get_figure().axes if one.get_label() == "<colorbar>"]
    return bar


DRAW: list[tuple[Callable[..., Any], str]] = [
    (plots.spectrogram, "stft"),
    (plots.spectrogram, "ica_stft"),
    (plots.segments, "segments"),
    (plots.components, "filterbank"),
    (plots.components, "ica"),
    (plots.components, "ica_rfft"),
]


@pytest.mark.parametrize(("draw", "name"), DRAW)
def test_every_attribution_is_drawn_in_colours_symmetric_about_zero(
    maps: xr.Dataset, draw: Callable[..., Any], name: str
) -> None:
    axes = Figure(layout="constrained").subplots()
    everything = {} if draw is plots.components and name != "ica_rfft" else {"max_frequency": np.inf}
    assert draw(maps, 1, name=name, axes=axes, **everything) is axes
    drawn = sum(float(np.ma.filled(mesh.get_array(), 0).sum()) for mesh in meshes(axes))
    np.testing.assert_allclose(drawn, float(maps[name][1].sum()), atol=1e-9)
    for mesh in meshes(axes):
        assert mesh.norm.vmin == -mesh.norm.vmax
        assert mesh.norm.vmax > 0
    label = colour_bar(axes).get_ylabel().splitlines()
    assert label[0] == "attribution (logit)"
    # A map over channels leaves none to be summed.
    assert label[1:2] == (
        ["sum of 3 channels"]
        if "channel" in maps[name].dims
        else ["sum of 3 components"]
        if name == "ica_stft"
        else []
    )
    assert axes.get_xlabel() == ("frequency (Hz)" if name == "ica_rfft" else "time (s)")
    if "frequency" in str(maps[name].dims) and name != "ica_rfft":
        assert axes.get_ylabel() == "frequency (Hz)"
    assert axes.get_title(loc="left").startswith("sample 1, target ")


def test_spectrogram_has_frames_and_frequencies_in_their_places(maps: xr.Dataset) -> None:
    axes = plots.spectrogram(maps, channel=2, max_frequency=np.inf)
    np.testing.assert_allclose(cells(axes), maps.stft[0, 2], atol=1e-12)
    x, y = borders(meshes(axes)[0])
    np.testing.assert_allclose(x[1:-1], (maps.stft_time[1:].values + maps.stft_time[:-1].values) / 2)
    np.testing.assert_allclose((y[1:-2] + y[2:-1]) / 2, maps.stft_frequency[1:-1])
    assert axes.get_xlim() == (0, float(maps.stft_time[-1]))
    assert axes.get_ylim()[0] == 0
    limited = plots.spectrogram(maps, max_frequency=10)
    assert limited.get_ylim() == (0, 11)
    assert len(cells(limited)) == 6


def covered(patch: PathPatch, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which cells between borders a patch of rectangles covers."""
    across, up = np.meshgrid((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2)
    inside = np.zeros(across.shape, dtype=bool)
    for corners in patch.get_path().vertices.reshape(-1, 5, 2):
        (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
        inside |= (left < across) & (across < right) & (bottom < up) & (up < top)
    return inside


def test_negative_cells_are_hatched_weak_ones_less_densely_and_no_others(maps: xr.Dataset) -> None:
    axes = plots.spectrogram(maps, max_frequency=np.inf)
    values = maps.stft[0].sum("channel").values
    relative = -values / np.abs(values).max()
    x, y = borders(meshes(axes)[0])
    patches = [one for one in axes.patches if isinstance(one, PathPatch)]
    keys = [one for one in colour_bar(axes).patches if getattr(one, "get_hatch", lambda: None)()]
    bounds = [(0.04, 0.25), (0.25, 0.7), (0.7, np.inf)]
    expected = [one for one in ((relative >= low) & (relative < high) for low, high in bounds) if one.any()]
    assert len(expected) > 1
    for patch, inside in zip(patches, expected, strict=True):
        np.testing.assert_array_equal(covered(patch, x, y), inside)
    # The key: the same hatches on those parts of the colour bar.
    assert [len(key.get_hatch()) for key in keys] == sorted(len(key.get_hatch()) for key in keys)
    for (weakest, _), key in zip(bounds, keys, strict=True):
        assert key.get_path().vertices[:, 1].max() == pytest.approx(-weakest * np.abs(values).max())
    looks = [(one.get_hatch(), one.get_edgecolor()) for one in keys]
    assert len(set(looks)) == 3
    assert {(one.get_hatch(), one.get_edgecolor()) for one in patches} <= set(looks)


def test_a_result_that_never_lowers_the_output_has_no_hatch(maps: xr.Dataset) -> None:
    axes = plots.spectrogram(abs(maps[["stft"]]))
    assert not [one for one in axes.patches if isinstance(one, PathPatch)]


def test_wavelet_draws_each_coefficient_as_long_as_it_lasts(levels: xr.Dataset) -> None:
    axes = plots.wavelet(levels)
    drawn = meshes(axes)
    assert [borders(mesh)[0].tolist() for mesh in drawn] == [[0, 4, 8], [0, 4, 8], [-2, 0, 2, 4, 6]]
    assert [borders(mesh)[1].tolist() for mesh in drawn] == [[0, 1], [1, 2], [2, 3]]
    # The padding of coarse levels is not drawn at all.
    np.testing.assert_array_equal(
        np.concatenate([np.ravel(mesh.get_array()) for mesh in drawn]), [1, 2, -3, 4, 0.5, 6, -7, 8]
    )
    assert {(mesh.norm.vmin, mesh.norm.vmax) for mesh in drawn} == {(-8, 8)}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A2  lowest", "D2  0.18", "D1  0.35"]
    assert axes.get_ylabel() == "level, and its frequency (Hz)"
    assert axes.get_xlim() == (0, 8)
    assert axes.get_xlabel() == f"time (s); {0.5 / 31.5:.1%} of attributions beyond the ends"


def test_wavelet_of_a_real_result() -> None:
    pytest.importorskip("ptwt")
    x = np.random.default_rng(0).normal(size=(1, 257))
    domains = [freqig.Wavelet("db4", level=4), freqig.Wavelet("db4", level=3, packets=True, name="packets")]
    result = freqig.Explainer(torch.nn.Linear(257, 2), fs=FS, domains=domains)(x)
    for name, rows in (("wavelet", 5), ("packets", 8)):
        axes = plots.wavelet(result, name=name)
        assert len(meshes(axes)) == rows
        drawn = sum(float(mesh.get_array().sum()) for mesh in meshes(axes))
        np.testing.assert_allclose(drawn, float(result[name].sum()), rtol=1e-5)
        assert axes.get_xlim()[0] == 0
    assert axes.get_ylabel() == "frequency (Hz)"
    assert axes.get_ylim() == (0, 32)


def test_segments_are_as_wide_as_they_last_and_classes_stand_above(maps: xr.Dataset) -> None:
    names = ["W", "W", "N1", None, "W"]
    axes = plots.segments(maps, classes=names, order=["W", "R", "N1"], max_frequency=20)
    whole, last = meshes(axes)
    np.testing.assert_allclose(
        np.append(borders(whole)[0], borders(last)[0][1]), [0, 0.75, 1.5, 2.25, 3, N / FS]
    )
    # The shorter last segment has frequencies further apart, and no gaps between them.
    assert not np.ma.is_masked(last.get_array())
    (row,) = axes.child_axes
    assert [label.get_text() for label in row.get_yticklabels()] == ["W", "R", "N1"]
    assert row.get_xlim() == axes.get_xlim()
    (lines,) = [one for one in row.collections if len(one.get_segments()) == 5]
    heights = [segment[0][1] if len(segment) else None for segment in lines.get_segments()]
    assert heights == [0, 0, 2, None, 0]


def test_classes_come_from_the_result_too(maps: xr.Dataset) -> None:
    plain = plots.segments(maps)
    assert not plain.child_axes
    staged = maps.assign(
        segments_class=("segments_segment", [2, 0, 2, 10, 0]), stage=("segments_segment", list("abcab"))
    )
    (row,) = plots.segments(staged).child_axes
    assert [label.get_text() for label in row.get_yticklabels()] == ["0", "2", "10"]
    (row,) = plots.segments(staged, classes="stage").child_axes
    assert [label.get_text() for label in row.get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("length", "expected"), [(170, "time (s)"), (180, "time (min)"), (7199, "time (min)"), (7200, "time (h)")]
)
def test_time_is_in_units_that_keep_numbers_short(length: float, expected: str) -> None:
    segments = xr.Dataset(
        {"segments": (("segments_segment", "segments_frequency"), np.eye(10, 4))},
        coords={
            "segments_segment": ("segments_segment", np.arange(10) * length / 10, {"units": "s"}),
            "segments_length": ("segments_segment", np.full(10, length / 10), {"units": "s"}),
            "segments_frequency": ("segments_frequency", np.arange(4.0), {"units": "Hz"}),
        },
    )
    axes = plots.segments(segments)
    assert axes.get_xlabel() == expected
    assert axes.get_xlim()[1] == pytest.approx(length / time_axis(length, "s").divisor)


def test_components_are_named_with_their_sums(maps: xr.Dataset) -> None:
    axes = plots.components(maps, name="ica")
    totals = maps.ica[0].sum("time").values
    rows = [label.get_text().split() for label in axes.get_yticklabels()]
    assert [name for name, _ in rows] == ["ICA000", "ICA001", "residual"]
    told = [float(total.replace("\N{MINUS SIGN}", "-")) for _, total in rows]
    assert told == pytest.approx(totals.tolist(), abs=0.006 * np.abs(totals).max())
    assert axes.get_ylabel() == "component, and its sum"
    assert axes.get_xlim() == (0, N / FS)
    assert axes.get_ylim() == (3, 0)
    over = plots.components(maps, name="ica_rfft", max_frequency=20)
    np.testing.assert_allclose(cells(over), maps.ica_rfft[0].sel(frequency=slice(20)), atol=1e-12)


def test_cells_that_cannot_be_seen_are_summed(maps: xr.Dataset) -> None:
    axes = Figure(figsize=(2, 2)).subplots()
    plots.components(maps, name="ica", axes=axes)
    assert cells(axes).shape[1] <= N / 2
    np.testing.assert_allclose(cells(axes).sum(axis=1), maps.ica[0].sum("time"), atol=1e-9)
    assert colour_bar(axes).get_ylabel().endswith("× 1 cells")
    values = np.array([[1.0, np.nan, np.nan, np.nan, 4.0]])
    sums, edges, each = pooled(values, np.arange(6.0), 1, 3)
    np.testing.assert_array_equal(sums, [[1, np.nan, 4]])
    np.testing.assert_array_equal(edges, [0, 2, 4, 5])
    assert each == 2


def test_polar_has_amplitudes_above_and_phases_below_on_one_scale(
    maps: xr.Dataset, bars: Callable[[Axes], tuple[np.ndarray, np.ndarray]]
) -> None:
    above, below = plots.polar(maps, 1, bands="eeg", max_frequency=np.inf)
    values = maps.polar[1].sum("channel")
    for axes, kind in ((above, "amplitude"), (below, "phase")):
        part = values.sel(polar_part=kind)
        np.testing.assert_allclose(bars(axes)[0], part, atol=1e-12)
        assert " ".join(axes.get_ylabel().split()) == (
            f"{kind} part (logit) sum {float(part.sum()):+.3g} over 3 channels"
        ).replace("-", "\N{MINUS SIGN}")
    assert above.get_ylim() == below.get_ylim()
    assert above.get_xlim() == below.get_xlim()
    assert below.get_xlabel() == "frequency (Hz)"
    gap = float(maps.polar_completeness_gap[1])
    assert f"completeness gap {gap:.2g}".replace("-", "\N{MINUS SIGN}") in [
        text.get_text() for text in above.texts
    ]
    assert len(plots.polar(maps, max_frequency=5)) == 2
    with pytest.raises(ValueError, match=r"must have the parts 'amplitude' and 'phase', got \['phase'\]"):
        plots.polar(maps.isel(polar_part=[1]))
    with pytest.raises(
        TypeError, match="axes must be two matplotlib Axes, for amplitude and for phase, got int"
    ):
        plots.polar(maps, axes=[1])


def test_a_result_of_zeros_is_blank(maps: xr.Dataset) -> None:
    for draw, name in DRAW:
        axes = draw(0 * maps, name=name)
        assert meshes(axes)[0].norm.vmax == 1

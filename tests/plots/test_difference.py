"""The figure of a comparison: what is drawn where, and that it can be read."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from freqig import plots

from .comparisons import comparison
from .texts import assert_apart


def bars(axes: Axes) -> list[tuple[float, float]]:
    """Stretches of the bars that stand for significant clusters."""
    found = [own for own in axes.patches if isinstance(own, Rectangle) and own.get_gid() == "cluster"]
    return [(own.get_x(), own.get_x() + own.get_width()) for own in found]


def panel() -> Axes:
    return Figure(figsize=(8, 3.5), layout="constrained").subplots()


def test_line_interval_and_clusters_are_where_they_are() -> None:
    result = comparison()
    axes = plots.difference(result, max_frequency=np.inf, axes=panel())
    (line,) = (own for own in axes.lines if len(own.get_xdata()) == 41)
    np.testing.assert_array_equal(line.get_ydata(), result.rfft)
    (band,) = (own for own in axes.collections if isinstance(own, PolyCollection))
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == result.rfft_lower.min()
    assert heights.max() == result.rfft_upper.max()
    assert bars(axes) == [(9.5, 14.5), (24.5, 27.5)]
    assert [own.get_text() for own in axes.texts if own.get_text().startswith("p")] == [
        "p < 0.001",
        "p = 0.031",
    ]
    low, high = axes.get_ylim()
    assert low < heights.min()
    assert high > heights.max()
    assert axes.get_title(loc="left") == "N2 − W: 9 subjects in pairs"
    assert axes.get_ylabel() == "mean difference (logit)"
    assert axes.get_xlabel() == "frequency (Hz)"
    assert [own.get_text() for own in axes.get_legend().get_texts()] == ["95 % interval", "cluster, p < 0.05"]


def test_channels_have_panels_of_one_scale() -> None:
    result = comparison(3)
    result.rfft_significant[1] = False
    panels = plots.difference(
        result, max_frequency=np.inf, axes=Figure(figsize=(8, 6), layout="constrained").subplots(3)
    )
    assert [len(bars(own)) for own in panels] == [2, 0, 2]
    assert len({own.get_ylim() for own in panels}) == 1
    one = plots.difference(result, channel="EEG 1", max_frequency=np.inf, axes=panel())
    assert bars(one) == []


def test_many_channels_are_rows_with_outlines() -> None:
    result = comparison(12)
    axes = plots.difference(result, max_frequency=np.inf, axes=panel())
    (mesh,) = (own for own in axes.collections if isinstance(own, QuadMesh))
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(12, 41), result.rfft)
    ends = {
        round(float(x), 6)
        for own in axes.collections
        if isinstance(own, LineCollection)
        for segment in own.get_segments()
        for x in segment[:, 0]
        if segment[0, 0] == segment[1, 0]
    }
    assert ends == {9.5, 14.5, 24.5, 27.5}
    assert "EEG 0" in [own.get_text() for own in axes.get_yticklabels()]


def test_times_make_a_map() -> None:
    result = comparison(times=9)
    axes = plots.difference(result, name="stft", max_frequency=np.inf, axes=panel())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (s)", "frequency (Hz)")
    lines = [own for own in axes.collections if isinstance(own, LineCollection)]
    xs = {float(x) for own in lines for segment in own.get_segments() for x in segment[:, 0]}
    assert (min(xs), max(xs)) == (5.0, 11.0)
    several = comparison(2, times=9)
    with pytest.raises(ValueError, match=r"got channel besides: pass channel="):
        plots.difference(several, name="stft", axes=panel())
    plots.difference(several, name="stft", channel="EEG 1", axes=panel())


def test_without_clusters_nothing_is_shaded() -> None:
    result = comparison().isel(cluster=[])
    result = result.assign(
        rfft_cluster=0 * result.rfft_cluster, rfft_significant=result.rfft_significant & False
    )
    for made in (result, comparison(12).assign(rfft_significant=lambda own: own.rfft_significant & False)):
        assert bars(plots.difference(made, axes=panel())) == []


def test_what_is_no_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match="result must be a comparison"):
        plots.difference(comparison().drop_vars("rfft_lower"))
    with pytest.raises(ValueError, match="result must have a variable 'rfft'"):
        plots.difference(xr.Dataset({"output": 1.0}))


@pytest.mark.parametrize("width", [85 / 25.4, 8.0])
@pytest.mark.parametrize("letters", [8, 10])
@pytest.mark.parametrize("layout", ["one", "three", "many", "times", "tiny"])
def test_texts_do_not_overlap(
    width: float, letters: int, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rcParams, "font.size", letters)
    result = {
        "one": comparison(),
        "three": comparison(3),
        "many": comparison(20),
        "times": comparison(times=9),
        "tiny": comparison(scale=1e-9),
    }[layout]
    count = 3 if layout == "three" else 1
    figure = Figure(figsize=(width, 2.0 + 1.2 * count), layout="constrained")
    axes = figure.subplots(count)
    plots.difference(result, name="stft" if layout == "times" else "rfft", max_frequency=np.inf, axes=axes)
    figure.draw_without_rendering()
    texts = []
    for own in figure.axes:
        texts += [own.title, own._left_title, own.xaxis.label, own.yaxis.label, *own.texts]
        texts += own.get_legend().get_texts() if own.get_legend() else []
    assert_apart(figure, [text for text in texts if text.get_text().strip()])

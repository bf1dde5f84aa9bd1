"""Mean explanation by class: what is drawn, and whether it can be read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from freqig.demo.flicker_figure import flicker

from ..plots.texts import assert_apart

Bars = Callable[[Axes], tuple[np.ndarray, np.ndarray]]
CLASSES = (13, 17, 21)


@pytest.fixture
def result() -> xr.Dataset:
    rng = np.random.default_rng(0)
    target = np.array([0, 1, 1, 0, 2])
    attribution = 0.1 * rng.standard_normal((5, 8, 129))
    attribution[np.arange(5), :, 2 * np.array(CLASSES)[target]] += 1
    attribution[:, 3] *= -1
    return xr.Dataset(
        {
            "rfft": (("sample", "channel", "frequency"), attribution, {"units": "logit"}),
            "target": ("sample", target),
        },
        coords={
            "channel": [f"PO{i}" for i in range(8)],
            "frequency": ("frequency", np.arange(129) / 2, {"units": "Hz"}),
        },
    )


def texts(figure: Figure) -> list[Text]:
    """Every piece of text that is drawn."""
    return [one for one in figure.findobj(Text) if one.get_visible() and one.get_text() and in_view(one)]


def in_view(text: Text) -> bool:
    """Whether it is no label of a tick outside the limits of its axes, which is never drawn."""
    for axis in (one for axes in text.get_figure().axes for one in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for at, label in zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True):
            if label is text:
                return bool(low <= at <= high)
    return True


def assert_readable(figure: Figure) -> None:
    figure.draw_without_rendering()
    assert_apart(figure, texts(figure))


def test_rows_are_means_of_classes(result: xr.Dataset, bars: Bars) -> None:
    grid = flicker(result, CLASSES, max_frequency=np.inf)
    assert grid.shape == (3, 2)
    for i, (left, right) in enumerate(grid):
        mean = result.rfft.values[result.target.values == i].mean(axis=0)
        heights, borders = bars(left)
        np.testing.assert_allclose(heights, mean.sum(axis=0), atol=1e-12)
        np.testing.assert_allclose(borders, np.arange(130) / 2 - 0.25)
        widths = [patch.get_width() for patch in right.patches if isinstance(patch, Rectangle)]
        np.testing.assert_allclose(np.reshape(widths, (2, 8)).sum(axis=0), mean.sum(axis=1), atol=1e-12)
        assert [label.get_text() for label in right.get_yticklabels()] == result.channel.values.tolist()
    assert grid[1, 0].get_title(loc="left") == "class 17 Hz, mean of 2 samples"
    assert grid[-1, 0].get_xlabel() == "frequency (Hz)"
    assert grid[1, 0].get_ylabel() == "attribution (logit)\nsum of 8 channels"
    # One scale in each column.
    assert len({axes.get_ylim() for axes in grid[:, 0]}) == len({axes.get_xlim() for axes in grid[:, 1]}) == 1
    assert_readable(grid[0, 0].get_figure())


def test_marks_are_at_f_and_2f_where_they_are_in_view(result: xr.Dataset) -> None:
    grid = flicker(result, CLASSES, max_frequency=40)
    found = [[text.get_text() for text in axes.texts] for axes in grid[:, 0]]
    assert found == [["f = 13 Hz", "2f = 26 Hz"], ["f = 17 Hz", "2f = 34 Hz"], ["f = 21 Hz"]]
    assert [text.xy[0] for text in grid[0, 0].texts] == [13, 26]
    assert grid[0, 0].get_xlim() == (-0.25, 40.25)
    assert_readable(grid[0, 0].get_figure())


def test_names_of_marks_touch_no_bar(result: xr.Dataset) -> None:
    grid = flicker(result, CLASSES, max_frequency=43)
    figure = grid[0, 0].get_figure()
    assert_readable(figure)
    highest = max(
        result.rfft.values[result.target.values == i].mean(axis=0).sum(axis=0).max() for i in range(3)
    )
    for axes in grid[:, 0]:
        top = axes.transData.transform((0, highest))[1]
        for text in axes.texts:
            assert text.get_window_extent().y0 > top
            assert text.get_window_extent().x1 < axes.get_window_extent().x1


def test_given_axes_are_used_and_returned(result: xr.Dataset) -> None:
    axes = Figure(figsize=(9, 6), layout="constrained").subplots(3, 2)
    assert (flicker(result, CLASSES, axes=axes) == axes).all()
    one = flicker(result.isel(sample=[0, 3]), CLASSES[:1], axes=Figure().subplots(1, 2))
    assert one.shape == (1, 2)


def test_a_class_without_samples_and_channels_without_names(result: xr.Dataset) -> None:
    grid = flicker(result.isel(sample=[0]).drop_vars("channel"), CLASSES)
    assert grid[2, 0].get_title(loc="left") == "class 21 Hz, mean of 0 samples"
    assert [label.get_text() for label in grid[0, 1].get_yticklabels()] == list("01234567")
    assert_readable(grid[0, 0].get_figure())
    nothing = flicker(result.isel(sample=[]), CLASSES)
    assert_readable(nothing[0, 0].get_figure())


def test_errors(result: xr.Dataset) -> None:
    with pytest.raises(TypeError):
        flicker([], CLASSES)
    with pytest.raises(
        ValueError, match=r"variable 'rfft' over channel, frequency, sample, got one over \('sample'"
    ):
        flicker(result.isel(channel=0), CLASSES)
    with pytest.raises(ValueError, match="variable 'target' over sample, got none"):
        flicker(result.drop_vars("target"), CLASSES)
    cycles = result.copy()
    cycles["frequency"] = cycles.frequency.assign_attrs(units="cycles/sample")
    with pytest.raises(
        ValueError, match=r"attrs\['units'\] 'Hz', got 'cycles/sample'; pass the sampling rate"
    ):
        flicker(cycles, CLASSES)
    with pytest.raises(ValueError, match="frequencies must be one per class, got 2 and a target 2"):
        flicker(result, CLASSES[:2])
    with pytest.raises(ValueError, match="frequencies must be at least one"):
        flicker(result.isel(sample=[]), ())
    with pytest.raises(ValueError, match="frequencies must be finite and above 0, got 0"):
        flicker(result, (0, 1, 2))
    with pytest.raises(ValueError, match=r"max_frequency must be finite and at least 0, .*got -1"):
        flicker(result, CLASSES, max_frequency=-1)
    with pytest.raises(ValueError, match=r"max_frequency must be at least 5, the lowest .*got 1"):
        flicker(result.isel(frequency=slice(10, None)), CLASSES, max_frequency=1)
    with pytest.raises(TypeError, match="axes must be 3 x 2 matplotlib Axes, two per class, got int"):
        flicker(result, CLASSES, axes=[1])

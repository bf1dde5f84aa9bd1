"""Figures in print: 85 mm wide with 8 pt, and in grey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import freqig
from freqig import plots
from freqig.plots._map import draw_grid
from freqig.plots._style import signed_norm

WIDTH = 85 / 25.4
SMALLEST = 5.4
"""Points. Six is what figures shrink to; names of rows go somewhat below rather than away."""
GREY = np.array([0.299, 0.587, 0.114])


@pytest.fixture(autouse=True)
def _eight_points() -> Iterator[None]:
    with rc_context({"font.size": 8.0}):
        yield


def panels(height: float, *count: int) -> Any:
    return Figure(figsize=(WIDTH, height), layout="constrained").subplots(*count)


def grey(figure: Figure) -> np.ndarray:
    """The figure as a printer without colour gives it, 0 black to 1 white."""
    figure.set_dpi(300)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] @ GREY / 255


def inside(figure: Figure, axes: Axes, x: float, y: float, width: float, height: float) -> np.ndarray:
    """Grey values of a rectangle in units of the data, less its edges."""
    image = grey(figure)
    (left, bottom), (right, top) = axes.transData.transform([(x, y), (x + width, y + height)])
    rows = sorted(len(image) - np.array([bottom, top]))
    return image[int(rows[0]) + 2 : int(rows[1]) - 1, int(left) + 2 : int(right) - 1]


@pytest.mark.parametrize("strength", [1.0, 0.8, 0.6, 0.3, 0.1])
def test_cells_of_both_signs_are_told_apart_in_grey_one_by_one(strength: float) -> None:
    """A negative cell of 4 × 3 points has lines that differ from its ground, and a positive one has none."""
    axes = panels(3.0)
    columns, rows = 40, 50
    values = np.zeros((rows, columns))
    places = [(10, 5), (23, 17), (37, 30), (44, 36)]
    for i, j in places:
        values[i, j] = -strength
        values[i, j - 3] = strength
    draw_grid(axes, np.arange(columns + 1.0), np.arange(rows + 1.0), values, signed_norm(values, vmax=1.0))
    figure = axes.figure
    grey(figure)
    size = axes.get_window_extent().width / columns * 72 / figure.dpi
    assert 3.5 < size < 5.5
    for i, j in places:
        lowers, raises = (inside(figure, axes, at, i, 1, 1) for at in (j, j - 3))
        assert np.ptp(raises) < 0.01
        assert np.ptp(lowers) > 0.15, (i, j)


def test_heads_and_tables_have_signs_in_grey() -> None:
    pytest.importorskip("mne")
    names = ["Fp1", "Fp2", "F3", "F4", "C3", "Cz", "C4", "P3", "Pz", "P4", "O1", "Oz", "O2"]
    front = np.array([-1.0 if name[0] == "F" else 1.0 if name[0] in "PO" else 0.0 for name in names])
    over = ("sample", "channel", "frequency")
    result = xr.Dataset(
        {"rfft": (over, front[None, :, None] * np.ones((1, 1, 40)), {"kind": "attribution"})},
        coords={"channel": names, "frequency": ("frequency", np.arange(40.0), {"units": "Hz"})},
    )
    (head,) = plots.topomap(result, bands={"alpha": (8, 13)}, axes=panels(2.5))
    left, right = head.get_xlim()
    half = (right - left) / 8
    front_half, back_half = (
        inside(head.figure, head, -half / 2, at, half, half / 2) for at in (0.55 * right, -0.75 * right)
    )
    # Electrodes and outlines aside, which are few: lines are what both halves do not share.
    assert np.std(front_half) > 2 * np.std(back_half)

    two = xr.concat([result, -result], "sample").assign_coords(target=("sample", ["up", "down"]))
    table = plots.band_table(two, {"a": (0, 20), "b": (20, 40)}, channel="Fp1", axes=panels(3))
    # Names of classes are in the order of the alphabet.
    raised, lowered = (inside(table.figure, table, 0.02, row, 0.3, 0.2) for row in (0.05, 1.05))
    assert np.ptp(raised) < 0.01
    assert np.ptp(lowered) > 0.15


def smallest(figure: Figure) -> tuple[float, str]:
    """Size of the smallest letters that are to be seen, and what they say."""
    figure.draw_without_rendering()
    shown = [
        one
        for one in figure.findobj(Text)
        if one.get_visible() and one.get_text().strip() and one.get_window_extent().width > 0
    ]
    return min((float(one.get_fontsize()), one.get_text()) for one in shown)


def many(classes: int, samples: int = 40) -> xr.Dataset:
    """Samples of several classes, of 0 to 4 kHz, of which some are right."""
    rng = np.random.default_rng(0)
    target = np.array([f"class {i % classes}" for i in range(samples)])
    f = np.arange(0.0, 4001.0, 5.0)
    values = rng.normal(size=(samples, f.size)) / (1 + f / 200)
    return xr.Dataset(
        {"rfft": (("sample", "frequency"), values, {"kind": "attribution", "units": "log_prob"})},
        coords={
            "frequency": ("frequency", f, {"units": "Hz"}),
            "target": ("sample", target),
            "predicted": ("sample", target),
            "truth": ("sample", np.roll(target, 3)),
        },
    )


@pytest.mark.parametrize("classes", [1, 2, 5, 10])
@pytest.mark.parametrize("bands", ["sleep", "octave", "third-octave", "mel"])
def test_tables_of_any_size_have_letters_that_can_be_read(bands: str, classes: int) -> None:
    """Numbers that have no room are left out, and the label says so; what is there is right."""
    result = many(classes)
    axes = plots.band_table(result, bands, axes=panels(3))
    size, text = smallest(axes.figure)
    assert size > SMALLEST - 0.01, text
    sums = freqig.bands(result, bands).rfft
    means = sums.groupby(sums.target).mean("sample")
    label = axes.get_xlabel() + axes.get_ylabel()
    if not axes.texts or not any(one.get_text() for one in axes.texts):
        assert "(no room for numbers)" in label
        return
    assert "no room" not in label
    turned = "class" in axes.get_xlabel()
    largest = float(abs(means).max())
    for one in axes.texts:
        if one.get_text() and one.get_position()[1] > 0 and "gap" not in one.get_text():
            x, y = one.get_position()
            row, column = (int(x), int(y)) if turned else (int(y), int(x))
            told = float(one.get_text().replace("\N{MINUS SIGN}", "-"))
            assert told == pytest.approx(float(means[row, column]), abs=0.06 * largest)


def test_eleven_columns_of_five_classes_keep_their_numbers() -> None:
    axes = plots.band_table(many(5), "octave", axes=panels(3.5))
    assert sum(bool(one.get_text()) for one in axes.texts) >= 55
    assert axes.get_xlabel().startswith("explained class")


@pytest.mark.parametrize("width", [WIDTH, 8.0])
def test_the_corner_of_a_map_stays_within_the_figure(maps: xr.Dataset, width: float) -> None:
    """The colour bar moves once its label is written, and the gap with it."""
    for draw, result, height in (
        (plots.band_table, maps.assign_coords(target=("sample", ["a", "b"])), 2.1),
        (plots.spectrogram, maps, 2.2),
        (plots.segments, maps, 3.0),
    ):
        axes = draw(result, axes=Figure(figsize=(width, height), layout="constrained").subplots())
        figure = axes.figure
        figure.draw_without_rendering()
        bar = figure.axes[-1]
        (gap,) = [one for one in axes.texts if "completeness gap" in one.get_text()]
        assert gap.get_window_extent().x1 == pytest.approx(bar.get_tightbbox().x1, abs=1)
        assert gap.get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize("bands", ["eeg", "octave", "third-octave", "mel"])
@pytest.mark.parametrize("draw", [plots.spectrum, plots.class_spectrum])
def test_names_of_bands_can_be_read_or_are_left_out(draw: Callable[..., Any], bands: str) -> None:
    one: Any = {"axes": panels(3, 2)} if draw is plots.class_spectrum else {"axes": panels(3)}
    drawn = draw(many(2), bands=bands, max_frequency=np.inf, scale="mel", **one)
    axes = drawn[0] if isinstance(drawn, tuple) else drawn
    size, text = smallest(axes.figure)
    assert size > SMALLEST - 0.01, text


def test_rows_of_many_bands_have_whole_names_and_sums() -> None:
    rng = np.random.default_rng(0)
    bands = {f"{100 * i} Hz": (100.0 * i, 100.0 * i + 100) for i in range(1, 25)}
    values = rng.normal(size=(1, 25, 500))
    low, high = np.array([*bands.values(), (np.nan, np.nan)]).T
    row = "filterbank_band"
    result = xr.Dataset(
        {"filterbank": (("sample", row, "time"), values, {"kind": "attribution"})},
        coords={
            row: [*bands, "rest"],
            "filterbank_low": (row, low),
            "filterbank_high": (row, high),
            "time": ("time", np.arange(500) / 8000, {"units": "s"}),
        },
    )
    axes = plots.components(result, name="filterbank", axes=panels(2.6))
    size, text = smallest(axes.figure)
    assert size > SMALLEST - 0.01, text
    told = [label.get_text() for label in axes.get_yticklabels()]
    assert len(told) > 8
    for label in told:
        name, total = label.rsplit("  ", 1)
        place = [*bands, "rest"].index(name)
        number = float(total.replace("\N{MINUS SIGN}", "-"))
        assert number == pytest.approx(values[0, place].sum(), abs=0.06 * np.abs(values.sum(2)).max())

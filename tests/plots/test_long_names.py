"""Names of thirty letters leave room for what is drawn, on a page as wide as a column."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib import rcParams
from matplotlib.figure import Figure

from freqig import plots
from freqig.cli import main
from freqig.plots._names import short_names
from freqig.plots._signal import draw_signal

from .test_pages import BANDS, night
from .test_readable import drawn_texts
from .texts import assert_apart

__all__ = ["night"]

COLUMN = 85 / 25.4
CHANNELS = [f"accelerometer_bearing_{i:02d}_left" for i in range(64)]
CLASSES = {
    "W": "awake, with closed eyes",
    "N1": "drowsy, slow eyes roll on",
    "N2": "light sleep with spindles",
    "N3": "deep sleep, with no dream",
    "R": "sleep of the rapid eyes, R",
}


@pytest.fixture(autouse=True)
def _letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rcParams, "font.size", 8)


def column(height: float, rows: int, columns: int = 1) -> tuple[Figure, list]:
    figure = Figure(figsize=(COLUMN, height), layout="constrained")
    return figure, list(np.ravel(figure.subplots(rows, columns)))


def share(figure: Figure, axes: object) -> float:
    """Share of the width of the page that the data have."""
    figure.draw_without_rendering()
    return axes.get_window_extent().width / figure.bbox.width


@pytest.mark.parametrize("channels", [3, 64])
def test_names_of_channels_leave_half_of_the_page(
    explanation: Callable[..., xr.Dataset], channels: int
) -> None:
    result = explanation(layout={"channel": channels}).assign_coords(channel=CHANNELS[:channels])
    figure, pair = column(3.4, 2)
    above, _ = plots.spectrum(result, axes=pair)
    assert share(figure, above) > 0.45
    names = [label.get_text() for label in above.get_yticklabels()]
    assert len(set(names)) == len(names)
    title, box = above._left_title, figure.bbox
    assert title.get_window_extent().x1 <= box.x1
    assert_apart(figure, drawn_texts(figure))


def test_names_of_classes_leave_room_for_the_night(night: xr.Dataset) -> None:
    named = {
        key: (night[key].dims, [CLASSES[str(label)] for label in night[key].values])
        for key in ("truth", "predicted", "target", "class")
    }
    figure, four = column(6, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.night(night.assign_coords(named), bands=BANDS, axes=four)
    assert share(figure, four[0]) > 0.3
    assert_apart(figure, drawn_texts(figure))


def test_rows_of_a_night_are_apart_in_letters_of_matplotlib(
    night: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rcParams, "font.size", 10)
    figure, four = column(4.5, 4)
    plots.night(night, axes=four)
    figure.draw_without_rendering()
    assert_apart(figure, drawn_texts(figure))
    assert len(four[3].get_yticklabels()) == 7


def test_heads_of_a_column_show_their_colours() -> None:
    mne = pytest.importorskip("mne")
    channels = mne.channels.make_standard_montage("biosemi64").ch_names
    bands = ["a band with a rather long name", "another band, which is as long", "c"]
    values = np.random.default_rng(0).normal(size=(64, 3))
    attributes = {"kind": "attribution", "units": "logit"}
    named = {"channel": channels, "band": bands, "target": "a class that has a long name"}
    result = xr.Dataset({"rfft": (("channel", "band"), values, attributes), "output": 1.0}, named)
    figure, heads = column(1.6, 1, 3)
    plots.topomap(result, axes=heads)
    figure.draw_without_rendering()
    assert_apart(figure, drawn_texts(figure))
    widths = [head.get_window_extent().width / figure.bbox.width for head in heads]
    assert min(widths) > 0.15
    # Beside each other, without a gap for the title of the first.
    gaps = np.diff([head.get_window_extent().x0 for head in heads])
    assert gaps[0] == pytest.approx(gaps[1], rel=0.2)
    assert max(float(np.max(one.get_linewidth())) for one in heads[0].collections) < 1
    with pytest.raises(ValueError, match="over at least 2 channels to be drawn on a head, got 1"):
        plots.topomap(result.isel(channel=[0]))


def test_numbers_that_could_not_be_read_are_left_out() -> None:
    names = [f"player {i}" for i in range(10)]
    values = np.random.default_rng(0).normal(size=(10, 10))
    along = ("shapley_player", "shapley_other")
    result = xr.Dataset(
        {
            "shapley_interaction": (along, values, {"kind": "attribution"}),
            "shapley_alone": (along[:1], values[0]),
        },
        {along[0]: names, along[1]: names},
    )
    wide = plots.interactions(result, axes=Figure(figsize=(8, 6), layout="constrained").subplots())
    _, (narrow,) = column(3, 1)
    plots.interactions(result, axes=narrow)
    numbers = [
        [one for one in axes.texts if one.get_text()[:1] in "+\N{MINUS SIGN}"] for axes in (wide, narrow)
    ]
    assert len(numbers[0]) > 40
    assert not [one for one in numbers[1] if one.get_text()]


def test_what_a_part_leaves_stands_where_the_signal_has_it(explanation: Callable[..., xr.Dataset]) -> None:
    signal = explanation(layout={"channel": 3}).signal[0]
    (above, below) = Figure(figsize=(8, 8)).subplots(2)
    draw_signal(above, signal)
    draw_signal(below, signal / 5, like=signal)
    assert below.get_ylim() == above.get_ylim()
    np.testing.assert_array_equal(below.get_yticks(), above.get_yticks())
    for whole, part in zip(above.get_lines(), below.get_lines(), strict=True):
        np.testing.assert_allclose(5 * np.ptp(part.get_ydata()), np.ptp(whole.get_ydata()))


def test_names_that_differ_in_their_middle_stay_apart() -> None:
    names = [f"left_leg_sensor_{letter}_mounted_on_the_outer_housing" for letter in "abc"]
    short = short_names(Figure(figsize=(COLUMN, 3)).subplots(), names)
    assert len(set(short)) == 3
    assert max(map(len, short)) < 20


def test_a_class_and_the_legend_beside_it_are_apart(explanation: Callable[..., xr.Dataset]) -> None:
    result = explanation().drop_vars(["target", "predicted"])
    labels = ("sample", [CLASSES["R"]] * 2)
    result = result.assign_coords(
        target=labels, predicted=labels, truth=("sample", [CLASSES["R"], CLASSES["W"]])
    )
    figure, one = column(2.4, 1)
    plots.class_spectrum(result, axes=one)
    figure.draw_without_rendering()
    assert_apart(figure, drawn_texts(figure))


def test_the_command_line_fits_texts_to_the_size_that_is_asked_for(
    explanation: Callable[..., xr.Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explanation(layout={"channel": 3}).assign_coords(channel=CHANNELS[:3]).to_netcdf(
        tmp_path / "r.nc", engine="h5netcdf"
    )
    seen: list[Figure] = []

    def look(figure: Figure, *_: object, **__: object) -> None:
        figure.draw_without_rendering()
        assert_apart(figure, drawn_texts(figure))
        seen.append(figure)

    monkeypatch.setattr(Figure, "savefig", look)
    asked = ["plot", tmp_path / "r.nc", "spectrum", "--out", tmp_path / "a.png", "--size", COLUMN, 4]
    CliRunner().invoke(main, list(map(str, asked)))
    (figure,) = seen
    np.testing.assert_allclose(figure.get_size_inches(), (COLUMN, 4))


def test_classes_are_counted(explanation: Callable[..., xr.Dataset]) -> None:
    axes = plots.band_table(explanation().set_coords("target"), {"slow": (0, 10)}, axes=Figure().subplots())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0 (1)", "1 (1)"]

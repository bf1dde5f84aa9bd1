"""Figures of classes: means and intervals by hand, right and wrong apart, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rcParams
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from scipy import stats

import freqig
from freqig import plots
from freqig.plots._means import mean_interval, t_quantile

from .test_readable import drawn_texts
from .texts import assert_apart

LABELS = ("N2", "REM", "W")


@pytest.fixture
def night() -> xr.Dataset:
    """Sixty decisions between three classes in two channels, a fifth of them wrong."""
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 3, 60)
    truth = np.where(rng.random(60) < 0.2, (predicted + 1) % 3, predicted)
    names = np.array(LABELS)
    values = rng.normal(size=(60, 2, 65))
    values[np.arange(60), :, 4 * predicted + 3] += 4
    return xr.Dataset(
        {
            "rfft": (("sample", "channel", "frequency"), values, {"kind": "attribution", "units": "margin"}),
            "completeness_gap": ("sample", rng.normal(size=60) / 100),
            "converged": ("sample", np.arange(60) > 2),
        },
        coords={
            "frequency": ("frequency", np.arange(65.0) / 2, {"units": "Hz"}),
            "channel": ["Fz", "Oz"],
            "target": ("sample", names[predicted]),
            "predicted": ("sample", names[predicted]),
            "truth": ("sample", names[truth]),
        },
    )


@given(st.floats(0.5, 0.9999), st.integers(1, 200))
def test_quantiles_are_those_of_student(p: float, df: int) -> None:
    assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-3, abs=1e-6)


def test_intervals_are_those_of_scipy() -> None:
    values = np.random.default_rng(0).normal(size=(7, 3))
    mean, half = mean_interval(values, 0.9)
    low, high = stats.t.interval(0.9, 6, loc=values.mean(0), scale=stats.sem(values))
    np.testing.assert_allclose(mean - half, low, rtol=1e-6)
    np.testing.assert_allclose(mean + half, high, rtol=1e-6)
    assert np.isnan(mean_interval(values[:1], 0.9)[1]).all()


@pytest.mark.parametrize("channel", [None, "Oz"])
def test_lines_are_means_of_right_and_of_wrong_decisions(night: xr.Dataset, channel: str | None) -> None:
    panels = plots.class_spectrum(night, channel=channel, max_frequency=np.inf)
    attribution = night.rfft.sum("channel") if channel is None else night.rfft.sel(channel=channel)
    for panel, label in zip(panels, LABELS, strict=True):
        lines = {
            line.get_label(): line for line in panel.get_lines() if line.get_label() in ("right", "wrong")
        }
        for word, right in (("right", True), ("wrong", False)):
            chosen = attribution[(night.target == label) & ((night.truth == night.predicted) == right)]
            np.testing.assert_allclose(lines[word].get_ydata(), chosen.mean("sample"))
            np.testing.assert_allclose(lines[word].get_xdata(), night.frequency)
            # The interval reaches as far as it should.
            band = next(
                one
                for one in panel.collections
                if isinstance(one, PolyCollection) and bool(one.get_hatch()) != right
            )
            top = band.get_paths()[0].vertices[:, 1].max()
            _, half = mean_interval(chosen.values, 0.95)
            assert top == pytest.approx(float((chosen.mean("sample").values + half).max()))
            assert f"{len(chosen)} {word}" in panel.texts[0].get_text()
    assert len({panel.get_ylim() for panel in panels}) == 1


def test_one_wrong_decision_has_no_interval_and_none_no_line(night: xr.Dataset) -> None:
    few = night.isel(
        sample=[i for i in range(60) if i in (0, 1, 2) or bool((night.truth == night.predicted)[i])]
    )
    panels = plots.class_spectrum(few)
    for panel, label in zip(panels, LABELS, strict=True):
        wrong = int(((few.target == label) & (few.truth != few.predicted)).sum())
        hatched = [one for one in panel.collections if isinstance(one, PolyCollection) and one.get_hatch()]
        assert len(hatched) == (wrong > 1)
        assert sum(line.get_label() == "wrong" for line in panel.get_lines()) == (wrong > 0)


def test_what_is_not_known_leaves_a_gap_and_not_the_rest_without_an_interval(night: xr.Dataset) -> None:
    night["rfft"][..., 20:30] = np.nan
    for panel in plots.class_spectrum(night, max_frequency=np.inf):
        bands = [one for one in panel.collections if isinstance(one, PolyCollection)]
        assert len(bands) == 2
        for one in bands:
            assert [path.vertices[:, 0].min() for path in one.get_paths()] == [0, 15]
            assert [path.vertices[:, 0].max() for path in one.get_paths()] == [9.5, 32]


def test_of_every_class_the_predicted_one_is_drawn(night: xr.Dataset) -> None:
    every = night.drop_vars(["target", "completeness_gap", "converged"]).assign(
        rfft=xr.concat([night.rfft.drop_vars("target") * (i == 1) for i in range(3)], dim="target")
    )
    every = every.assign_coords(target=list(LABELS))
    every["rfft"] = every.rfft.assign_attrs(night.rfft.attrs)
    panels = plots.class_spectrum(every, max_frequency=np.inf)
    drawn = {
        label: next(line.get_ydata() for line in panel.get_lines() if line.get_label() == "right")
        for label, panel in zip(LABELS, panels, strict=True)
    }
    assert not drawn["N2"].any()
    chosen = night.rfft.sum("channel")[(night.predicted == "REM") & (night.truth == "REM")]
    np.testing.assert_allclose(drawn["REM"], chosen.mean("sample"))
    table = plots.band_table(every)
    numbers = [
        float(text.get_text().replace("−", "-"))
        for text in table.texts
        if text.get_text()[:1] in tuple("+−0")
    ]
    assert numbers[:7] == [0] * 7


def test_table_has_the_means_of_band_sums(night: xr.Dataset) -> None:
    bands = {"low": (0, 8), "mid": (8, 16)}
    axes = plots.band_table(night, bands)
    sums = freqig.bands(night, bands).rfft.sum("channel").groupby("target").mean()
    told = np.array(
        [float(t.get_text().replace("−", "-")) for t in axes.texts if t.get_text()[:1] in tuple("+−0")]
    )
    np.testing.assert_allclose(told, sums.sel(target=list(LABELS)).values.ravel(), rtol=0.06)
    np.testing.assert_allclose(
        axes.collections[0].get_array().ravel(), sums.sel(target=list(LABELS)).values.ravel()
    )
    assert [label.get_text() for label in axes.get_xticklabels()] == ["low", "mid", "rest"]
    rows = [label.get_text().split() for label in axes.get_yticklabels()]
    assert [row[0] for row in rows] == list(LABELS)
    assert sum(int(row[1].strip("()")) for row in rows) == 60
    before = plots.band_table(freqig.bands(night, bands))
    np.testing.assert_array_equal(before.collections[0].get_array(), axes.collections[0].get_array())
    assert plots.band_table(night, bands, vmax=2).collections[0].norm.vmax == 2


def test_corner_tells_the_largest_gap_and_how_many_did_not_converge(night: xr.Dataset) -> None:
    said = f"largest completeness gap {float(abs(night.completeness_gap).max()):.2g}, 5 % not converged"
    assert said in [text.get_text() for text in plots.class_spectrum(night)[0].texts]
    assert said in [text.get_text() for text in plots.band_table(night).texts]


@pytest.mark.parametrize("draw", [plots.class_spectrum, plots.band_table])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.drop_vars("target"), "explained class of each sample as the coordinate 'target'"),
        (lambda r: r.isel(sample=0), "must be over samples"),
        (lambda r: r.drop_vars("rfft"), "must have a variable 'rfft'"),
    ],
)
def test_what_is_missing_is_named(
    night: xr.Dataset, draw: Any, change: Callable[..., Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        draw(change(night))


def test_truth_is_asked_for_where_it_comes_from(night: xr.Dataset) -> None:
    with pytest.raises(ValueError, match=r"coordinate 'truth', .*: pass truth= when you call the Explainer"):
        plots.class_spectrum(night.drop_vars("truth"))
    plots.band_table(night.drop_vars("truth"))
    with pytest.raises(ValueError, match="truth and predicted must both be names or both be numbers"):
        plots.class_spectrum(night.assign_coords(predicted=("sample", np.zeros(60, dtype=int))))


@pytest.mark.parametrize(
    ("confidence", "error"), [(0, ValueError), (1, ValueError), (95, ValueError), ("a", TypeError)]
)
def test_confidence_is_a_share(night: xr.Dataset, confidence: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"confidence"):
        plots.class_spectrum(night, confidence=confidence)


def test_decisions_of_unknown_truth_are_neither_right_nor_wrong(night: xr.Dataset) -> None:
    truth = night.truth.values.astype(object)
    truth[:30] = ""
    panels = plots.class_spectrum(night.assign_coords(truth=("sample", truth)))
    counted = [int(word) for panel in panels for word in panel.texts[0].get_text().split() if word.isdigit()]
    assert sum(counted) == 30


def test_classes_are_in_the_order_of_the_model(night: xr.Dataset) -> None:
    """Of sleep W comes first and of digits zero, whatever their letters are."""
    order = ["W", "REM", "N2", "N3"]
    known = night.assign(output=night.rfft.sum(("channel", "frequency")))
    known = known.assign(baseline_output=0 * known.output).assign_coords({"class": order})
    panels = plots.class_spectrum(known)
    assert [panel.texts[0].get_text().partition(":")[0] for panel in panels] == order[:3]
    table = plots.band_table(known)
    assert [label.get_text().split()[0] for label in table.get_yticklabels()] == order[:3]
    assert [one["class"] for one in freqig.summary(known)["classes"]] == order[:3]


def test_titles_name_the_one_channel_that_is_drawn(night: xr.Dataset) -> None:
    title = plots.class_spectrum(night, channel="Oz")[0].get_title(loc="left")
    assert title.endswith("95 % confidence bands over samples, channel Oz")
    assert (
        plots.band_table(night, channel="Oz").get_title(loc="left").endswith("by explained class, channel Oz")
    )
    assert "channel" not in plots.band_table(night).get_title(loc="left")


def test_numbers_of_a_table_have_the_decimals_of_the_largest(night: xr.Dataset) -> None:
    """Numbers such as 8.4e-05 would leave no room for letters that can be read on paper."""
    tiny = night.assign(rfft=night.rfft.where(night.frequency < 4, 1e-7 * night.rfft))
    axes = plots.band_table(tiny, channel="Oz", axes=Figure((85 / 25.4, 3), layout="constrained").subplots())
    told = [text.get_text().replace("\N{MINUS SIGN}", "-") for text in axes.texts if text.get_text()]
    # Three classes are the columns here.
    mean = freqig.bands(tiny.sel(channel="Oz")).rfft.groupby("target").mean().transpose("band", "target")
    told = [one for one in told if one.lstrip("+-").replace(".", "").isdigit()]
    numbers = [float(one) for one in told]
    np.testing.assert_allclose(numbers, mean.values.ravel(), atol=0.005 * float(abs(mean).max()))
    assert max(map(len, told)) <= 6


def test_panels_without_names_have_no_leaders_to_them(night: xr.Dataset) -> None:
    """Bands too narrow for their names have lines that lead there, in the panel with the names alone."""
    bands = {f"band {i}": (10 + 0.2 * i, 10 + 0.2 * (i + 1)) for i in range(8)}
    panels = plots.class_spectrum(night, bands=bands, max_frequency=np.inf)
    leaders = [sum(one.get_gid() == "leader" for one in panel.get_children()) for panel in panels]
    assert leaders[0]
    assert not any(leaders[1:])


def test_a_band_that_ends_the_axis_is_not_named_for_its_first_frequency(night: xr.Dataset) -> None:
    first, *_ = plots.class_spectrum(night, bands={"low": (0, 20), "high": (20, 30)}, max_frequency=20)
    texts = [text.get_text() for text in first.texts]
    assert "low" in texts
    assert "high" not in texts


def test_axes_are_one_for_each_class(night: xr.Dataset) -> None:
    axes = Figure().subplots(3)
    assert plots.class_spectrum(night, axes=axes) == tuple(axes)
    with pytest.raises(TypeError, match="axes must be 3 matplotlib Axes, one for each class, got 2: Axes"):
        plots.class_spectrum(night, axes=Figure().subplots(2))


@pytest.mark.parametrize(("width", "letters"), [(8.0, 10), (85 / 25.4, 8)])
@pytest.mark.parametrize(
    "options", [{}, {"bands": "sleep", "markers": {"spindles": 13}, "scale": "log"}], ids=str
)
def test_they_are_readable(
    night: xr.Dataset, width: float, letters: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rcParams, "font.size", letters)
    figure = Figure(figsize=(width, 6), layout="constrained")
    plots.class_spectrum(night, axes=figure.subplots(3), **options)
    assert_apart(figure, drawn_texts(figure))
    figure = Figure(figsize=(width, 3), layout="constrained")
    plots.band_table(night, axes=figure.subplots())
    assert_apart(figure, drawn_texts(figure))

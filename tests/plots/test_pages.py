"""Figures of several panels: one decision, two results, heads, and a night, against what they show."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from matplotlib import rcParams
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

import freqig
from freqig import plots
from freqig.errors import EmptyExplanationWarning
from freqig.plots._stages import stages_of

from .test_readable import drawn_texts
from .texts import assert_apart

SIZES = [(8.0, 10), (85 / 25.4, 8)]
FS, N = 100.0, 200


def heard(hertz: float, channels: int = 1) -> torch.nn.Module:
    """A model that hears one sine wave, in the first of its channels."""
    t = np.arange(N) / FS
    layer = torch.nn.Linear(channels * N, 1).double()
    torch.nn.init.zeros_(layer.weight)
    layer.weight.data[0, :N] = torch.from_numpy(np.sin(2 * np.pi * hertz * t))
    return torch.nn.Sequential(torch.nn.Flatten(), layer)


@pytest.fixture
def tones() -> xr.DataArray:
    t = np.arange(N) / FS
    both = 2 * np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 20 * t) + 3
    return xr.DataArray(
        np.stack([both, 0.5 * both])[None],
        dims=("sample", "channel", "time"),
        coords={"channel": ["Fz", "Oz"], "file": ("sample", ["a/tone.wav"])},
        attrs={"units": "V", "fs": FS},
    )


def test_a_sample_is_its_signal_its_part_its_spectrum_and_its_attributions(tones: xr.DataArray) -> None:
    explainer = freqig.Explainer(heard(20, 2), unit="uV", dtype=torch.float64)
    result = explainer(tones, target=0)
    above, part, spectrum, below = plots.sample(result, channel="Fz", explainer=explainer)
    t = np.arange(N) / FS
    np.testing.assert_allclose(above.get_lines()[0].get_ydata(), result.signal[0, 0])
    np.testing.assert_allclose(part.get_lines()[0].get_ydata(), 1e6 * np.sin(2 * np.pi * 20 * t), atol=1e-3)
    assert above.get_ylim() == part.get_ylim()
    whole, kept = (patch.get_data() for patch in spectrum.patches if isinstance(patch, StepPatch))
    shown = whole.values.size
    f = np.arange(shown) / 2
    # Amplitudes of sine waves, and the mean at 0 Hz.
    np.testing.assert_allclose(whole.values, 1e6 * (3 * (f == 0) + 2 * (f == 5) + (f == 20)), atol=1e-3)
    np.testing.assert_allclose(kept.values, 1e6 * (f == 20), atol=1e-3)
    heights = sum(patch.get_data().values for patch in below.patches if isinstance(patch, StepPatch))
    np.testing.assert_allclose(heights, result.rfft[0, 0, :shown])
    told = part.texts[0].get_text()
    assert told.startswith("part with 90 % of the positive attribution, 1 of 202 coefficients: output ")
    assert above.get_title(loc="left").startswith("tone.wav, channel Fz, target 0")


def test_a_sample_of_many_channels_layouts_and_choices(tones: xr.DataArray) -> None:
    swapped = tones.transpose("sample", "time", "channel")

    class TimeFirst(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = heard(20, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inside(x.transpose(1, 2))

    result = freqig.Explainer(TimeFirst(), time_axis=1)(swapped, target=0)
    for options in (
        {},
        {"keep": {"slow": (0, 8)}},
        {"keep": result.rfft > 0},
        {"scale": "log", "bands": "eeg"},
    ):
        assert len(plots.sample(result, **options)) == 4
    assert len(plots.sample(result.isel(sample=0))) == 4
    given = freqig.Explainer(heard(20, 2), dtype=torch.float64)(tones, target=0, baseline=0 * tones + 1)
    with pytest.raises(ValueError, match="baseline was values that were given"):
        plots.sample(given)
    assert len(plots.sample(given, baseline=0 * tones + 1)) == 4
    with pytest.raises(TypeError, match="axes must be 4 matplotlib Axes"):
        plots.sample(result, axes=Figure().subplots(2))


def pair() -> tuple[xr.Dataset, xr.Dataset]:
    rng = np.random.default_rng(0)
    found = []
    for k in (9, 20):
        values = rng.normal(size=(2, 3, 65)) / 5
        values[..., k] += 3
        found.append(
            xr.Dataset(
                {
                    "rfft": (
                        ("sample", "channel", "frequency"),
                        values,
                        {"kind": "attribution", "units": "margin"},
                    ),
                    "output": ("sample", [1.5, 2.5], {"units": "margin"}),
                    "completeness_gap": ("sample", [0.1, 0.01 * k]),
                },
                coords={
                    "frequency": ("frequency", np.arange(65.0), {"units": "Hz"}),
                    "target": ("sample", ["N2", "W"]),
                    "file": ("sample", ["one.edf", "two.edf"]),
                },
            )
        )
    return found[0], found[1]


def test_two_results_have_one_scale_and_a_similarity() -> None:
    first, second = pair()
    left, right = plots.compare(first, second, 1, names=("CNN", "LSTM"), max_frequency=np.inf)
    for axes, result in ((left, first), (right, second)):
        heights = sum(patch.get_data().values for patch in axes.patches if isinstance(patch, StepPatch))
        np.testing.assert_allclose(heights, result.rfft[1].sum("channel"))
    assert left.get_ylim() == right.get_ylim()
    assert left.get_xlim() == right.get_xlim()
    a, b = (one.rfft[1].values.ravel() for one in (first, second))
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    title = " ".join(left.get_title(loc="left").split())
    assert title == f"CNN and LSTM: two.edf: 'W', cosine similarity {cosine:.2f}"
    heads = [axes.texts[0].get_text() for axes in (left, right)]
    assert heads[0].splitlines()[0] == "CNN: margin 2.5"
    assert heads[1].splitlines()[-1] == "completeness gap 0.2"
    same, _ = plots.compare(first, first)
    assert "cosine similarity 1.00" in same.get_title(loc="left").replace("\n", " ")


def test_results_of_other_lengths_classes_and_units() -> None:
    first, second = pair()
    shorter = second.isel(frequency=slice(0, 40))
    left, right = plots.compare(first, shorter, max_frequency=np.inf)
    assert "similarity" not in left.get_title(loc="left")
    assert left.get_xlim() == right.get_xlim()
    assert left.get_xlim()[1] > 60
    left, right = plots.compare(first, second.isel(channel=[0]))
    assert " ".join(left.get_ylabel().split()).endswith("sum of 3 channels, right: no sum")
    assert not right.get_ylabel()
    other = second.assign_coords(target=("sample", ["R", "R"]))
    left, right = plots.compare(first, other)
    assert "'N2'" in left.texts[0].get_text()
    assert "'R'" in right.texts[0].get_text()
    second["rfft"] = second.rfft.assign_attrs(units="logit")
    with pytest.raises(ValueError, match="must be in one unit to share a scale, got margin and logit"):
        plots.compare(first, second)
    with pytest.raises(ValueError, match="names must be two"):
        plots.compare(first, first, names=("one",))


@pytest.fixture
def head() -> xr.Dataset:
    """Positive alpha over the occiput, negative in front."""
    names = ["Fp1", "Fp2", "F3", "F4", "C3", "Cz", "C4", "P3", "Pz", "P4", "O1", "Oz", "O2"]
    front = np.array([{"F": -1.0, "C": 0.0, "P": 1.0, "O": 2.0}[name[0]] for name in names])
    f = np.arange(0, 45, 0.5)
    values = np.outer(front, np.exp(-((f - 10) ** 2) / 2))
    return xr.Dataset(
        {"rfft": (("channel", "frequency"), values, {"kind": "attribution", "units": "margin"})},
        coords={"channel": names, "frequency": ("frequency", f, {"units": "Hz"})},
    )


def test_heads_share_a_scale_and_have_the_occiput_below(head: xr.Dataset) -> None:
    pytest.importorskip("mne")
    heads = plots.topomap(head)
    assert [axes.texts[0].get_text().splitlines()[0] for axes in heads] == [
        "delta",
        "theta",
        "alpha",
        "beta",
        "gamma",
    ]
    norms = {axes.images[0].norm.vmax for axes in heads}
    sums = freqig.bands(head, "eeg").rfft
    assert len(norms) == 1
    assert norms.pop() == pytest.approx(float(abs(sums.sel(band=sums.band != "rest")).max()))
    alpha = np.ma.filled(heads[2].images[0].get_array(), np.nan)
    half = len(alpha) // 2
    # Rows of the image rise from the back of the head to its front.
    assert np.nanmean(alpha[:half]) > 0 > np.nanmean(alpha[half:])
    assert len(plots.topomap(freqig.bands(head, {"a": (8, 12)}), vmax=3)) == 1


@pytest.mark.parametrize("width", [None, 85 / 25.4])
@pytest.mark.parametrize("count", [1, 2])
def test_few_heads_fill_their_figure_below_the_title(
    count: int, width: float | None, head: xr.Dataset
) -> None:
    pytest.importorskip("mne")
    bands = dict([("alpha", (8, 13)), ("beta", (13, 30))][:count])
    told = head.assign(output=0.5581, baseline_output=-0.01986, completeness_gap=-2e-7)
    told = told.assign_coords(target=1, predicted=0)
    given = None
    if width is not None:
        given = Figure(figsize=(width, 2.4), layout="constrained").subplots(1, count)
    heads = plots.topomap(told, bands=bands, axes=given)
    figure = heads[0].figure
    figure.canvas.draw()
    boxes = [axes.get_window_extent() for axes in figure.axes]
    assert max(box.x1 for box in boxes) - min(box.x0 for box in boxes) > 0.5 * figure.bbox.width
    assert_apart(figure, [text for text in drawn_texts(figure) if text.axes in heads])


def test_heads_need_places(head: xr.Dataset) -> None:
    mne = pytest.importorskip("mne")
    unknown = head.assign_coords(channel=[f"EEG {i}" for i in range(13)])
    with pytest.raises(
        ValueError, match=r"channels must have positions on the head, got none for EEG 0, .* and more"
    ):
        plots.topomap(unknown)
    some = head.assign_coords(channel=["EOG", "Cz-0", *head.channel.values[2:12], "F3."])
    with pytest.raises(ValueError, match=r"got none for EOG, Cz-0, F3, F3\.: pass info="):
        plots.topomap(some)
    info = mne.create_info(head.channel.values.tolist(), 100.0, "eeg")
    info.set_montage(mne.channels.make_standard_montage("biosemi64"))
    assert len(plots.topomap(head, info=info)) == 5
    with pytest.raises(
        ValueError,
        match=r"result.rfft must be over channels to be drawn on a head, got the dimensions 'frequency'",
    ):
        plots.topomap(head.isel(channel=0))


def test_a_missing_mne_names_its_extra(head: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mne", None)
    with pytest.raises(ImportError, match=r"topomap needs MNE.*freqig\[eeg\]"):
        plots.topomap(head)


CLASSES = ("W", "N1", "N2", "N3", "R")


@pytest.fixture(scope="module")
def night() -> xr.Dataset:
    """Forty epochs in two channels, two of them missing; a wave of its own in each stage."""
    rng = np.random.default_rng(0)
    stage = np.repeat([0, 2, 3, 4], 10)
    t = np.arange(300) / 10
    waves = np.array([np.sin(2 * np.pi * f * t) for f in (4.0, 3.0, 2.0, 0.8, 1.5)])
    x = waves[stage][:, None] + 0.3 * rng.normal(size=(40, 2, 300))
    onset = 30.0 * np.arange(42)
    signal = xr.DataArray(
        x,
        dims=("sample", "channel", "time"),
        coords={"onset": ("sample", np.delete(onset, [20, 21])), "file": ("sample", ["n.edf"] * 40)},
        attrs={"fs": 10.0},
    )
    weights = torch.tensor(np.concatenate([waves, 0 * waves], axis=1).T / 30)
    explainer = freqig.Explainer(
        lambda x: x.flatten(1) @ weights, dtype=torch.float64, classes=CLASSES, output="margin"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        result = explainer(signal)
    truth = np.array(CLASSES)[stage]
    truth[:4] = "N1"
    return result.assign_coords(truth=("sample", truth))


BANDS = {"slow": (0.0, 1.0), "mid": (1.0, 2.5), "fast": (2.5, 5.0)}


def test_a_night_shows_stages_probabilities_power_and_attributions(night: xr.Dataset) -> None:
    stages, density, spectrum, bands = plots.night(night, bands=BANDS, max_frequency=5)
    assert [label.get_text() for label in stages.get_yticklabels()] == ["W", "R", "N1", "N2", "N3"]
    true, predicted = (patch.get_data().values for patch in stages.patches if isinstance(patch, StepPatch))
    level = {"W": 0, "R": 1, "N1": 2, "N2": 3, "N3": 4}
    gap = [20, 21]
    np.testing.assert_array_equal(np.delete(true, gap), [level[str(s)] for s in night.truth.values])
    np.testing.assert_array_equal(np.delete(predicted, gap), [level[str(s)] for s in night.predicted.values])
    assert np.isnan(true[gap]).all()
    # Probabilities are the softmax of the outputs, stacked from N3 up.
    shares = torch.softmax(torch.tensor(night.outputs.values), 1).numpy()
    tops = [patch.get_data().values for patch in density.patches if isinstance(patch, StepPatch)]
    np.testing.assert_allclose(np.delete(tops[0], gap), shares[:, 3])
    np.testing.assert_allclose(np.delete(tops[-1], gap), 1)
    (mesh,) = [one for one in spectrum.collections if isinstance(one, QuadMesh)]
    power = np.ma.filled(mesh.get_array(), np.nan)
    edges = mesh.get_coordinates()[:, 0, 1]
    loudest = (edges[:-1] + edges[1:])[np.nanargmax(np.delete(power, gap, axis=1), axis=0)] / 2
    np.testing.assert_allclose(loudest[[0, 15, 25, 35]], [4.0, 2.0, 0.8, 1.5], atol=0.25)
    (mesh,) = [one for one in bands.collections if isinstance(one, QuadMesh)]
    sums = freqig.bands(night, BANDS).rfft.sum("channel")
    np.testing.assert_allclose(np.delete(mesh.get_array(), gap, axis=1), sums.values.T, atol=1e-9)
    title = " ".join(stages.get_title(loc="left").split())
    assert title == "n.edf: true and predicted stages of 40 epochs, 90.0 % right"
    boxes = {axes.get_position().bounds[0::2] for axes in (stages, density, spectrum, bands)}
    assert len({tuple(np.round(box, 6)) for box in boxes}) == 1


class Hypnogram:
    """What a Hypnogram of YASA has."""

    def __init__(self, stages: list[str], freq: str) -> None:
        self.hypno = pd.Series(stages, name="Stage").astype("category")
        self.freq = freq


def test_hypnograms_of_yasa_are_read(night: xr.Dataset) -> None:
    plain = night.drop_vars("truth")
    halves = ["WAKE"] * 20 + ["N2"] * 20 + ["ART"] * 4 + ["N3"] * 20 + ["REM"] * 20
    panel, *_ = plots.night(plain, hypnogram=Hypnogram(halves, "15s"), bands=BANDS)
    true = next(patch for patch in panel.patches if isinstance(patch, StepPatch)).get_data().values
    assert true[:20].tolist() == [0.0] * 10 + [3.0] * 10
    assert true[22:].tolist() == [4.0] * 10 + [1.0] * 10
    # What nobody scored, or no class stands for, is neither right nor wrong.
    scored = ["ART", "LIGHT", *night.predicted.values[2:39], "W"]
    title = plots.night(plain, hypnogram=scored, bands=BANDS)[0].get_title(loc="left")
    assert " ".join(title.split()).endswith("of 40 epochs, 97.4 % right of 38 scored")
    first = plots.night(night.isel(sample=[0]), bands=BANDS)[0].get_title(loc="left")
    assert " ".join(first.split()) == "n.edf: true and predicted stages of 1 epoch, 0.0 % right"
    with pytest.raises(ValueError, match="hypnogram must be as long as the recording, got 10 epochs of 30 s"):
        plots.night(plain, hypnogram=Hypnogram(["W"] * 10, "30s"))
    with pytest.raises(ValueError, match="hypnogram must be one per sample, so 40 of them, got 39"):
        plots.night(plain, hypnogram=["W"] * 39)
    with pytest.raises(ValueError, match="names, or positions in the 5 classes, got 5"):
        plots.night(plain, hypnogram=[5] * 40)
    numbers = plots.night(plain, hypnogram=[-1, *[3] * 39], bands=BANDS)[0]
    true = next(patch for patch in numbers.patches if isinstance(patch, StepPatch)).get_data().values
    assert np.isnan(true[0])
    assert true[1] == 4


def test_stages_have_many_names() -> None:
    begins = np.arange(5) * 30.0
    found = stages_of(["wake", "REM", "S4", "?", None], ("R", "N3", "W"), begins, "truth")
    np.testing.assert_array_equal(found, [2, 0, 1, np.nan, np.nan])


@pytest.mark.parametrize(
    ("drop", "says"),
    [
        ("outputs", r"'outputs', raw outputs by class.*pass classes= to Explainer"),
        ("truth", r"'truth', the true stage of each sample: pass hypnogram=, or truth= when you call"),
        ("signal", "must have the variable 'signal'"),
        ("target", "explained class of each sample as the coordinate 'target'"),
    ],
)
def test_what_a_night_lacks_is_named(night: xr.Dataset, drop: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plots.night(night.drop_vars(drop), bands=BANDS)


def test_a_night_is_of_one_recording(night: xr.Dataset) -> None:
    several = night.assign_coords(file=("sample", ["a"] * 20 + ["b"] * 20))
    with pytest.raises(ValueError, match="samples must be of one recording, got several files"):
        plots.night(several)
    twice = night.assign_coords(onset=("sample", np.repeat(np.arange(20) * 30.0, 2)))
    with pytest.raises(ValueError, match="got two that begin at once"):
        plots.night(twice)
    with pytest.raises(ValueError, match="order must hold every class once"):
        plots.night(night, order=["W"])
    follow = plots.night(night.drop_vars(["onset", "file"]), bands=BANDS, order=["N3", "N2", "N1", "R", "W"])
    assert follow[0].get_yticklabels()[0].get_text() == "N3"
    assert follow[0].get_xlim() == (0, 20)


@pytest.mark.parametrize(("width", "letters"), SIZES)
def test_pages_are_readable(
    tones: xr.DataArray,
    night: xr.Dataset,
    head: xr.Dataset,
    width: float,
    letters: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(rcParams, "font.size", letters)
    result = freqig.Explainer(heard(20, 2), dtype=torch.float64)(tones, target=0)
    long = result.assign_coords(file=("sample", ["subject03_record-[2012.07.11-15.33.08]_raw.fif"]))
    first, second = pair()

    def check(height: float, rows: int, columns: int, draw: Any) -> None:
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(list(np.ravel(figure.subplots(rows, columns))))
        assert_apart(figure, drawn_texts(figure))

    check(7, 4, 1, lambda axes: plots.sample(long, markers={"f": 20}, axes=axes))
    check(3.2, 1, 2, lambda axes: plots.compare(first, second, 1, names=("CNN", "LSTM"), axes=axes))
    check(6, 4, 1, lambda axes: plots.night(night, bands=BANDS, axes=axes))
    pytest.importorskip("mne")
    check(2.5, 1, 5, lambda axes: plots.topomap(head, axes=axes))

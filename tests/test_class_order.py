"""Classes stand in the order of the model's wherever they are told: W, N1, N2, N3, R, and not N1 … W."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig import cohort, plots
from freqig.groupings import class_names, in_order
from freqig.reporting.material import Material
from freqig.reporting.words.decisions import groups_of
from freqig.reporting.words.people import People

from .reporting.results import told
from .reporting.unpacking import data_of

STAGES = ["W", "N1", "N2", "N3", "R"]
N, FS, EACH = 32, 32.0, 6
ROWS = ["R", "N2", "W", "N3", "N1"] * EACH


def series() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(ROWS), 2, N)).astype(np.float32)


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * N, 5))


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    explainer = freqig.Explainer(network(), fs=FS, classes=STAGES)
    x = xr.DataArray(series(), {"channel": ["C3", "C4"]}, ("sample", "channel", "time"))
    return explainer(x, target=ROWS, truth=ROWS)


def test_labels_in_order_of_classes_then_numbers_then_letters() -> None:
    assert in_order(["R", "ART", "W", "N1", "ART"], STAGES) == ["W", "N1", "R", "ART"]
    assert in_order([10, 2, -1]) == [-1, 2, 10]
    assert in_order(["10", "2", "b", "a"]) == ["2", "10", "a", "b"]
    assert in_order([]) == []
    # A sum over samples has no axis of classes, and its settings still tell them.
    told = xr.Dataset(attrs={"settings": json.dumps({"classes": STAGES})})
    assert class_names(told) == STAGES
    assert class_names(xr.Dataset()) == []


def test_summaries_of_groups(result: xr.Dataset) -> None:
    assert freqig.summarize(result, "truth").truth.values.tolist() == STAGES
    found = freqig.summarize(result, {"stage": [*ROWS[:-1], "ART"]})
    assert found.stage.values.tolist() == [*STAGES, "ART"]
    for stage in STAGES[2:]:
        own = [row for row, one in enumerate(ROWS) if one == stage]
        expected = result.rfft.isel(sample=own).mean("sample")
        np.testing.assert_allclose(found.rfft.sel(stage=stage), expected, rtol=1e-5, atol=1e-7)
    assert [one["class"] for one in freqig.summary(result)["classes"]] == STAGES


def test_means_of_groups() -> None:
    explainer = freqig.Explainer(network(), fs=FS, classes=STAGES)
    means = explainer.average(series(), target=0, by={"stage": ROWS})
    assert means.stage.values.tolist() == STAGES
    expected = explainer(series(), target=0).rfft.values[np.array(ROWS) == "R"].mean(0)
    np.testing.assert_allclose(means.rfft.sel(stage="R"), expected, rtol=1e-4, atol=1e-6)
    assert freqig.summarize(means).stage.values.tolist() == STAGES


@pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")
def test_the_sides_of_a_comparison(result: xr.Dataset) -> None:
    pytest.importorskip("mne")
    two = result.isel(sample=[row for row, stage in enumerate(ROWS) if stage in ("W", "N2")])
    found = freqig.compare(two, by="truth", paired=False, n_permutations=20, n_resamples=100)
    assert (found.attrs["first"], found.attrs["second"]) == ("W", "N2")


@pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")
def test_a_cohort(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    for person in range(2):
        np.save(tmp_path / f"sub-{person}.npy", np.random.default_rng(person).normal(size=(2, 10 * N)))
        (tmp_path / f"sub-{person}.txt").write_text("\n".join(ROWS[:10]) + "\n")
    paths = sorted(tmp_path.glob("*.npy"))
    asked = {"fs": FS, "window": 1.0, "target": "W", "classes": STAGES, "progress": False}
    labels = [path.with_suffix(".txt") for path in paths]
    with ThreadPoolExecutor(1) as pool:
        cohort.run(paths, network(), tmp_path / "store", pool, annotations=labels, **asked)
    assert cohort.means(tmp_path / "store", "label", n_resamples=100).label.values.tolist() == STAGES


def test_a_page_of_people() -> None:
    """Classes of recordings come as they are met."""
    people = People()
    for name, stage in zip("abc", ("N2", "W", "R"), strict=True):
        one = told([stage] * 8, {stage: (8, 13)}, settings={"classes": STAGES})
        people.add(name, name, one.drop_vars(["class", "outputs"]), f"{name}.html")
    assert [one.evidence.label for one in people.verdicts()] == ["W", "N2", "R"]


def test_a_page(result: xr.Dataset, tmp_path: Path) -> None:
    page = freqig.report(result, tmp_path / "page.html").read_text(encoding="utf-8")
    rows = data_of(page)["tables"]
    for anchor in ("bands-named", "spectra", "band-means"):
        assert list(dict.fromkeys(row[0] for row in rows[anchor]["rows"])) == STAGES, anchor


def test_numbers_of_classes_are_in_order_of_size(result: xr.Dataset) -> None:
    """As text, 10 would stand before 2."""
    numbered = result.drop_vars(["class", "outputs", "truth", "predicted"]).drop_attrs()
    numbered = numbered.assign_coords(target=("sample", [int(own) for own in np.tile([2, 10, 0], 10)]))
    material = Material(numbered.assign(rfft=result.rfft.variable))
    assert material.classes == ["0", "2", "10"]
    assert list(material.common(2)) == ["0", "2"]
    assert [group.label for group in groups_of(numbered)] == ["0", "2", "10"]


def test_scores_and_exports(result: xr.Dataset) -> None:
    table = freqig.evaluate(result, network(), series(), families="complexity")
    assert table.group.values.tolist() == ["all", *STAGES]
    pytest.importorskip("mne")
    spectra = freqig.to_mne(result)
    assert spectra.event_id == {stage: code for code, stage in enumerate(STAGES, start=1)}
    assert [STAGES[code - 1] for code in spectra.events[:, 2]] == ROWS


def test_figures(result: xr.Dataset) -> None:
    pytest.importorskip("matplotlib")
    axes = plots.class_spectrum(result)
    assert [one.texts[0].get_text().partition(":")[0] for one in axes] == STAGES

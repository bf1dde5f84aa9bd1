"""Means over people are those that `freqig.summarize` makes of all samples in memory."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import freqig
from freqig import cohort
from freqig.cohort import cells
from freqig.cohort.store import MARKER, Store
from freqig.errors import SignalWarning

from .peoples import HOW, network, write

pytest.importorskip("zarr")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory, executor: Executor) -> Path:
    """A folder with stores of 7 people, the first of whom has one recording more."""
    folder = tmp_path_factory.mktemp("means")
    paths = write(folder / "in", people=7)
    extra = np.random.default_rng(9).normal(size=(2, 600))
    np.save(folder / "in" / "sub-01_run-2.npy", extra)
    (folder / "in" / "sub-01_run-2.txt").write_text("a\nb\nb\na\na\nb\n")
    paths = sorted((folder / "in").glob("*.npy"))
    labels = [path.with_suffix(".txt") for path in paths]
    for keep in ("spectra", "means"):
        cohort.run(paths, network(), folder / f"{keep}.zarr", executor, keep=keep, annotations=labels, **HOW)
    return folder


def in_memory(store: Path) -> xr.Dataset:
    """All samples of a store as one result."""
    nodes = [node.to_dataset().load() for node in freqig.open_cohort(store).children.values()]
    return xr.concat([node.drop_attrs(deep=False) for node in nodes], "sample", data_vars="minimal")


@pytest.mark.parametrize("block", [cells.BLOCK_BYTES, 20_000])
def test_means_are_those_of_all_samples_in_memory(
    stores: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "BLOCK_BYTES", block)
    found = cohort.means(stores / "spectra.zarr", "label", n_resamples=2000)
    expected = freqig.summarize(in_memory(stores / "spectra.zarr"), "label", n_resamples=2000)
    assert found.attrs["unit"] == "subject"
    assert found.n_units.values.tolist() == [7, 7]
    assert found.n_samples.values.tolist() == expected.n_samples.values.tolist() == [17, 17]
    assert found.rfft.dims == expected.rfft.dims
    for name in ("rfft", "rfft_spread", "output", "baseline_output", "completeness_gap"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-10, atol=1e-12)
    # The resamples of a block are its own.
    width = expected.rfft_upper - expected.rfft_lower
    for name in ("rfft_lower", "rfft_upper"):
        assert float((abs(found[name] - expected[name]) / width).max()) < (1e-6 if block > 1e6 else 0.25)


def test_means_of_each_person_have_intervals_of_standard_errors(stores: Path) -> None:
    found = cohort.means(stores / "spectra.zarr", ["label", "subject"])
    assert found.rfft.dims[:2] == ("label", "subject")
    assert found.n_samples.sel(subject="01").values.tolist() == [5, 5]
    assert "of standard errors" in found.attrs["intervals"]
    everything = in_memory(stores / "spectra.zarr")
    mine = everything.rfft[((everything.subject == "01") & (everything.label == "b")).values]
    one = found.sel(label="b", subject="01")
    np.testing.assert_allclose(one.rfft, mine.mean("sample"), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(one.rfft_spread, mine.std("sample", ddof=1), rtol=1e-4, atol=1e-9)
    assert found.sel(label="a", subject="02").reason == "2 samples, fewer than 6"


def test_means_of_means_count_their_samples(stores: Path) -> None:
    samples = cohort.means(stores / "spectra.zarr", "label")
    found = cohort.means(stores / "means.zarr")
    assert found.rfft.dims == samples.rfft.dims
    assert found.n_samples.values.tolist() == [17, 17]
    largest = float(abs(samples.rfft).max())
    np.testing.assert_allclose(found.rfft, samples.rfft, atol=0.05 * largest)
    assert float(found.rfft_upper.isel(label=0).max()) > float(found.rfft.isel(label=0).max())


def test_sums_over_bands_have_means(stores: Path, tmp_path: Path, executor: Executor) -> None:
    """What lies in no band is a band, too, which has no edges."""
    paths, bands = sorted((stores / "in").glob("*.npy")), {"slow": (0, 8), "fast": (8, 20)}
    cohort.run(paths, network(), tmp_path / "c.zarr", executor, keep="bands", bands=bands, **HOW)
    found = cohort.means(tmp_path / "c.zarr")
    expected = freqig.bands(cohort.means(stores / "spectra.zarr", []), bands)
    assert found.band.values.tolist() == ["slow", "fast", "rest"]
    np.testing.assert_allclose(found.rfft, expected.rfft, rtol=1e-5, atol=1e-9)


def test_samples_without_a_label_are_in_no_mean(stores: Path, tmp_path: Path, executor: Executor) -> None:
    paths = sorted((stores / "in").glob("*.npy"))
    spans = [(0.0, 4.0, "a"), (4.0, 2.0, "b")]
    for keep in ("spectra", "means"):
        store = tmp_path / f"{keep}.zarr"
        cohort.run(paths, network(), store, executor, keep=keep, annotations=[spans] * 8, **HOW)
    with pytest.warns(
        SignalWarning, match="samples of sub-01_run-1, sub-01_run-2, sub-02_run-1, … that have"
    ):
        found = cohort.means(tmp_path / "spectra.zarr", "label")
    assert found.n_samples.values.tolist() == [16, 8]
    assert json.loads(found.attrs["summary"])["left_out"] == 34 - 24
    of_means = cohort.means(tmp_path / "means.zarr", "label")
    assert of_means.n_samples.values.tolist() == [16, 8]
    np.testing.assert_allclose(found.rfft, of_means.rfft, rtol=1e-5, atol=0.05 * float(abs(found.rfft).max()))


@pytest.mark.parametrize("without", ["sub-01_run-1", "sub-04_run-1"])
def test_recordings_that_differ_in_their_groups_are_told(
    stores: Path, tmp_path: Path, executor: Executor, without: str
) -> None:
    paths = sorted((stores / "in").glob("*.npy"))
    labels = {path.stem: path.with_suffix(".txt") for path in paths if path.stem != without}
    store = tmp_path / "c.zarr"
    cohort.run(paths, network(), store, executor, keep="means", annotations=labels, **HOW)
    with pytest.raises(ValueError, match=r"differ in their groupings.*(label.*none|none.*label).*by=\[\]"):
        cohort.means(store)
    assert int(cohort.means(store, []).n_samples) == 34


def test_memory_does_not_grow_with_people(stores: Path, tmp_path: Path) -> None:
    """Six times as many people, whose means of 204 places are small, take hardly more."""
    place = Store.at(shutil.copytree(stores / "spectra.zarr", tmp_path / "c.zarr"))
    place.forget_index()
    for name in place.names():
        for twin in "vwxyz":
            group = shutil.copytree(place.path / name, place.path / f"{name}{twin}")
            metadata = json.loads((group / "zarr.json").read_text())
            marker = json.loads(metadata["attributes"][MARKER])
            marker["subject"] += twin
            metadata["attributes"][MARKER] = json.dumps(marker)
            (group / "zarr.json").write_text(json.dumps(metadata))
    peaks = []
    for path in (stores / "spectra.zarr", place.path):
        cohort.means(path, "label", n_resamples=100)
        tracemalloc.start()
        found = cohort.means(path, "label", n_resamples=100)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert found.n_units.values.tolist() == [42, 42]
    assert peaks[1] < 2 * peaks[0]


def test_nobodys_recordings_and_other_coordinates_are_errors(
    stores: Path, tmp_path: Path, executor: Executor
) -> None:
    path = tmp_path / "night.npy"
    np.save(path, np.random.default_rng(0).normal(size=(2, 400)))
    cohort.run([path], network(), tmp_path / "c.zarr", executor, **HOW)
    with pytest.raises(ValueError, match="does not of night: pass subjects="):
        cohort.means(tmp_path / "c.zarr")
    with pytest.raises(ValueError, match="by must name coordinates of sub-01_run-1"):
        cohort.means(stores / "spectra.zarr", "stage")
    longer = tmp_path / "longer.npy"
    np.save(longer, np.random.default_rng(0).normal(size=(2, 500)))
    paths, how = [path, longer], HOW | {"window": None}
    cohort.run(paths, network(), tmp_path / "d.zarr", executor, subjects=["one", "two"], **how)
    with pytest.raises(ValueError, match="must have the same coordinates for means over them, but rfft of"):
        cohort.means(tmp_path / "d.zarr")

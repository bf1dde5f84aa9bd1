"""BIDS folders in, and derivatives by BIDS' general rules out."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import freqig
from freqig import cohort
from freqig.cli import main
from freqig.cohort import pools
from freqig.cohort.bids import recordings_in

from .faults import NET
from .peoples import FS, own_thread

for library in ("zarr", "mne_bids", "edfio", "mne"):
    pytest.importorskip(library)
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")


def write_edf(path: Path, seed: int) -> None:
    import edfio

    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(seed).normal(size=(2, 8 * FS)) * 10
    signals = [
        edfio.EdfSignal(row, FS, label=name, physical_dimension="uV", physical_range=(-200, 200))
        for name, row in zip(("Cz", "Oz"), rows, strict=True)
    ]
    edfio.Edf(signals).write(path)


@pytest.fixture(scope="module", autouse=True)
def threads() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools, "own_processes", own_thread)
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, one with two sessions; labels in files of events, of which one is inherited."""
    root = tmp_path_factory.mktemp("bids")
    about = {"Name": "sleep", "BIDSVersion": "1.9.0", "DatasetDOI": "doi:10.0.0/x"}
    (root / "dataset_description.json").write_text(json.dumps(about))
    events = "onset\tduration\ttrial_type\n0\t4\ta\n4\t4\tb\n"
    for n, place in enumerate(
        ("sub-01/ses-1/eeg/sub-01_ses-1", "sub-01/ses-2/eeg/sub-01_ses-2", "sub-02/eeg/sub-02")
    ):
        write_edf(root / f"{place}_task-sleep_eeg.edf", n)
        (root / f"{place}_task-sleep_eeg.json").write_text("{}")
        # In the second session nobody knows of the last window.
        (root / f"{place}_task-sleep_events.tsv").write_text(events.replace("4\tb", f"{4 - 2 * (n == 1)}\tb"))
    # What was derived before, and files without types of events, are no recordings and no labels.
    write_edf(root / "derivatives/clean/sub-03/eeg/sub-03_task-sleep_eeg.edf", 3)
    (root / "sub-02/eeg/sub-02_task-sleep_events.tsv").write_text("onset\tduration\n0\t4\n")
    (root / "net.py").write_text(NET)
    return root


def test_recordings_of_a_folder_have_subjects_and_labels(dataset: Path) -> None:
    found = recordings_in(dataset)
    assert sorted(one.name for one in found) == [
        "sub-01_ses-1_task-sleep_eeg",
        "sub-01_ses-2_task-sleep_eeg",
        "sub-02_task-sleep_eeg",
    ]
    assert [one.subject for one in found] == ["01", "01", "02"]
    assert [one.folder for one in found] == ["sub-01/ses-1/eeg", "sub-01/ses-2/eeg", "sub-02/eeg"]
    assert [one.annotations is not None for one in found] == [True, True, False]


def explain(dataset: Path, out: Path, *further: Path) -> Result:
    asked = ["--trust", "--unit", "uV", "--window", "2", "--target", "1", "--bands", "slow=0-8,fast=8-25"]
    inputs = [str(dataset), *map(str, further)]
    words = ["cohort", f"{dataset / 'net.py'}:model", *inputs, *asked, "--out", str(out)]
    return CliRunner().invoke(main, words)


@pytest.fixture(scope="module")
def derived(dataset: Path) -> tuple[Path, Result]:
    out = dataset / "derivatives" / "freqig"
    done = explain(dataset, out)
    assert done.exit_code == 0, done.output
    return out, done


def test_derivatives_follow_the_rules(dataset: Path, derived: tuple[Path, Result]) -> None:
    out, _ = derived
    about = json.loads((out / "dataset_description.json").read_text())
    assert (about["DatasetType"], about["GeneratedBy"][0]["Name"]) == ("derivative", "freqig")
    assert about["GeneratedBy"][0]["Version"] == freqig.__version__
    assert about["SourceDatasets"] == [{"URL": dataset.as_uri(), "DOI": "doi:10.0.0/x"}]
    base = "sub-01/ses-1/eeg/sub-01_ses-1_task-sleep_desc-freqig"
    written = sorted(str(path.relative_to(out)) for path in out.rglob("sub-01_ses-1*") if path.is_file())
    assert written == [
        f"{base}_{end}" for end in ("attribution.json", "attribution.nc", "bands.json", "bands.tsv")
    ]
    sidecar = json.loads((out / f"{base}_attribution.json").read_text())
    assert sidecar["Sources"] == ["bids:raw:sub-01/ses-1/eeg/sub-01_ses-1_task-sleep_eeg.edf"]
    assert about["DatasetLinks"] == {"raw": dataset.as_uri()}
    from mne_bids import get_entities_from_fname

    entities = get_entities_from_fname(out / f"{base}_attribution.nc", on_error="raise")
    assert (entities["subject"], entities["session"], entities["description"]) == ("01", "1", "freqig")


def test_files_hold_what_the_store_holds(derived: tuple[Path, Result]) -> None:
    out, _ = derived
    tree = freqig.open_cohort(out / "cohort.zarr")
    base = "sub-02/eeg/sub-02_task-sleep_desc-freqig"
    with xr.open_dataset(out / f"{base}_attribution.nc", engine="h5netcdf") as found:
        expected = tree["sub-02_task-sleep_eeg"].to_dataset()
        xr.testing.assert_equal(found.load().drop_attrs(), expected.load().drop_attrs())
        assert freqig.summary(found)["samples"] == 4
    lines = (out / f"{base}_bands.tsv").read_bytes()
    assert b"\r" not in lines
    rows = list(csv.DictReader(lines.decode().splitlines(), delimiter="\t"))
    banded = freqig.bands(expected.load(), {"slow": (0, 8), "fast": (8, 25)})
    assert [float(row["slow"]) for row in rows] == banded.rfft.sum("channel").sel(band="slow").values.tolist()
    about = json.loads((out / f"{base}_bands.json").read_text())
    assert [name for name in about if name != "Sources"] == list(rows[0])
    assert all(own["Description"] for name, own in about.items() if name != "Sources")


def test_cells_of_tables_follow_the_rules(derived: tuple[Path, Result]) -> None:
    text = next(derived[0].rglob("sub-01_ses-2*_bands.tsv")).read_text()
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    assert [row["label"] for row in rows] == ["a", "a", "b", "n/a"]
    assert {row["converged"] for row in rows} == {"true"}


def test_files_that_are_there_are_left_and_others_made_again(
    dataset: Path, derived: tuple[Path, Result]
) -> None:
    out, _ = derived
    first, second, third = sorted(out.rglob("*_attribution.nc"))
    second.with_suffix(".json").unlink()
    second.write_bytes(b"half a file")
    third.unlink()
    before = first.stat().st_mtime_ns
    done = explain(dataset, out)
    assert done.exit_code == 0, done.output
    assert "skipped:      3, done before" in done.stdout
    assert first.stat().st_mtime_ns == before
    for path in (second, third):
        with xr.open_dataset(path, engine="h5netcdf") as found:
            assert found.sizes["sample"] == 4


def test_sources_in_several_folders_are_paths(tmp_path: Path) -> None:
    one, other, out = tmp_path / "one", tmp_path / "other", tmp_path / "out"
    for root, name in ((one, "sub-05"), (other, "sub-06")):
        write_edf(root / name / "eeg" / f"{name}_task-sleep_eeg.edf", 5)
        (root / "dataset_description.json").write_text("{}")
    (one / "net.py").write_text(NET)
    assert explain(one, out).exit_code == 0
    first = out / "sub-05/eeg/sub-05_task-sleep_desc-freqig_attribution.json"
    assert json.loads(first.read_text())["Sources"] == ["bids:raw:sub-05/eeg/sub-05_task-sleep_eeg.edf"]
    assert explain(one, out, other).exit_code == 0
    about = json.loads((out / "dataset_description.json").read_text())
    assert [own["URL"] for own in about["SourceDatasets"]] == [one.as_uri(), other.as_uri()]
    assert "DatasetLinks" not in about
    assert json.loads(first.read_text())["Sources"] == [
        (one / "sub-05/eeg/sub-05_task-sleep_eeg.edf").as_uri()
    ]


def test_a_folder_without_recordings_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text("{}")
    with pytest.raises(ValueError, match="holds none"):
        cohort.run(tmp_path, None, tmp_path / "c.zarr")

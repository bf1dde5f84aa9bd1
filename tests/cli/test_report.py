"""`freqig report` and `--report`: examples of the help, pages of cohorts, and how they end."""

from __future__ import annotations

import gc
import re
import shlex
import weakref
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import freqig
from freqig.cli import main, report
from freqig.cohort.store import Store
from freqig.reporting import cohorts
from freqig.reporting.sections import comparison

from ..cohort.peoples import HOW, network, write
from ..reporting.results import told
from .workshop import NET, examples

pytest.importorskip("jinja2")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")
CLASSES = ["N2", "W"] * 6
BANDS = {"N2": (11.0, 16.0), "W": (8.0, 11.0)}


def run(line: str) -> Result:
    return CliRunner().invoke(main, shlex.split(line)[1:])


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, executor: Executor) -> Path:
    """Three results, and a cohort of two people, one of whose recordings fails."""
    pytest.importorskip("zarr")
    folder = tmp_path_factory.mktemp("report")
    for seed, name in enumerate(("night", "one-model", "other-model")):
        known = {"truth": CLASSES, "file": ["night.edf"] * 12, "onset": np.arange(12.0)}
        result = told(CLASSES, BANDS, noise=0.1, seed=seed, **known)
        result.to_netcdf(folder / f"{name}.nc", engine="h5netcdf")
    paths = write(folder / "in", people=2, each=2)
    np.save(paths[3], np.zeros((1, 3)))
    annotations = [path.with_suffix(".txt") for path in paths]
    how: dict[str, Any] = {**HOW, "model_id": "made for the test", "annotations": annotations}
    freqig.cohort.run(paths, network(), folder / "bands" / "cohort.zarr", executor, **how)
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(comparison, "compared", partial(comparison.compared, permutations=20))


def test_examples_of_the_help(folder: Path) -> None:
    done = [run(line) for line in examples(report)]
    assert [one.exit_code for one in done] == [0, 0, 0], [one.output for one in done]
    night, models, cohort = ((folder / f"{name}.html").read_text() for name in ("night", "models", "cohort"))
    assert "freqig report night.nc --out night.html" in night
    assert "one-model: band" in models
    assert "They decide alike in 100 % of 12 samples." in models
    assert "8 samples" not in night
    # The group leads to each of its recordings, and they lead back.
    links = re.findall(r'href="\./(cohort_recordings/[^"]+)"', cohort)
    names = ["sub-01_run-1", "sub-01_run-2", "sub-02_run-1"]
    assert links == [f"cohort_recordings/{name}.html" for name in names]
    for link in links:
        page = (folder / link).read_text()
        assert 'href="./../cohort.html"' in page
        assert '<section id="sample"' in page
    assert "12 samples in 3 recordings of 2 people" in cohort
    assert "No band is named for" in cohort
    assert "sub-02_run-2" in cohort
    failed = Store.at(folder / "bands" / "cohort.zarr").marker("sub-02_run-2")
    assert failed is not None
    assert str(failed["reason"])[:30] in cohort.replace("&#39;", "'")


def test_a_group_says_what_all_of_its_samples_say(folder: Path) -> None:
    store = folder / "bands" / "cohort.zarr"
    people = cohorts.People()
    seen = []
    for name, node in freqig.open_cohort(store).children.items():
        result = node.to_dataset().load()
        people.add(name, name[4:6], result, f"{name}.html")
        seen.append((name[4:6], result))
    means = [
        np.concatenate([own.rfft.sum("channel").values for who, own in seen if who == name]).mean(axis=0)
        for name in ("01", "02")
    ]
    (evidence,) = (one.evidence for one in people.verdicts())
    np.testing.assert_allclose(evidence.values, means, rtol=1e-5)
    assert evidence.samples == 12


@pytest.mark.parametrize(
    ("subjects", "says"),
    [
        ("aabbccddeeff", "N2 was decided by 11–16 Hz (100 % of the positive attribution"),
        ("aabbccddeeff", "over 6 people); W by 8–11 Hz"),
        ("aabbccdd", "No band is named for N2 and W, because it rests on 4 people, fewer than 6."),
    ],
)
def test_bands_of_a_group_are_over_people(subjects: str, says: str) -> None:
    people = cohorts.People()
    for number, subject in enumerate(subjects):
        people.add(f"r{number}", subject, told(CLASSES, BANDS, truth=CLASSES), f"r{number}.html")
    texts = [str(piece.text) for piece in people.summary()[:3]]
    assert says in texts[2]
    count = len(subjects)
    assert texts[0].startswith(f"{12 * count} samples in {count} recordings of {count // 2} people")
    assert f"the model is right in 100 % of {12 * count} samples" in texts[1]
    assert [row[0].href for row in people.recordings().rows][:2] == ["./r0.html", "./r1.html"]


def test_a_group_is_right_as_often_as_its_samples_whose_truth_is_known() -> None:
    people = cohorts.People()
    people.add("r0", "a", told(["N2", "W"] * 5, BANDS, truth=["N2", "W"] * 5), "r0.html")
    people.add("r1", "b", told(["N2"] * 30, BANDS, truth=["W", "W", *[""] * 28]), "r1.html")
    assert "the model is right in 83 % of 12 samples" in str(people.summary()[1].text)


def test_recordings_of_other_frequencies_share_no_page() -> None:
    people = cohorts.People()
    one = told(CLASSES, BANDS)
    people.add("a", "", one, "a.html")
    with pytest.raises(ValueError, match="those of b differ"):
        people.add("b", "", one.isel(frequency=slice(None, None, 2)), "b.html")


def test_one_recording_is_held_at_a_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import weakref

    held: list[weakref.ref[Any]] = []
    read = cohorts.read_recording

    def watched(*arguments: Any) -> xr.Dataset:
        result = read(*arguments)
        gc.collect()
        assert sum(ref() is not None for ref in held) <= 1
        held.append(weakref.ref(result["signal"].variable._data))
        return result

    monkeypatch.setattr(cohorts, "read_recording", watched)
    cohorts.report_cohort(folder / "bands" / "cohort.zarr", tmp_path / "page.html")
    assert len(held) == 3


def test_explain_writes_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(1, 400)))
    line = "freqig explain net.py:model x.npy --fs 100 --window 2 --trust --classes a,b --report page.html"
    done = run(line)
    assert done.exit_code == 0, done.output
    assert line.replace("freqig explain", "") in (tmp_path / "page.html").read_text()
    again = run(line)
    assert again.exit_code == 1
    assert "page.html must not be there yet: pass --force" in again.output


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("freqig report nowhere.nc --out a.html", 1, "there is none at 'nowhere.nc'"),
        ("freqig report night.nc --out night.nc", 1, "pass --force"),
        ("freqig report night.nc --bands zz --out a.html", 1, "'zz'"),
        ("freqig report night.nc --samples 99 --out a.html", 1, "samples"),
        ("freqig report night.nc --samples x --out a.html", 2, "positions of samples"),
        ("freqig report night.nc --samples 0,0 --out a.html", 2, "each once, got '0,0'"),
        (
            "freqig plot night.nc evaluation --out a.png",
            1,
            "RESULT must be a table as freqig.evaluate returns it",
        ),
        ("freqig report night.nc --evaluation night.nc --out a.html", 1, "as freqig.evaluate returns it"),
        ("freqig report bands/cohort.zarr night.nc --out a.html", 2, "shown by itself"),
        ("freqig report half.nc night.nc --out a.html", 1, "same frequency, got 51 and 101"),
        ("freqig report empty.nc --out a.html", 1, "at least one sample"),
        ("freqig report bare.nc --out a.html", 1, "a result as freqig explain writes it"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(folder: Path, line: str, code: int, says: str) -> None:
    night = xr.load_dataset(folder / "night.nc", engine="h5netcdf")
    for name, other in (
        ("half", night.isel(frequency=slice(None, None, 2))),
        ("empty", night.isel(sample=slice(0))),
        ("bare", night.drop_vars("rfft")),
    ):
        other.to_netcdf(folder / f"{name}.nc", engine="h5netcdf")
    done = run(line)
    assert done.exit_code == code, done.output
    assert says in done.output
    assert code == 2 or len(done.output.strip().splitlines()) == 1
    assert not (folder / "a.html").exists()
    assert not (folder / "a_recordings").exists()

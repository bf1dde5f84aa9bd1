"""`freqig compare`: examples of its help, what it writes, and how it ends."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import freqig
from freqig.cli import compare, main

from ..statistics.cases import result_of
from .workshop import examples

pytest.importorskip("mne")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with three results of eight people."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("people", "one-model", "other-model")):
        values = np.random.default_rng(seed).normal(size=(8, 6, 20))
        values[:, ::2, 8:11] += 2.5
        result = result_of(
            values.reshape(48, 20),
            subject=np.repeat([f"s{i}" for i in range(8)], 6),
            stage=["N2", "W"] * 24,
            night=np.tile([1, 2, 3], 16),
            truth=["W"] * 48,
            predicted=["W", "N1"] * 24,
        )
        result.to_netcdf(tmp_path / f"{name}.nc", engine="h5netcdf")
    return tmp_path


def run(line: str) -> Result:
    return CliRunner().invoke(main, shlex.split(line)[1:])


def test_examples_of_the_help(folder: Path) -> None:
    done = [run(line) for line in examples(compare)]
    assert [one.exit_code for one in done] == [0, 0, 0], [one.output for one in done]
    assert done[0].output.startswith(
        "N2 - W: 8 and 8 subjects, in pairs\ncluster permutation test over subjects"
    )
    assert "p = 0.00781: frequency 4 to 5; Cohen's d_z" in done[0].output
    with xr.open_dataset(folder / "stages.nc", engine="h5netcdf") as written:
        with xr.open_dataset(folder / "people.nc", engine="h5netcdf") as people:
            truth = freqig.compare(people, by="stage", between=("N2", "W"), paired=True)
        xr.testing.assert_allclose(written, truth)
    assert (folder / "stages.png").stat().st_size > 5000
    found = json.loads(done[2].output)
    assert (found["first"], found["second"], found["n_first"]) == ("one-model", "other-model", 8)
    assert isinstance(found["clusters"], list)
    again = run("freqig plot stages.nc difference --out again.png")
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("people.nc --by stage", 2, "say --paired or --unpaired"),
        ("people.nc --paired", 1, "by must say what makes two groups"),
        ("people.nc --by nobody --paired", 1, "ready groupings"),
        ("people.nc --by night --paired", 1, "between must name two of the groups by 'night'"),
        ("people.nc other-model.nc --unpaired", 1, "unless --paired, but both have 's0'"),
        ("people.nc nothing.nc --paired", 1, "there is none at 'nothing.nc'"),
        ("people.nc --by stage --paired --out people.nc", 1, "must not be there yet"),
        ("people.nc --by stage --paired --out people.txt", 1, "must end in .nc or .zarr"),
    ],
)
def test_ends(line: str, code: int, message: str, folder: Path) -> None:
    before = set(folder.iterdir())
    done = run(f"freqig compare {line}")
    assert done.exit_code == code
    assert message in done.output
    assert len(done.output.strip().splitlines()) == (1 if code == 1 else 4)
    assert set(folder.iterdir()) == before


def test_labels_that_are_numbers() -> None:
    done = run("freqig compare people.nc --by night --between 1,3 --paired")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("1 - 3: 8 and 8 subjects")

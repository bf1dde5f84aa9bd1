"""`freqig demo ssvep`: what it writes and prints, and which errors it tells how."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from matplotlib import image

from freqig.cli import main
from freqig.demo import recordings, ssvep
from freqig.demo.flicker import FlickerNet
from freqig.demo.recordings import Recording
from freqig.demo.scores import measures, score, table

# A network that was trained on six windows of noise takes silence for one of the classes.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

FILES = ["freqig_ssvep.md", "freqig_ssvep.nc", "freqig_ssvep.png"]


@pytest.fixture(scope="module")
def read() -> list[Recording]:
    rng = np.random.default_rng(0)
    return [
        Recording(f"subject{i}", rng.standard_normal((3, 2, 256)), np.arange(3), 128.0, ("O1", "Oz"))
        for i in range(9)
    ]


@pytest.fixture(scope="module")
def found(read: list[Recording]) -> ssvep.FlickerExplanation:
    """The explanation of a network that was never trained: it misses its targets."""
    result = ssvep.explain(FlickerNet(2).eval(), read[:2])
    scores = score(result)
    return ssvep.FlickerExplanation(result, scores, measures(scores), 0.0, 0.0)


@pytest.fixture
def quick(read: list[Recording], found: ssvep.FlickerExplanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FREQIG_DATA", raising=False)
    monkeypatch.setattr(recordings, "read_recordings", lambda path: read)
    monkeypatch.setattr(ssvep, "run", lambda read: found)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("quick")
def test_files_and_table(tmp_path: Path, found: ssvep.FlickerExplanation) -> None:
    folder = tmp_path / "new"
    done = call("demo", "ssvep", "--path", "data", "--output", str(folder))
    # A target that is missed is told, and is no error.
    assert done.exit_code == 0, done.output
    assert "MISSED" in done.output
    assert files(folder) == FILES
    text = table(found.scores)
    assert done.output.startswith(text)
    assert (folder / FILES[0]).read_text(encoding="utf-8") == f"{text}\n"
    loaded = xr.load_dataset(folder / FILES[1], engine="h5netcdf")
    xr.testing.assert_identical(loaded, found.result)
    assert image.imread(folder / FILES[2]).shape[:2] == (1050, 1350)
    assert all(str(folder / name) in done.output for name in FILES)


@pytest.mark.usefixtures("quick")
def test_places_can_be_given_before_the_name_and_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREQIG_DATA", "data")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert call("demo", "ssvep").exit_code == 0
    assert files(tmp_path / "here") == FILES
    assert call("demo", "--output", str(tmp_path / "outer"), "ssvep").exit_code == 0
    assert files(tmp_path / "outer") == FILES


@pytest.mark.usefixtures("quick")
def test_output_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call("demo", "ssvep", "--path", "data", "--output", str(tmp_path / "file" / "below"))
    assert done.exit_code == 1
    assert "--output must be a folder that can be written to" in done.output


def test_path_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FREQIG_DATA", raising=False)
    done = call("demo", "ssvep")
    assert done.exit_code == 2
    assert "--path" in done.output


def test_recordings_that_cannot_be_read(
    tmp_path: Path, read: list[Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call("demo", "ssvep", "--path", str(tmp_path / "nowhere"), "--output", str(tmp_path))
    assert done.exit_code == 1
    assert "Error: --path: path must be a folder of '*_raw.fif' files, got" in done.output

    (tmp_path / "a_raw.fif").write_text("")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "mne", None)
        done = call("demo", "ssvep", "--path", str(tmp_path), "--output", str(tmp_path))
    assert done.exit_code == 1
    assert "pip install 'freqig[eeg]'" in done.output

    monkeypatch.setattr(recordings, "read_recordings", lambda path: read[:3])
    done = call("demo", "ssvep", "--path", str(tmp_path), "--output", str(tmp_path))
    assert done.exit_code == 1
    assert "recordings must be the 9" in done.output
    assert files(tmp_path) == ["a_raw.fif"]


def test_help_names_the_data() -> None:
    text = " ".join(call("demo", "ssvep", "--help").output.split())
    assert "CC0" in text
    assert "Kalunga, Chevallier and Barthélemy, Neurocomputing 2016" in text
    assert "FREQIG_DATA" in text

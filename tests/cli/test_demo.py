"""`freqig demo`: what it writes and prints, and that it leaves no half files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from matplotlib import image

import freqig
from freqig.cli import main
from freqig.cli._files import all_or_none
from freqig.demo import sine

FILES = ["freqig_attributions.nc", "freqig_attributions.png"]


@pytest.fixture(scope="module")
def found() -> sine.SineExplanation:
    return sine.run()


@pytest.fixture
def quick(found: sine.SineExplanation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training was done once before."""
    monkeypatch.setattr(sine, "run", lambda: found)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_demo_writes_its_files_here_and_prints_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: sine.SineExplanation
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("demo")
    assert done.exit_code == 0, done.output
    assert files(tmp_path) == FILES
    printed = dict(re.split(r":\s+", line, maxsplit=1) for line in done.output.splitlines())
    frequency = f"{found.target_frequency:g} Hz"
    assert printed["target frequency"] == printed["strongest attributed frequency"] == frequency
    assert printed["evaluations"] == "50"
    gap = float(found.result.completeness_gap[0])
    assert float(printed["completeness gap"].split()[0]) == pytest.approx(gap, rel=0.05)
    assert re.match(r"\d+\.\d s \(training \d+\.\d s, explanation \d+\.\d\d s\)", printed["time"])
    assert (printed["explanation"], printed["figure"]) == tuple(FILES)

    loaded = xr.load_dataset(tmp_path / FILES[0], engine="h5netcdf")
    # The run is reproducible to the last bit: one seed, one thread.
    xr.testing.assert_identical(loaded, found.result)


@pytest.mark.usefixtures("quick")
def test_the_file_is_the_result(tmp_path: Path, found: sine.SineExplanation) -> None:
    folder = tmp_path / "new" / "folder"
    assert call("demo", "--output", str(folder)).exit_code == 0
    assert files(folder) == FILES
    loaded = xr.load_dataset(folder / FILES[0], engine="h5netcdf")
    xr.testing.assert_identical(loaded, found.result)
    for name, variable in found.result.variables.items():
        assert loaded[name].dtype == variable.dtype, name
        assert loaded[name].attrs == variable.attrs, name


def test_attributes_are_strings_numbers_and_arrays(found: sine.SineExplanation) -> None:
    result = found.result
    for owner in (result, *(result[name] for name in result.variables)):
        for key, value in owner.attrs.items():
            assert isinstance(value, str | int | float | np.number | np.ndarray), key
            assert not isinstance(value, bool), key


@pytest.mark.usefixtures("quick")
def test_the_figure_is_a_picture(tmp_path: Path) -> None:
    call("demo", "--output", str(tmp_path))
    pixels = image.imread(tmp_path / FILES[1])
    assert pixels.shape[:2] == (750, 1200)
    assert 0.5 < pixels[..., :3].mean() < 1


@pytest.mark.usefixtures("quick")
def test_an_error_leaves_the_files_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILES[0]).write_text("of before")

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(freqig.plots, "spectrum", fails)
    done = call("demo", "--output", str(tmp_path))
    assert isinstance(done.exception, RuntimeError)
    assert files(tmp_path) == FILES[:1]
    assert (tmp_path / FILES[0]).read_text() == "of before"


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call("demo", "--output", str(tmp_path / "file"))
    assert done.exit_code == 2
    assert "is a file" in done.output
    done = call("demo", "--output", str(tmp_path / "file" / "below"))
    assert done.exit_code == 1
    assert "--output must be a folder that can be written to" in done.output


def test_disagreement_fails_after_the_files_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: sine.SineExplanation
) -> None:
    monkeypatch.setattr(sine, "run", lambda: replace(found, strongest_frequency=0.5))
    done = call("demo", "--output", str(tmp_path))
    assert done.exit_code == 1
    assert f"that of the sine, {found.target_frequency:g} Hz, got 0.5 Hz" in done.output
    assert files(tmp_path) == FILES


def test_a_subcommand_runs_in_place_of_the_sine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sine, "run", lambda: pytest.fail("the sine ran"))
    group = main.commands["demo"]
    assert isinstance(group, click.Group)
    monkeypatch.setattr(group, "commands", dict(group.commands))

    @group.command()
    def other() -> None:
        click.echo("the other one")

    assert call("demo", "other").output == "the other one\n"
    assert call("demo", "none").exit_code == 2


def test_version_and_help() -> None:
    assert call("--version").output == f"freqig, version {freqig.__version__}\n"
    assert "demo" in call("--help").output
    assert "--output" in call("demo", "-h").output


def test_files_of_one_block_appear_together(tmp_path: Path) -> None:
    with all_or_none(tmp_path) as scratch:
        (scratch / "a").write_text("a")
        (scratch / "b").write_text("b")
        assert not (tmp_path / "a").exists()
    assert files(tmp_path) == ["a", "b"]

    def interrupted() -> None:
        with all_or_none(tmp_path) as scratch:
            (scratch / "a").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert files(tmp_path) == ["a", "b"]
    assert (tmp_path / "a").read_text() == "a"

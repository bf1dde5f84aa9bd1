"""Methods on the command line, in evaluations, in the paragraph for a paper, and in figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.text import Text

import freqig
from freqig import methods, plots
from freqig.cli import main
from freqig.cli._options import OTHERS

from .common import FS, NAMES, explained, made, network, signals

MODEL = """
import numpy as np

def score(x):
    return np.abs(np.fft.rfft(x[:, 0]))[:, [8, 20]]
"""


def run(folder: Path, *options: str) -> object:
    (folder / "stager.py").write_text(MODEL)
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(2, 1, 64)))
    model, given, out = f"{folder / 'stager.py'}:score", str(folder / "x.npy"), str(folder / "out.nc")
    return CliRunner().invoke(
        main, ["explain", model, given, "--fs", "64", "--trust", "--out", out, "--target", "0", *options]
    )


def test_every_method_has_a_name_there() -> None:
    assert sorted(OTHERS.values()) == NAMES
    assert {name.replace("-", "") for name in OTHERS} == {name.lower() for name in NAMES}


def test_it_writes_what_python_gives(tmp_path: Path) -> None:
    asked = ["--set", "n_masks=50", "--set", "keep=0.3", "--table", str(tmp_path / "table.csv")]
    found = run(tmp_path, "--method", "freqrise", *asked, "--domains", "rfft,time", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.output)
    assert "gap" not in told
    assert "converged" not in told
    names: dict[str, object] = {}
    exec(MODEL, names)
    x = freqig.read(tmp_path / "x.npy", fs=64)
    expected = methods.FreqRISE(names["score"], fs=64, n_masks=50, keep=0.3)(x, target=0)
    with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as result:
        np.testing.assert_allclose(result.rfft, expected.rfft)
        assert "waveform" in result
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 3


def test_players_are_occluded(tmp_path: Path) -> None:
    found = run(tmp_path, "--method", "occlusion", "--players", "low=2-12,high=12-30")
    assert found.exit_code == 0, found.output
    with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as result:
        assert result.occlusion.dims == ("sample", "occlusion_band")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "n_masks=5"], "--set is for methods of others"),
        (["--method", "shapley", "--set", "n_masks=5"], "--set is for methods of others"),
        (["--method", "freqrise", "--budget", "5"], "--budget is for --method shapley"),
        (["--method", "freqrise", "--players", "sleep"], "--players is for --method shapley or occlusion"),
        (["--method", "freqrise", "--tol", "0.1"], "--tol is for methods whose numbers add up"),
        (["--method", "freqrise", "--set", "n_masks"], "set must be NAME=VALUE"),
        (["--method", "freqrise", "--set", "n_masks=few"], "n_masks"),
        (["--method", "freqrise", "--set", "masks=5"], "no parameter masks"),
        (["--method", "freqrise", "--set", "output=logit"], "--set output is an option of its own"),
    ],
)
def test_options_that_do_not_belong(tmp_path: Path, options: list[str], message: str) -> None:
    found = run(tmp_path, *options)
    assert found.exit_code != 0
    assert message in " ".join(found.output.split())


@pytest.mark.parametrize("name", ["FreqRISE", "GradientTimesInput", "LearnedMask", "SpectralGradients"])
def test_an_evaluation_explains_once_more_by_the_method_that_made_the_result(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, net = explained(name, x=signals(2), target=0), network()
    asked = list[str]()
    kind = getattr(methods, name)
    real = kind.__call__

    def counted(self: object, *args: object, **named: object) -> object:
        asked.append(type(self).__name__)
        return real(self, *args, **named)

    monkeypatch.setattr(kind, "__call__", counted)
    families = ["deletion", "complexity", "stability", "sanity"]
    table = freqig.evaluate(result, net, signals(2), families=families, steps=3, random_orders=1, draws=1)
    assert set(asked) == {name}
    assert np.isfinite(table["mean"]).any()


@pytest.mark.parametrize("name", NAMES)
def test_the_paragraph_for_a_paper_names_the_method_and_its_settings(name: str) -> None:
    result = explained(name, x=signals(1), target=0)
    text = freqig.methods_text(result)
    assert result.attrs["method"] in text
    assert "FLEX [" not in text
    assert "Integrals along the paths" not in text
    for key in json.loads(result.attrs["settings"])["method"]:
        assert key == "name" or f"{key} = " in text or name == "Occlusion"
    assert ("completeness gap" in text) == ("completeness_gap" in result)


def test_figures_say_nothing_of_gaps_that_nobody_promised() -> None:
    result = explained("FreqRISE", x=signals(1), target=0)
    axes, *_ = plots.spectrum(result)
    words = [text.get_text() for text in axes.figure.findobj(Text)]
    assert "gap" not in " ".join(words)
    assert any("importance" in one for one in words)


def test_files_and_series_of_unequal_length_are_read_as_ever(tmp_path: Path) -> None:
    for i in range(2):
        np.save(tmp_path / f"{i}.npy", signals(1))
    paths = [tmp_path / "0.npy", tmp_path / "1.npy"]
    found = made("GradientTimesInput", network()).explain_files(paths, fs=FS, target=0)
    assert found.sizes["sample"] == 2
    assert "completeness_gap" not in found
    series = [np.ones(33), np.ones(20)]
    uneven = methods.Occlusion(lambda x: x.sum(-1), fs=FS, domains=freqig.Time())(series, target=0)
    np.testing.assert_allclose(uneven.waveform[1], np.arange(33) < 20, atol=1e-6)

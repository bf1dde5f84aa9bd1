"""`freqig explain --method shapley`: as in Python, with options that belong together."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import freqig
from freqig.cli import main

MODEL = """
import numpy as np

def score(x):
    power = np.abs(np.fft.rfft(x[:, 0]))[:, [8, 20]]
    return np.stack([power[:, 0] * power[:, 1], power[:, 1]], 1)
"""


def run(folder: Path, *options: str) -> object:
    (folder / "stager.py").write_text(MODEL)
    x = np.random.default_rng(0).normal(size=(2, 1, 128))
    np.save(folder / "x.npy", x)
    model, given, out = f"{folder / 'stager.py'}:score", str(folder / "x.npy"), str(folder / "out.nc")
    return CliRunner().invoke(
        main, ["explain", model, given, "--fs", "64", "--trust", "--out", out, *options]
    )


def test_it_writes_what_python_gives(tmp_path: Path) -> None:
    asked = [
        "--method",
        "shapley",
        "--players",
        "low=2-7,high=7-20,segments:1",
        "--max-order",
        "2",
        "--target",
        "0",
    ]
    found = run(tmp_path, *asked)
    assert found.exit_code == 0, found.output
    assert "shapley" in found.output
    with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as result:
        assert result.shapley.dims == ("sample", "shapley_band", "shapley_segment")
        assert "shapley_interaction" in result
        names: dict[str, object] = {}
        exec(MODEL, names)
        players = (freqig.FilterBank({"low": (2, 7), "high": (7, 20)}), freqig.Segments(1))
        shapley = freqig.Shapley(names["score"], fs=64, players=players, max_order=2)
        x = freqig.read(tmp_path / "x.npy", fs=64)
        np.testing.assert_allclose(result.shapley, shapley(x, target=0).shapley)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "shapley", "--domains", "rfft"], "--domains is for --method gradients"),
        (["--players", "sleep"], "--players is for --method shapley"),
        (["--max-order", "2"], "--max-order is for --method shapley"),
        (["--budget", "10"], "--budget is for --method shapley"),
        (["--method", "shapley", "--players", "rfft"], "players must be"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    found = run(tmp_path, *options)
    assert found.exit_code in (1, 2)
    assert message in found.output
    assert not (tmp_path / "out.nc").exists()

"""Results of baselines that were given as values: what is made of them again is told these in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from click.testing import CliRunner, Result

import freqig
from freqig.cli import main

pytest.importorskip("soundfile")
N, FS, COUNT = 400, 8000.0, 3


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def made(folder: Path, channels: bool, per_sample: bool) -> tuple[xr.Dataset, np.ndarray]:
    """A result in a file, and its baseline in another."""
    rng = np.random.default_rng(0)
    shape = (COUNT, 2, N) if channels else (COUNT, N)
    x = rng.normal(size=shape).astype(np.float32)
    start = (0.3 * rng.normal(size=shape if per_sample else shape[1:])).astype(np.float32)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(x[0].size, 1))
    result = freqig.Explainer(model, fs=FS, n_steps=4)(x, target=0, baseline=start)
    result.to_netcdf(folder / "result.nc", engine="h5netcdf")
    np.save(folder / "start.npy", start)
    return result, start


@pytest.mark.parametrize("per_sample", [False, True])
@pytest.mark.parametrize("channels", [False, True])
def test_a_part_begins_at_the_baseline_in_the_file(tmp_path: Path, channels: bool, per_sample: bool) -> None:
    result, start = made(tmp_path, channels, per_sample)
    asked = ["listen", tmp_path / "result.nc", "--sample", 1, "--keep", 0.5, "--out"]
    refused = run(*asked, tmp_path / "no.wav")
    assert refused.exit_code == 1
    assert "pass --baseline as it was" in refused.output
    found = run(*asked, tmp_path / "part.wav", "--baseline", f"data:{tmp_path / 'start.npy'}")
    assert found.exit_code == 0, found.output
    part = freqig.resynthesize(result, 0.5, sample=1, baseline=start)
    freqig.to_wav(part, tmp_path / "expected.wav")
    assert (tmp_path / "part.wav").read_bytes() == (tmp_path / "expected.wav").read_bytes()


def test_figures_take_it_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    made(tmp_path, channels=False, per_sample=False)
    asked = ["plot", tmp_path / "result.nc", "sample", "--sample", 0, "--out", tmp_path / "sample.png"]
    assert "pass --baseline as it was" in run(*asked).output
    assert run(*asked, "--baseline", f"data:{tmp_path / 'start.npy'}").exit_code == 0
    other = run(*asked[:2], "spectrum", *asked[3:], "--force", "--baseline", "zero")
    assert "spectrum takes no option 'baseline'" in other.output


def test_a_page_has_the_part(tmp_path: Path) -> None:
    made(tmp_path, channels=False, per_sample=False)
    asked = ["report", tmp_path / "result.nc", "--out", tmp_path / "page.html"]
    assert run(*asked, "--baseline", f"data:{tmp_path / 'start.npy'}").exit_code == 0
    assert "which settings do not hold" not in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        ("data:nowhere.wav", "--baseline must be data:FILE with the series that paths began at"),
        ("silence", "--baseline must be one of"),
        ("zero", None),
    ],
)
def test_what_is_no_baseline_is_told(tmp_path: Path, baseline: str, says: str | None) -> None:
    made(tmp_path, channels=False, per_sample=False)
    found = run("listen", tmp_path / "result.nc", "--out", tmp_path / "part.wav", "--baseline", baseline)
    assert (found.exit_code == 0) == (says is None), found.output
    assert says is None or says in found.output

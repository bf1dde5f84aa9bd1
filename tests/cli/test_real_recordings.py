"""From real recordings to results, figures and sound, by commands alone; skipped where there are none."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from freqig.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

NETWORKS = """
import torch

torch.manual_seed(0)


def power(low, high, fs, scale=1.0):
    \"\"\"Mean power of a band, of any length and number of channels: what it looks at is known.\"\"\"

    def model(x):
        n = x.shape[-1]
        spectrum = torch.fft.rfft(scale * x)
        at = torch.fft.rfftfreq(n, 1 / fs)
        inside = ((at >= low) & (at <= high)).to(x.dtype)
        return (spectrum.abs() ** 2 * inside).sum((-1, -2)) / n**2

    return model


alpha = power(8, 13, 160)
sigma = power(11, 16, 200)
flicker = power(12.5, 13.5, 256)


def voice(x):
    \"\"\"Two classes: is there more below 1 kHz, or above.\"\"\"
    return torch.stack([power(0, 1000, 8000, 10.0)(x), power(1000, 4000, 8000, 10.0)(x)], 1)
"""


@pytest.fixture(autouse=True)
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(NETWORKS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: object) -> Result:
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done


def result_of(path: str) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf") as file:
        return file.load()


def test_spoken_digits_make_one_result_and_a_sound(data_path: Path) -> None:
    """One command for all of them; a subset of the speakers, for time. Lengths differ, sums hold."""
    pytest.importorskip("soundfile")
    paths = sorted((data_path / "fsdd_subset").glob("*_theo_0.wav"))
    assert len(paths) == 10
    with Path("truth.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        writer.writerows([path.name, "low"] for path in paths)
    asked = [
        "--trust",
        "--classes",
        "low,high",
        "--labels",
        "truth.csv",
        "--target",
        "low",
        "--out",
        "digits.nc",
    ]
    call("explain", "nets.py:voice", *paths, *asked)
    result = result_of("digits.nc")
    assert result.file.values.tolist() == [path.name for path in paths]
    assert result.truth.values.tolist() == ["low"] * 10
    lengths = result.n_times.values
    assert len(set(lengths.tolist())) > 5
    told = result.output - result.baseline_output + result.completeness_gap + result.correction
    np.testing.assert_allclose(result.rfft.sum(("channel", "frequency")), told, rtol=1e-3)
    # The power below 1 kHz is all that the class knows of.
    share = abs(result.rfft.sel(frequency=slice(0, 1050))).sum() / abs(result.rfft).sum()
    assert float(share) > 0.95
    call("plot", "digits.nc", "spectrum", "--sample", 7, "--max-frequency", 2000, "--out", "seven.png")
    assert Path("seven.png").stat().st_size > 10_000
    call("listen", "digits.nc", "--sample", 7, "--keep", 0.9, "--out", "seven.wav")
    import soundfile

    part, rate = soundfile.read("seven.wav")
    assert (len(part), rate) == (lengths[7], 8000)
    power = np.abs(np.fft.rfft(part)) ** 2
    assert power[np.fft.rfftfreq(len(part), 1 / 8000) < 1050].sum() > 0.99 * power.sum()


def test_eyes_open_and_closed(data_path: Path) -> None:
    """Alpha of closed eyes over the occiput, in microvolts and in volts; by file in one result."""
    pytest.importorskip("mne")
    folder = data_path / "eegmmidb_S001"
    paths = [folder / "S001R01.edf", folder / "S001R02.edf"]
    asked = ["--trust", "--window", 10, "--unit", "uV", "--bands", "alpha=7.95-13.05"]
    done = call(
        "explain", "nets.py:alpha", *paths, *asked, "--out", "eyes.nc", "--table", "eyes.csv", "--json"
    )
    assert json.loads(done.stdout)["samples"] == 12
    result = result_of("eyes.nc")
    inside = result.rfft.sel(frequency=slice(7.9, 13.1)).sum("frequency")
    by_file = inside.groupby("file").mean().sel(channel="Oz..")
    assert float(by_file.sel(file="S001R02.edf")) > 3 * float(by_file.sel(file="S001R01.edf"))
    closed = inside[result.file == "S001R02.edf"].mean("sample")
    order = closed.channel.values[np.argsort(-closed.values)]
    # Over the occiput: parieto-occipital, occipital or inion channels lead.
    assert all(str(name).startswith(("O", "Po")) for name in order[:5]), order[:5]
    with Path("eyes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["S001R01.edf"] * 6 + ["S001R02.edf"] * 6
    assert all(float(row["alpha"]) > 0.95 * float(row["output"]) for row in rows)


def test_flicker(data_path: Path) -> None:
    pytest.importorskip("mne")
    path: Any = sorted((data_path / "ssvep_exo").glob("*_raw.fif"))[0]
    done = call("check", "nets.py:flicker", path, "--trust", "--window", 5, "--unit", "uV")
    assert "256 Hz" in done.stdout
    call("explain", "nets.py:flicker", path, "--trust", "--window", 20, "--unit", "uV", "--out", "flicker.nc")
    result = result_of("flicker.nc")
    inside = result.rfft.sel(frequency=slice(12.45, 13.55)).sum()
    assert float(inside) == pytest.approx(float(result.rfft.sum()), rel=0.02)


def test_spindles_from_a_text_file(data_path: Path) -> None:
    """A network that knows the power of 11 to 16 Hz is moved by the two spindles."""
    path = data_path / "yasa_samples" / "data_N2_spindles_15sec_200Hz.txt"
    call(
        "explain",
        "nets.py:sigma",
        path,
        "--trust",
        "--fs",
        200,
        "--window",
        1,
        "--out",
        "n2.nc",
        "--bands",
        "sleep",
    )
    result = result_of("n2.nc")
    strongest = np.argsort(result.output.values)[-2:]
    assert set(result.onset.values[strongest].tolist()) == {3.0, 13.0}
    shown = call("show", "n2.nc", "--bands", "spindle=10.5-16.5", "--json").stdout
    (one,) = json.loads(shown)["classes"]
    assert one["bands"]["spindle"] > 0.9 * one["output"]

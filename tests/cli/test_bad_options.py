"""Bad values of every option of every command end in one line that names the option, and leave no file."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from freqig import RFFT, STFT, Explainer, FilterBank, Polar
from freqig.cli import main
from freqig.cli._reading import read_model
from freqig.cli._store import read_result

FS, N = 100.0, 64
USAGE, FAILED = 2, 1
SMALL = """
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(128, 3))
"""

NUMBERS = ["x", "nan", "inf", "-1", "0", "1e400", ""]
COUNTS = ["x", "nan", "-1", "0", "1.5", ""]
BANDS = ["x", "a=", "a=1", "a=2-1", "a=x-y", "", "a=1-2,a=3-4", "=1-2", "a=nan-3", "a=-3-2"]
READING = {
    "fs": [*NUMBERS, "1e-200"],
    "window": [*NUMBERS, "1e9", "1e-9"],
    "step": [*NUMBERS, "1e-9"],
    "channels": ["", ",", "zz", "0,0", "0,zz"],
    "resample": [*NUMBERS, "1e-9"],
    "labels": ["missing.txt", ".", "net.py", "empty.txt", ""],
}
EXPLAINING = {
    "unit": ["", "parsec", "3"],
    "classes": ["", ",", "a", "a,a,b", "a,b,c,d"],
    "target": ["", "zz", "9", "-9", "1.5", "None", "0,1"],
    "output": ["", "Logit", "zz"],
    "domains": [
        "",
        ",",
        "zz",
        "stft:x",
        "stft:-1",
        "stft:1e9",
        "rfft:1",
        "rfft,rfft",
        "mel:0",
        "mel:x",
        "ica",
    ],
    "baseline": [
        *("", "zz", "band_removed", "band_removed:x:y", "band_removed:8", "dc:1", "surrogate:x"),
        "zero:1:2:3",
    ],
    "tol": NUMBERS,
    "max-evaluations": COUNTS,
    "output-key": ["zz", "0:0"],
    "class-axis": ["x", "0", "9", "-9", "1.5", ""],
    "time-axis": ["x", "0", "9", "-9", "1.5", ""],
    "dtype": ["", "int8", "float16"],
    "device": ["", "tpu", "cuda:7"],
    "memory": ["x", "nan", "-1", "0", "1e400", "", "1"],
}
SHAPLEY = {
    "players": ["", ",", "zz", "segments:0", "segments:x", "a=2-1", "channels,channels"],
    "max-order": [*COUNTS, "3"],
    "budget": COUNTS,
    "domains": ["rfft"],
    "baseline": ["zz"],
}
EXPLAIN = {
    "bands": BANDS,
    "method": ["", "zz"],
    "players": ["sleep"],
    "max-order": ["2"],
    "budget": ["9"],
    "out": ["", "a.txt", ".", "net.py", "night.npy"],
    "figures": ["", "net.py"],
    "table": ["", ".", "net.py"],
}
COHORT = {
    "bands": BANDS,
    "keep": ["", "zz", "bands"],
    "subjects": ["", "(", "night", "(x)", "(n)(i)"],
    "workers": COUNTS,
    "shard": ["", "x", "0/2", "3/2", "1/0", "1"],
    "class-axis": ["x", "0"],
    "dtype": ["int8"],
    "device": ["", "tpu", "cuda:7"],
    "out": ["", "net.py"],
}
COMPARE = {
    "by": ["", "zz"],
    "between": ["", "N2", "N2,N2", "N2,zz", "N2,W,R"],
    "target": ["zz", "5"],
    "variable": ["", "zz", "output"],
    "montage": ["", "zz"],
    "permutations": COUNTS,
    "seed": ["x", "-1", "1.5", ""],
    "out": ["", "a.txt", ".", "net.py"],
    "figure": ["", "net.py", "."],
}
SHOW = {"bands": BANDS}
LISTEN = {
    "out": ["", "a.txt", ".", "net.py"],
    "sample": ["x", "99", "-99", "1.5", ""],
    "target": ["", "zz", "9", "-9"],
    "keep": [*NUMBERS[:5], "1.5", ""],
    "variable": ["", "zz", "signal", "polar_amplitude"],
    "speed": [*NUMBERS, "1e9", "1e-9"],
}
PLOT = {
    "file": ["", "zz"],
    "sample": ["x", "99", "-99", "1.5"],
    "target": ["", "zz", "9"],
    "channel": ["", "zz", "99", "-99", "1.5"],
    "bands": BANDS,
    "max-frequency": ["x", "nan", "-1", ""],
    "markers": ["x", "x=", "x=y", "=3", "", "a=1,b", "a=nan", "a=-1", "a=1e9", "a=1,a=2"],
    "other": ["missing.nc", ".", "net.py", "", "other.nc"],
    "vmax": NUMBERS,
    "out": ["", "a.txt", ".", "a"],
    "option": ["x", "x=1", "=1", "robust", "axes=1", "result=1", "other=result.nc"],
    "size": ["0 1", "-1 2", "x 2", "nan 2", "1e9 1", "1e-9 1"],
}
METHOD = {
    "set": [
        "",
        "x",
        "=1",
        "zz=1",
        "draws=x",
        "draws=0",
        "draws=-1",
        "draws=1.5",
        "draws=nan",
        "noise=-1",
        "noise=inf",
    ],
    "domains": ["", "zz", "polar", "rfft,rfft"],
    "target": ["", "zz", "9"],
}
REPORT = {
    "bands": ["x", "a=2-1", ""],
    "samples": ["", "x", "99", "-1", "1.5", "0,0", ","],
    "evaluation": ["missing.nc", ".", "net.py", "other.nc", "result.nc", ""],
    "seed": ["x", "-1", "1.5", ""],
    "out": ["", ".", "net.py"],
}
SAID = {
    "set": ["draws must be", "noise must be", "no parameter zz"],
    "option": ["takes no option"],
    "domains": ["of domain"],
}
"""What names an option in other words."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder, with a model, a recording and results."""
    path, before = tmp_path_factory.mktemp("options"), Path.cwd()
    os.chdir(path)
    Path("small.py").write_text(SMALL)
    net = read_model("small.py:model", trust=True)
    x = np.random.default_rng(0).normal(size=(12, 2, N))
    np.save("night.npy", x[:3])
    Path("net.py").write_text("model = 3\n")
    Path("empty.txt").write_text("")
    domains = [RFFT(), STFT(0.2), Polar(), FilterBank({"slow": (0, 10), "fast": (10, 30)})]
    explainer = Explainer(net, fs=FS, n_steps=2, tol=100.0, domains=domains, classes=["A", "B", "C"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, target in (("result", None), ("every", "all"), ("first", 0)):
            result = explainer(x, truth=[0, 1, 2] * 4, target=target).assign_coords(channel=["Fz", "Cz"])
            result.coords["stage"] = "sample", ["N2", "W"] * 6
            result.to_netcdf(f"{name}.nc", engine="h5netcdf")
    xr.Dataset({"a": 3}).to_netcdf("other.nc", engine="h5netcdf")
    yield path
    os.chdir(before)


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are read from the disk once."""
    monkeypatch.setattr(xr, "open_dataset", OPENED)


@lru_cache
def _opened(path: Path, **how: str) -> xr.Dataset:
    with READ(path, **how) as file:
        return file.load()


READ, OPENED = xr.open_dataset, _opened


def fault(option: str, found: Result) -> str | None:
    """What is wrong with how a bad option is met; None where one line names it."""
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        return f"ends in {found.exception!r}"
    told = found.stderr.strip().splitlines()
    error = told[-1] if told else ""
    if found.exit_code == 0:
        return f"is taken: {(found.output.strip().splitlines() or [''])[0]}"
    if found.exit_code not in (USAGE, FAILED) or not error.startswith("Error: "):
        return f"ends with {found.exit_code}: {told}"
    if found.exit_code == FAILED and any(not line.startswith(("Warning: ", "Error: ")) for line in told):
        return f"says more than one line: {told}"
    names = (*SAID.get(option, ()), option, option.replace("-", "_"))
    return None if any(name in error for name in names) else f"is not named: {error}"


def faults(line: str, options: dict[str, list[str]]) -> list[str]:
    """What is wrong with how a command meets bad values, one after another."""
    kept, found = set(Path().iterdir()), []
    for option, values in options.items():
        for value in values:
            words = value.split() if option == "size" else [value]
            what = fault(option, CliRunner().invoke(main, [*line.split(), f"--{option}", *words]))
            left = sorted(set(Path().iterdir()) - kept)
            for path in left:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if what or left:
                found.append(f"{line} --{option} {value!r}: {what}, leaves {[*map(str, left)]}")
    return found


READ_BY = "small.py:model night.npy --trust --fs 100"


@pytest.mark.parametrize(
    ("line", "options"),
    [
        (f"explain {READ_BY} --out new.nc", {**READING, **EXPLAINING, **EXPLAIN}),
        (f"explain {READ_BY} --out new.nc --method shapley", SHAPLEY),
        (f"check {READ_BY}", {**READING, **EXPLAINING}),
        (f"cohort {READ_BY} --out new", COHORT),
        ("compare result.nc --by stage --unpaired", COMPARE),
        ("show result.nc", SHOW),
        ("listen result.nc --out new.wav --speed 100", LISTEN),
        ("plot result.nc compare --other result.nc --out new.png", PLOT),
        (f"explain {READ_BY} --out new.nc --method smoothgrad", METHOD),
        ("report result.nc --out new.html", REPORT),
    ],
)
def test_bad_values(line: str, options: dict[str, list[str]], folder: Path) -> None:
    assert not (found := faults(line, options)), "\n".join(found)


def test_bad_files(folder: Path) -> None:
    found = []
    for wrong in ("missing", ".", "net.py", "empty.txt", "other.nc", "night.npy", "small.py", ""):
        for line in (
            ["show", wrong],
            ["listen", wrong, "--out", "new.wav"],
            ["plot", wrong, "spectrum", "--out", "new.png"],
            ["compare", wrong, "--by", "stage", "--paired"],
            ["explain", wrong, "night.npy", "--fs", "100", "--trust", "--out", "new.nc"],
            ["explain", "small.py:model", wrong, "--fs", "100", "--trust", "--out", "new.nc"],
            ["check", "small.py:model", wrong, "--fs", "100", "--trust"],
        ):
            if line[1:3] != ["small.py:model", "night.npy"]:
                what = fault(wrong, CliRunner().invoke(main, line))
                found += [f"{line}: {what}"] if what else []
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("result", "target", "same_as"),
    [
        ("every.nc", "B", 1),
        ("every.nc", "1", 1),
        ("every.nc", "predicted", "result.nc"),
        ("first.nc", "0", "first.nc"),
        ("first.nc", "A", "first.nc"),
        ("result.nc", "predicted", "result.nc"),
        ("result.nc", "all", "result.nc"),
    ],
)
def test_targets_are_named_as_where_results_are_made(
    result: str, target: str, same_as: int | str, folder: Path
) -> None:
    found = read_result(Path(result), target)
    if isinstance(same_as, str):
        expected = read_result(Path(same_as))
    else:
        expected = read_result(Path(result)).isel(target=same_as)
    np.testing.assert_array_equal(found["target"], expected["target"])
    np.testing.assert_allclose(found["rfft"], expected["rfft"], rtol=1e-5, atol=1e-9)

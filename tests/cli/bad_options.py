"""Passes bad options to every command, and prints those that do not end in one line that names them.

Run on its own, without the checks of annotations that the tests have: `python tests/cli/bad_options.py`.
"""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from click.testing import CliRunner, Result
from torch import nn

from freqig import RFFT, STFT, Explainer, FilterBank, Polar, Segments, Time, Wavelet, plots
from freqig.cli import main
from freqig.errors import FreqigWarning

FS, N = 100.0, 64
USAGE, FAILED = 2, 1

NUMBERS = ["x", "nan", "inf", "-1", "0", "1e400", ""]
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
        "stft",
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
        "",
        "zz",
        "band_removed",
        "band_removed:x:y",
        "band_removed:8",
        "dc:1",
        "surrogate:x",
        "zero:1:2:3",
    ],
    "tol": NUMBERS,
}
EXPLAIN = {
    **READING,
    **EXPLAINING,
    "bands": BANDS,
    "out": ["", "a.txt", ".", "net.py", "night.npy"],
    "figures": ["", "net.py"],
    "table": ["", ".", "net.py"],
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
    "sample": ["x", "99", "-99", "1.5"],
    "target": ["", "zz", "9"],
    "channel": ["", "zz", "99", "-99", "1.5"],
    "bands": BANDS,
    "max-frequency": NUMBERS,
    "markers": ["x", "x=", "x=y", "=3", "", "a=1,b", "a=nan", "a=-1", "a=1e9"],
    "other": ["missing.nc", ".", "net.py", ""],
    "vmax": NUMBERS,
    "out": ["", "a.txt", ".", "a"],
    "option": [
        "x",
        "x=1",
        "=1",
        "robust",
        "robust=x",
        "axes=1",
        "result=1",
        "title=3",
        "sample=x",
        "xscale=x",
        "scale=3",
    ],
    "size": ["0 1", "-1 2", "x 2", "nan 2", "1e9 1", "1e-9 1"],
}
OWN = ["x", "-1", "nan", "[]", "3", "['x']", "{'a': 'x'}"]
GIVEN = ("result", "axes", "title", "vmax", "channel")
"""Options of figures that have one of their own, or cannot be typed."""
SAID = {
    "out": ["must not be there yet", "directory"],
    "option": ["NAME=VALUE", "robust", "title", "axes", "result"],
}
"""What names an option in other words."""


def furnish() -> None:
    """A model, a recording and a result, in this folder."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(2 * N, 3))
    program = torch.export.export(
        net, (torch.zeros(4, 2, N),), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},)
    )
    torch.export.save(program, "model.pt2")
    x = np.random.default_rng(0).normal(size=(3, 2, N))
    np.save("night.npy", x)
    Path("net.py").write_text("model = 3\n")
    Path("empty.txt").write_text("")
    bands = {"slow": (0, 10), "fast": (10, 30)}
    domains = [RFFT(), STFT(0.2), Polar(), Segments(0.2), FilterBank(bands), Wavelet("haar"), Time()]
    explainer = Explainer(net, fs=FS, n_steps=2, tol=100.0, domains=domains, classes=["A", "B", "C"])
    for name, target in (("result", None), ("every", "all")):
        result = explainer(x, truth=[0, 1, 2], target=target).assign_coords(channel=["Fz", "Cz"])
        result.to_netcdf(f"{name}.nc")
    xr.Dataset({"a": 3}).to_netcdf("other.nc")


def lines() -> Iterator[tuple[str, list[str]]]:
    """Every command with one bad option."""
    for kind in plots.__all__:
        needed = {"components": ["--option", "name=filterbank"], "compare": ["--other", "result.nc"]}.get(
            kind, []
        )
        line = ["plot", "result.nc", kind, *needed, "--out", "new.png"]
        known = inspect.signature(getattr(plots, kind)).parameters
        for option, values in PLOT.items():
            if option.replace("-", "_") in (*known, "out", "option", "size"):
                for value in values:
                    words = value.split() if option == "size" else [value]
                    yield option, [*line, f"--{option}", *words]
        for name in known:
            if name not in GIVEN:
                for value in OWN:
                    yield name, [*line, "--option", f"{name}={value}"]
    reading = ["model.pt2", "night.npy", "--trust", "--fs", "100"]
    for command, options, line in (
        ("explain", EXPLAIN, [*reading, "--out", "new.nc"]),
        ("check", {**READING, **EXPLAINING}, reading),
        ("show", SHOW, ["result.nc"]),
        ("listen", LISTEN, ["result.nc", "--out", "new.wav"]),
    ):
        for option, values in options.items():
            for value in values:
                yield option, [command, *line, f"--{option}", value]
    for wrong in ("missing", ".", "net.py", "empty.txt", "other.nc", "night.npy", "model.pt2", ""):
        yield wrong, ["show", wrong]
        yield wrong, ["listen", wrong, "--out", "new.wav"]
        yield wrong, ["plot", wrong, "spectrum", "--out", "new.png"]
        if wrong != "model.pt2":
            yield wrong, ["explain", wrong, "night.npy", "--out", "new.nc"]
        if wrong != "night.npy":
            yield wrong, ["explain", "model.pt2", wrong, "--out", "new.nc"]
            yield wrong, ["check", "model.pt2", wrong]


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
    names = (*SAID.get(option, ()), option, option.replace("-", "_"), option.replace("_", "-"))
    return None if any(name in error for name in names) else f"is not named: {error}"


def sweep(words: list[str]) -> Iterator[str]:
    """Faults, in a folder of its own, of commands and figures of these names, or of all."""
    with tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        try:
            furnish()
            kept = {path.name for path in Path().iterdir()}
            for option, line in lines():
                if words and not {line[0], *line[2:3]} & {*words}:
                    continue
                found = CliRunner().invoke(main, line)
                what = fault(option, found)
                left = {path.name for path in Path().iterdir()} - kept
                for name in left:
                    Path(name).unlink() if Path(name).is_file() else None
                if what is None and left:
                    what = f"leaves {left}"
                if what:
                    yield f"{' '.join(word or repr(word) for word in line)}: {what}"
        finally:
            os.chdir(before)


if __name__ == "__main__":
    warnings.simplefilter("ignore", FreqigWarning)
    for told in sweep(sys.argv[1:]):
        print(told, flush=True)
    sys.exit(0)

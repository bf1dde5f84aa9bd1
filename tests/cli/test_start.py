"""The command starts at once, and the package shows its public names and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import torch
from click.shell_completion import ShellComplete

import freqig
from freqig.cli import main

HEAVY = ("captum", "h5netcdf", "matplotlib", "numpy", "pandas", "scipy", "torch", "xarray")


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["demo", "--help"], ["demo", "ssvep", "-h"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from freqig.cli import main
main({arguments!r}, standalone_mode=False)
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    assert run("-c", code).splitlines()[-1] == "[]"


def test_what_is_in_a_result_is_shown_without_pytorch(tmp_path: Path) -> None:
    result = freqig.Explainer(torch.nn.Linear(8, 1), fs=8.0, n_steps=2)(np.ones((1, 8)), target=0)
    result.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    code = f"""
import sys
from freqig.cli import main
main(["show", {str(tmp_path / "r.nc")!r}], standalone_mode=False)
print("torch" in sys.modules)
"""
    assert run("-c", code).splitlines()[-1] == "False"


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc can be written by nobody, on Linux")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("explain no.onnx x.csv", "MODEL must be the path of a file.*none at 'no.onnx'"),
        ("explain . no.edf", "INPUT must be the path of a recording.*none at 'no.edf'"),
        ("explain . *.none", "none at '\\*.none': a pattern has no quotes"),
        ("explain . . --out there.nc", "--out there.nc must not be there yet"),
        ("explain . . --out there.nc/new.nc", "in a folder that can be written to.*there.nc' is a file"),
        ("explain . . --table there.nc/t.csv", "--table there.nc/t.csv must be in a folder"),
        ("explain . . --figures there.nc/f", "--figures must be a folder that can be written.*nc' is a file"),
        *(
            pytest.param(line, said + " that can be written to.*'/proc' is not writable", marks=LINUX)
            for line, said in (
                ("explain . . --figures /proc/f", "--figures must be a folder"),
                ("explain . . --out /proc/o.nc", "--out /proc/o.nc must be in a folder"),
            )
        ),
        ("explain . . --out folder.nc --force", "--out must be a file, got the folder 'folder.nc'"),
        ("explain . . --out x.nc --table ./x.nc", "--table must be another file than --out, got 'x.nc'"),
        ("cohort . . --out there.nc/x", "--out must be a folder that can be written to"),
        ("demo --output there.nc/x", "--output must be a folder that can be written to"),
        ("demo ssvep --path . --output there.nc/x", "--output must be a folder that can be written to"),
        ("explain . . --report page.pdf", "--report must end in .html, got 'page.pdf': write a page, which"),
        ("report . --out page.pdf", "--out must end in .html"),
        ("explain . . --out new.doc", "--out must end in .nc or .zarr"),
        ("check no.onnx x.csv", "MODEL must be the path of a file"),
        ("show no.nc", "RESULT must be a result.*none at 'no.nc'"),
        ("plot no.nc spectrum --out x.png", "RESULT must be a result"),
        ("listen no.nc --out x.wav", "RESULT must be a result"),
        ("report no.nc --out x.html", "RESULT must be a result"),
        ("compare no.nc --unpaired", "RESULT must be a result"),
    ],
)
def test_slips_are_told_before_libraries_are_imported(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which takes seconds, of everybody who has mistyped the name of a file."""
    monkeypatch.chdir(tmp_path)
    Path("there.nc").touch()
    Path("folder.nc").mkdir()
    code = f"""
import re, sys
from click import ClickException
from freqig.cli import main
try:
    main({line.split()!r}, standalone_mode=False)
except ClickException as error:
    assert re.search({said!r}, error.message), error.message
    assert error.exit_code == 1
print([name for name in {HEAVY!r} if name in sys.modules and name != "numpy"])
"""
    assert run("-c", code).splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "line",
    [
        *("explain", "explain m.onnx", "explain m.onnx x.edf --labels", "explain m.onnx x.edf --out"),
        *("check", "cohort", "show"),
    ],
)
def test_shells_complete_names_of_files(line: str) -> None:
    """Where nothing is said of a word, shells complete nothing, and MODEL had to be typed in full."""
    shell = ShellComplete(main, {}, "freqig", "_FREQIG_COMPLETE")
    assert [one.type for one in shell.get_completions(line.split(), "ne")] == ["file"]


def test_the_module_runs_as_the_command_does() -> None:
    (script,) = entry_points(group="console_scripts", name="freqig")
    assert script.value == "freqig.cli:main"
    told = run("-m", "freqig", "--help")
    assert "demo" in told
    assert told.replace("python -m freqig", "freqig") == run(
        "-c", "from freqig.cli import main; main(['--help'], prog_name='freqig')"
    )


DIR = "import freqig; print(*dir(freqig))"
SUBMODULES = """
import freqig
assert issubclass(freqig.errors.ConvergenceWarning, Warning)
assert callable(freqig.plots.spectrum) and callable(freqig.baselines.zero)
assert callable(freqig.domains.RFFT)
"""
NAMES = """
import freqig
from freqig import *
for name in ("attribute", "bands", "Explainer", "RFFT", "FrequencyModel"):
    assert getattr(freqig, name) is globals()[name]
    assert callable(getattr(freqig, name)), name
from freqig.bands import named_bands
assert callable(freqig.bands)
"""
OLD_NAME = "import freqIG, freqig; assert freqIG.attribute is freqig.attribute"
BEFORE = (
    "",
    "import freqig.bands, freqig.attribute",
    "from freqig.domains import FilterBank",
    "import freqig.batch_axes",
)


@pytest.fixture(scope="module")
def anew() -> dict[str, str]:
    """What programs print, or fail with, each of which imports freqig anew: in a process of their own.

    Other packages are imported once for all of them.
    """
    code = f"""
import contextlib, io, json, sys, traceback
ended = {{}}
for program in {[DIR, SUBMODULES, OLD_NAME, *(before + NAMES for before in BEFORE)]!r}:
    for name in [name for name in sys.modules if name.partition(".")[0].lower() == "freqig"]:
        del sys.modules[name]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(program, {{}})
        except Exception:
            traceback.print_exc(file=printed)
    ended[program] = printed.getvalue()
print(json.dumps(ended))
"""
    ended: dict[str, str] = json.loads(run("-c", code))
    return ended


def test_dir_shows_public_names_only(anew: dict[str, str]) -> None:
    assert dir(freqig) == sorted(freqig.__all__)
    # Where nothing was imported before.
    names = anew[DIR].split()
    assert {"Explainer", "attribute", "bands", "errors", "plots"} <= set(names)
    assert not [name for name in names if name.startswith("_") and name != "__version__"]


@pytest.mark.parametrize("before", BEFORE)
def test_functions_are_not_hidden_by_their_modules(before: str, anew: dict[str, str]) -> None:
    assert anew[before + NAMES] == ""


def test_submodules_need_no_import_of_their_own(anew: dict[str, str]) -> None:
    assert anew[SUBMODULES] == ""


def test_the_name_of_old_may_be_imported_first(anew: dict[str, str]) -> None:
    assert anew[OLD_NAME] == ""

"""What the package promises about its own shape: layers, imports, public names, the wheel."""

from __future__ import annotations

import importlib.metadata
import inspect
import random
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import beartype
import jaxtyping
import pytest

import freqIG
import freqig
import freqig.errors

# Libraries that somebody may not have, or that cost time which `import freqig` need not spend.
NOT_AT_IMPORT = {
    "beartype",
    "captum",
    "click",
    "dask",
    "distributed",
    "edfio",
    "equinox",
    "flax",
    "h5netcdf",
    "h5py",
    "jax",
    "jaxtyping",
    "keras",
    "matplotlib",
    "mne",
    "mne_bids",
    "netCDF4",
    "onnx",
    "onnx2fx",
    "onnx2pytorch",
    "onnxruntime",
    "ptwt",
    "pywt",
    "scipy",
    "shap",
    "sklearn",
    "tensorflow",
    "tf2onnx",
    "zarr",
}
# Dependencies of the core without which nothing can be computed or labelled.
AT_IMPORT = ("numpy", "torch", "tqdm", "xarray")


def run_python(code: str, *options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own, without what the tests have imported already."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done


def packages_imported_by(code: str) -> set[str]:
    """Top-level packages outside the standard library that a program imports, or tries to."""
    trace = run_python(code, "-X", "importtime").stderr
    modules = re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", trace, flags=re.MULTILINE)
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names


def public_objects() -> list[tuple[str, object]]:
    """Public functions and classes of freqig, and the classes of freqig.errors, by full name."""
    found = [(f"freqig.{name}", getattr(freqig, name)) for name in freqig.__all__]
    found += [
        (f"freqig.errors.{name}", value)
        for name, value in vars(freqig.errors).items()
        if inspect.isclass(value) and value.__module__ == "freqig.errors"
    ]
    return [(name, value) for name, value in found if inspect.isclass(value) or inspect.isfunction(value)]


def public_parameters() -> list[tuple[str, object, list[str]]]:
    """Public objects with the names of their parameters."""
    found = []
    for name, value in public_objects():
        if inspect.isclass(value) and (issubclass(value, BaseException) or inspect.isabstract(value)):
            continue
        parameters = [p for p in inspect.signature(value).parameters.values() if p.kind != p.VAR_KEYWORD]
        found.append((name, value, [p.name for p in parameters]))
    return found


def by_name(case: object) -> str | None:
    return case if isinstance(case, str) else ""


def test_imports_go_one_way(root: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_needs_no_optional_library() -> None:
    # Names are imported when they are first used.
    own = packages_imported_by("from freqig import Explainer, attribute, bands") - {"freqig", "_virtualenv"}
    assert "numpy" in own, "the trace of imports could not be read"
    core = packages_imported_by("import " + ", ".join(AT_IMPORT))
    # What torch and xarray try for themselves is theirs: some look for optional libraries of their own.
    assert own - core == set()
    assert NOT_AT_IMPORT & (own - core) == set()
    assert not {"matplotlib", "captum", "h5netcdf", "netCDF4", "zarr", "dask"} & own


def test_attribute_runs_where_every_optional_library_is_missing() -> None:
    forbidden = sorted(NOT_AT_IMPORT)
    run_python(
        f"""
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {forbidden!r}:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]

import numpy as np
import torch
import freqIG
import freqig

model = torch.nn.Linear(9, 2)
x = np.arange(9.0)
assert freqIG.attribute(x, model, target=1).shape == (5,)
assert freqig.Explainer(model, fs=9.0)(x[None], target=1).rfft.shape == (1, 5)
"""
    )


def test_calls_are_checked_against_annotations() -> None:
    with pytest.raises(jaxtyping.TypeCheckError, match="context"):
        freqig.errors.add_context(ValueError("a"), context=1)


def test_checks_of_annotations_leave_the_random_state() -> None:
    @beartype.beartype
    def takes_a_list(items: list[int]) -> None: ...

    before = random.getstate()
    takes_a_list([1, 2, 3])
    assert random.getstate() == before


def test_nothing_is_printed_and_no_compiler_is_imported() -> None:
    """Neither alone nor beside another thread, where draws of the model are watched."""
    done = run_python(
        """
import sys, threading
import torch, freqig
freqig.attribute([0.0, 1.0, 2.0, 1.0], torch.nn.Linear(4, 1))
threading.Thread(target=threading.Event().wait, daemon=True).start()
freqig.Explainer(torch.nn.Linear(4, 1))(torch.ones(2, 4))
assert "torch._dynamo" not in sys.modules
"""
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_both_import_names_coexist(root: Path) -> None:
    assert freqIG is not freqig
    assert freqIG.attribute is freqig.attribute
    assert freqIG.__all__ == ["attribute"]
    # One folder must hold both where file names ignore case.
    names = [path.name.casefold() for path in (root / "src").iterdir()]
    assert len(names) == len(set(names))


def test_every_public_name_exists_and_is_listed() -> None:
    assert len(freqig.__all__) == len(set(freqig.__all__))
    namespace: dict[str, object] = {}
    exec("from freqig import *", namespace)
    assert set(freqig.__all__) <= namespace.keys()
    unlisted = {
        name
        for name, value in vars(freqig).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("freqig")
    } - set(freqig.__all__)
    assert unlisted == set()


def test_version_is_the_same_everywhere(root: Path) -> None:
    assert importlib.metadata.version("freqig") == freqig.__version__
    assert f"version: {freqig.__version__}\n" in (root / "CITATION.cff").read_text(encoding="utf-8")


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = freqig.no_such_name


@pytest.mark.parametrize(("name", "value"), public_objects(), ids=by_name)
def test_public_objects_have_examples(name: str, value: object) -> None:
    documentation = inspect.getdoc(value) or ""
    assert re.search(r"^Examples\n-{8}$", documentation, flags=re.MULTILINE), f"{name} shows no example"
    assert ">>> " in documentation, f"{name} shows no example that doctest can run"


@pytest.mark.parametrize(("name", "value"), public_objects(), ids=by_name)
def test_public_methods_are_documented(name: str, value: object) -> None:
    if not inspect.isclass(value):
        return
    own = [c for c in inspect.getmro(value) if c.__module__.partition(".")[0] == "freqig"]
    methods = {m for c in own for m, f in vars(c).items() if not m.startswith("_") and callable(f)}
    assert [m for m in sorted(methods) if not inspect.getdoc(getattr(value, m))] == [], name


@pytest.mark.parametrize(("name", "value", "parameters"), public_parameters(), ids=by_name)
def test_public_objects_document_their_parameters(name: str, value: object, parameters: list[str]) -> None:
    documentation = inspect.getdoc(value) or ""
    section = re.search(
        r"^Parameters\n-{10}\n(.*?)(?=^\w[\w ]*\n-{3,}$|\Z)", documentation, flags=re.M | re.S
    )
    entries = re.findall(r"^(\S.*?)(?: : .*)?$", section.group(1), flags=re.MULTILINE) if section else []
    documented = [part.strip().lstrip("*") for entry in entries for part in entry.split(",")]
    assert documented == parameters, name


def test_wheel_holds_both_names_types_and_licence(root: Path, tmp_path: Path) -> None:
    build = f"from hatchling.build import build_wheel; build_wheel({str(tmp_path)!r})"
    run_python(build, cwd=root)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
        metadata = next(name for name in files if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode("utf-8").splitlines()
    assert {"freqIG.py", "freqig/__init__.py", "freqig/py.typed"} <= set(files)
    # What pages are made of is no code, and must come along all the same.
    made = "assets/page.js", "assets/page.css", "templates/page.html.j2", "vendored/LICENSE"
    assert {f"freqig/reporting/{name}" for name in made} <= set(files)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)
    assert {name.split("/")[0] for name in files if ".dist-info/" not in name} == {"freqIG.py", "freqig"}
    assert {"License-Expression: MIT", "Requires-Python: >=3.11"} <= set(lines)
    extras = {line.removeprefix("Provides-Extra: ") for line in lines if line.startswith("Provides-Extra")}
    assert {"convert", "onnx", "tf2onnx", "onnx2pytorch", "test", "docs", "dev", "eeg"} <= extras


def test_constraints_pin_every_dependency_of_the_tests(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = list(project["dependencies"])
    for extra in ("test", "dev", "docs", "eeg", "wavelet", "ica", "onnx", "keras", "jax"):
        wanted += extras[extra]
    names = {re.match(r"[\w-]+", requirement).group().lower() for requirement in wanted} - {"freqig"}
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    # A local label, as in 2.13.0+cpu, would tie the file to one index.
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert names <= {pin.split("==")[0].lower() for pin in pins}

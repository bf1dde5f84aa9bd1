"""Domains, models and readers of other packages: found by their entry points, and told of where they fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from click.testing import CliRunner
from torch import Tensor, nn

import freqig
from freqig.cli import main
from freqig.cli._reading import read_domains
from freqig.cohort.recordings import Recording
from freqig.domains.reading import read_domains as read
from freqig.models import as_model

from .helpers import close, noise

FS, N = 100.0, 200
WEIGHTS = noise(2, N, seed=1) / 10


def files_of(page: Path) -> dict[str, str]:
    """Files that a page shows: a block that follows the name of its file in bold."""
    found = re.findall(r"\*\*`([\w./]+)`\*\*[^`]*```\w+\n(.*?)^```$", page.read_text(), flags=re.M | re.S)
    return dict(found)


@pytest.fixture(scope="session")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the page on extensions, built as its `pyproject.toml` says and unpacked."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name, text in files_of(root / "docs" / "extending.md").items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    (source / "freqig_lab" / "__init__.py").touch()
    build = "from hatchling.build import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True)
    (wheel,) = source.glob("freqig_lab-0.1-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


@pytest.fixture
def lab(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(installed)
    return installed


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of the package's model and one of its recordings; the current one."""
    monkeypatch.chdir(tmp_path)
    Path("two.templates").write_text(json.dumps(WEIGHTS.tolist()))
    rows = noise(3 * N, 2, seed=2)
    np.savetxt("night.counts", rows, header="100 uV Cz Oz", comments="")
    return tmp_path


def declare(site: Path, package: str, **groups: dict[str, str]) -> None:
    """Install a package that has entry points alone."""
    folder = site / f"{package.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[freqig.{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (folder / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path of Python, for packages made by `declare`, with a module for them."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setitem(sys.modules, "freqig_of_tests", sys.modules[__name__])
    return folder


HERE = "freqig_of_tests"


class Net(nn.Module):
    """The same decision as of the package's templates."""

    def __init__(self) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.tensor(WEIGHTS))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x @ self.W.T)


def test_the_three_of_the_page_explain_together(lab: Path, desk: Path) -> None:
    done = CliRunner().invoke(
        main,
        [
            *("explain", "two.templates", "night.counts", "--window", "2", "--channels", "Oz"),
            *("--target", "1", "--domains", "rfft,Hartley,time", "--tol", "1e-6", "--out", "night.nc"),
        ],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    result = xr.load_dataset("night.nc")
    rows = np.loadtxt("night.counts", skiprows=1)[:, 1].reshape(3, N)
    truth = freqig.Explainer(Net(), fs=FS, domains=[freqig.RFFT(), freqig.Time()], tol=1e-6)(rows, target=1)
    close(result.rfft[:, 0], truth.rfft, 1e-6)
    # Hartley's coefficients by their definition, cas(2πkt/n) / √n, of δ and of the mean gradient.
    angles = 2 * np.pi * np.outer(np.arange(N), np.arange(N)) / N
    cas = (np.cos(angles) + np.sin(angles)) / np.sqrt(N)
    gradient = truth.waveform.values / rows
    close(result.hartley[:, 0], (rows @ cas) * (gradient @ cas), 1e-6)
    assert result.hartley.dims == ("sample", "channel", "hartley_frequency")
    assert result.hartley_frequency.attrs["units"] == "Hz"
    assert result.attrs["model_adapter"] == "freqig-lab 0.1"
    assert result.attrs["model_fingerprint"].startswith("sha256:")
    assert result.channel.values.tolist() == ["Oz"]
    # A result names its domain, which is made again: of its coefficients some are kept, the others are zero.
    kept = freqig.resynthesize(result, 0.5, name="hartley").values[:, 0] @ cas
    is_kept = np.abs(kept) > 1e-9
    assert 0 < is_kept.mean() < 0.5
    close(kept[is_kept], (rows @ cas)[is_kept], 1e-9)


def test_objects_of_a_class_are_adapted(lab: Path) -> None:
    from freqig_lab.models import Templates

    x = noise(2, N)
    # A module of PyTorch would begin with more nodes, since what its points cost is measured.
    found, expected = (
        freqig.Explainer(model, fs=FS, n_initial=7)(x, target=0) for model in (Templates(WEIGHTS), Net())
    )
    close(found.rfft, expected.rfft, 1e-9)
    assert found.attrs["model_adapter"] == "freqig-lab 0.1"
    assert as_model(Templates(WEIGHTS), dtype=torch.float32).dtype == torch.float32


def test_nothing_is_imported_before_it_is_asked_for(lab: Path) -> None:
    code = f"""
import importlib.metadata
import sys
import torch, xarray
real = importlib.metadata.entry_points
def refuse(*, group, **named):
    # Other libraries may look for theirs.
    assert not group.startswith("freqig"), "importing looks for no entry points"
    return real(group=group, **named)
importlib.metadata.entry_points = refuse
import freqig, freqig.cli, freqig.domains, freqig.files, freqig.models, freqig.plugins
freqig.plugins.entry_points = real
sys.path.insert(0, {str(lab)!r})
freqig.Explainer(torch.nn.Linear(4, 1))(torch.ones(2, 4))
from freqig.cli._reading import read_domains
read_domains("rfft,stft:1")
assert "freqig_lab" not in sys.modules
print(read_domains("hartley"))
assert "freqig_lab.domains" in sys.modules and "freqig_lab.models" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[Hartley(name='hartley')]\n"), done.stderr


class Delay(freqig.Domain):
    """A series, turned by so many samples."""

    def __init__(self, samples: int = 1, name: str | None = None) -> None:
        super().__init__(name)
        self.samples = samples

    def analyze(self, x: Tensor) -> Tensor:
        return x.roll(self.samples, -1)

    def synthesize(self, c: Any, n: int) -> Tensor:
        return c.roll(-self.samples, -1)

    def coords(self, n: int, fs: float | None) -> Any:
        return {"step": np.arange(n)}


def test_numbers_behind_colons_are_arguments(site: Path) -> None:
    declare(site, "pkg-a", domains={"delay": f"{HERE}:Delay"})
    assert [one.samples for one in read_domains("delay,Delay:3")] == [1, 3]
    with pytest.raises(ValueError, match=r"domains must be given what they take, got 'delay:1:2:3'"):
        read_domains("delay:1:2:3")
    with pytest.raises(ValueError, match=r"domains must be of .*composition, delay, .*got 'dealy'"):
        read_domains("dealy")


def test_names_in_python_say_how_the_domain_is_made(site: Path) -> None:
    declare(site, "pkg-a", domains={"delay": f"{HERE}:Delay"})
    with pytest.raises(TypeError, match=rf"'delay': write {HERE}\.Delay\(\), of pkg-a 1\.0"):
        read("delay")
    with pytest.raises(TypeError, match=rf"freqig\.RFFT\(\), .*{HERE}\.Delay\(\)"):
        read("nothing")


@pytest.mark.parametrize("name", ["rfft", "STFT", "waveform", "time", "sleep", "third-octave"])
def test_a_name_of_freqig_itself_is_an_error_where_it_is_asked_for(site: Path, name: str) -> None:
    declare(site, "pkg-a", domains={name.lower(): f"{HERE}:Delay"})
    with pytest.raises(ValueError, match=r"freqig itself and pkg-a 1\.0: uninstall pkg-a 1\.0"):
        read_domains(name)
    # Others go on.
    assert [one.name for one in read_domains("cepstrum,mel")] == ["cepstrum", "mel"]


def test_two_packages_with_one_name_are_an_error_that_names_both(site: Path) -> None:
    for package in ("pkg-a", "pkg-b"):
        declare(
            site,
            package,
            domains={"delay": f"{HERE}:Delay"},
            readers={".turn": f"{HERE}:read_turn"},
            models={".turn": f"{HERE}:load_turn", f"{HERE}.Turn": f"{HERE}:adapt_turn"},
        )
    both = r"got it of pkg-a 1\.0 and pkg-b 1\.0: uninstall pkg-a 1\.0 or pkg-b 1\.0"
    with pytest.raises(ValueError, match=both):
        read_domains("delay")
    path = site / "a.turn"
    path.write_text("1 2 3")
    with pytest.raises(ValueError, match=both):
        freqig.read(path)
    with pytest.raises(ValueError, match=both):
        as_model(path)
    Turn.__module__ = HERE
    with pytest.raises(ValueError, match=both):
        as_model(Turn())


class Turn:
    """A model of a kind that freqig does not know."""

    def __call__(self, x: Any) -> Any:
        return x


class Both(nn.Module):
    """A model of PyTorch whose package adapts it."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def read_turn(path: Path, channels: Any) -> Any:
    from freqig.files import Recording

    return Recording(np.loadtxt(path, ndmin=2), fs=10.0)


def load_turn(path: str, **_: Any) -> nn.Module:
    return Net()


def adapt_turn(model: Any, **_: Any) -> nn.Module:
    return Net()


def returns_nothing(*_: Any, **__: Any) -> None: ...


def fails(*_: Any, **__: Any) -> None:
    raise KeyError("no such block")


@pytest.mark.parametrize(("end", "ask"), [(".edf", freqig.read), (".pt", as_model), (".onnx", as_model)])
def test_an_ending_of_freqig_itself_is_an_error(site: Path, end: str, ask: Any) -> None:
    kind = "readers" if ask is freqig.read else "models"
    declare(site, "pkg-a", **{kind: {end: f"{HERE}:read_turn"}})
    (site / f"a{end}").write_bytes(b"0       ")
    with pytest.raises(ValueError, match=r"freqig itself and pkg-a 1\.0"):
        ask(site / f"a{end}")


def test_a_class_of_freqig_itself_is_an_error_and_a_subclass_is_not(site: Path) -> None:
    declare(site, "pkg-a", models={f"{HERE}.Both": f"{HERE}:adapt_turn"})
    Both.__module__ = HERE
    assert as_model(Both()).description["adapter"] == "pkg-a 1.0"
    assert "adapter" not in as_model(nn.Linear(2, 1)).description
    declare(site, "pkg-b", models={"torch.nn.modules": f"{HERE}:adapt_turn"})
    sys.path.append(str(site / "changes the path"))
    try:
        with pytest.raises(ValueError, match=r"freqig itself and pkg-b 1\.0"):
            as_model(nn.Linear(2, 1))
    finally:
        sys.path.pop()


def test_the_longest_name_counts_and_refused_classes_may_be_adapted(site: Path) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    declare(site, "pkg-a", models={"sklearn": f"{HERE}:fails"})
    declare(site, "pkg-b", models={"sklearn.linear_model": f"{HERE}:adapt_turn"})
    assert as_model(linear.LogisticRegression()).description["adapter"] == "pkg-b 1.0"
    # A name ends where a part of the dotted name does.
    declare(site, "pkg-c", models={"sklearn.linear_mod": f"{HERE}:fails"})
    assert as_model(linear.LogisticRegression()).description["adapter"] == "pkg-b 1.0"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("no_such_module_at_all:Delay", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        (f"{HERE}:NoSuchName", "AttributeError"),
    ],
)
def test_what_cannot_be_imported_names_its_package_and_a_remedy(site: Path, value: str, says: str) -> None:
    declare(
        site,
        "pkg-a",
        domains={"delay": value},
        readers={"turn": value},
        models={".turn": value, f"{HERE}.Turn": value},
    )
    told = rf"pkg-a 1\.0, but {value} cannot be imported \({says}.*update or uninstall"
    (site / "a.turn").write_text("1 2 3")
    Turn.__module__ = HERE
    for ask in (
        lambda: read_domains("delay"),
        lambda: freqig.read(site / "a.turn"),
        lambda: as_model(site / "a.turn"),
        lambda: as_model(Turn()),
    ):
        with pytest.raises(ImportError, match=told):
            ask()
    # What nobody asked for is in nobody's way.
    assert as_model(Net()).dtype == torch.float64
    np.save(site / "x.npy", np.zeros((1, 8)))
    done = CliRunner().invoke(main, ["explain", str(site / "a.turn"), str(site / "x.npy")])
    assert done.exit_code == 1
    assert "pkg-a 1.0" in done.output
    assert len(done.output.splitlines()) == 1


def test_what_returns_something_else_names_its_package(site: Path) -> None:
    nothing = f"{HERE}:returns_nothing"
    declare(
        site,
        "pkg-a",
        domains={"delay": nothing},
        readers={".turn": nothing, ".bad": f"{HERE}:fails"},
        models={".turn": nothing, ".number": f"{HERE}:FS"},
    )
    for end in ("turn", "bad", "number"):
        (site / f"a.{end}").write_text("1 2 3")
    with pytest.raises(ValueError, match=r"returns_nothing of pkg-a 1\.0 must make a Domain, got None"):
        read_domains("delay")
    with pytest.raises(TypeError, match=r"pkg-a 1\.0 must return a freqig\.files\.Recording, got None"):
        freqig.read(site / "a.turn")
    with pytest.raises(TypeError, match=r"pkg-a 1\.0 must return a freqig\.models\.Model or .*got None"):
        as_model(site / "a.turn")
    with pytest.raises(TypeError, match=r"FS of pkg-a 1\.0 must be callable, got 100"):
        as_model(site / "a.number")
    with pytest.raises(KeyError, match="no such block") as caught:
        freqig.read(site / "a.bad")
    assert f"a.bad is read by {HERE}:fails of pkg-a 1.0" in caught.value.__notes__


def test_files_that_can_run_code_are_trusted_first(site: Path) -> None:
    import pickle

    declare(site, "pkg-a", models={".turn": f"{HERE}:load_turn"})
    path = site / "a.turn"
    path.write_bytes(pickle.dumps([1.0]))
    with pytest.raises(PermissionError, match=r"file of pickle.*trust=True lets pkg-a 1\.0 load it"):
        as_model(path)
    assert as_model(path, trust=True).description["adapter"] == "pkg-a 1.0"
    with pytest.raises(FileNotFoundError, match="there is none"):
        as_model(site / "absent.turn")
    (site / "folder.turn").mkdir()
    assert as_model(site / "folder.turn").description["adapter"] == "pkg-a 1.0"


def test_readers_give_the_channels_that_are_wanted(lab: Path, desk: Path) -> None:
    found = freqig.read("night.counts", channels=["Oz", "Cz"], window=2, step=1)
    rows = np.loadtxt("night.counts", skiprows=1)
    np.testing.assert_array_equal(found[1, 0], rows[100:300, 1])
    assert (found.attrs["fs"], found.attrs["units"]) == (100.0, "uV")
    with pytest.raises(ValueError, match=r"channels must each be one of Cz, Oz in night\.counts.*no 'Pz'"):
        freqig.read("night.counts", channels=["Pz"])
    # The name of a recording ends before what says its kind.
    assert Recording("sub-01.Night.COUNTS").name == "sub-01.Night"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"values": np.zeros(5)}, r"values must be an array of shape \(channel, time\).*got \(5,\)"),
        ({"values": np.zeros((2, 5)), "channels": ("a",)}, "one name per row of values, so 2, got 1"),
        ({"values": np.zeros((2, 1, 5)), "labels": ("a",)}, r"labels must be one per sample .* got 1 for"),
        ({"values": np.zeros((2, 5)), "labels": ("a", "b")}, "pass annotations for what is not cut"),
    ],
)
def test_recordings_check_themselves(given: dict[str, Any], says: str) -> None:
    from freqig.files import Recording

    with pytest.raises(ValueError, match=says):
        Recording(**given)

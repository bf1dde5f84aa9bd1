"""Saved PyTorch programs: loaded only when trusted."""

from __future__ import annotations

import io
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from freqig import Explainer
from freqig.models import as_model

from ..networks import batch_norm, expected, gradient, noise, outputs

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def check(path: Path, n: int) -> None:
    with pytest.raises(PermissionError, match="trust=True loads it"):
        as_model(path)
    with warnings.catch_warnings():
        # TorchScript is deprecated, but what people have.
        warnings.simplefilter("ignore")
        model = as_model(path, trust=True)
    x = noise(n, 2, 30)
    y, slope = expected(batch_norm(), x)
    torch.testing.assert_close(outputs(model, x), y)
    torch.testing.assert_close(gradient(model, x), slope)
    assert model.fingerprint()


@pytest.mark.parametrize(
    "how",
    [torch.jit.script, lambda net: torch.jit.trace(net, torch.ones(1, 2, 30))],
    ids=["script", "trace"],
)
def test_torchscript(how: Callable[[Any], Any], tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        how(batch_norm()).save(str(path))
    check(path, 5)


@pytest.mark.parametrize("free", [True, False], ids=["free batch", "batch 4"])
def test_exported_programs_of_any_batch(free: bool, tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    shapes = ({0: torch.export.Dim("batch")},) if free else None
    torch.export.save(torch.export.export(batch_norm(), (torch.ones(4, 2, 30),), dynamic_shapes=shapes), path)
    for n in (1, 4, 9):
        check(path, n)
    assert as_model(path, trust=True).description.get("fixed_batch") == (None if free else 4)


class Marks:
    """Leaves a mark when unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_weights_and_pickles_are_refused_unread_with_the_recipe(tmp_path: Path) -> None:
    torch.save(batch_norm().state_dict(), tmp_path / "weights.pt")
    torch.save(Marks(tmp_path / "ran"), tmp_path / "pickle.pt")
    (tmp_path / "old.pth").write_bytes(b"\x80\x02}q\x00.")
    for name in ("weights.pt", "pickle.pt", "old.pth"):
        for trust in (False, True):
            with pytest.raises(ValueError, match=r"weights_only=True.*trust=True does not change this"):
                as_model(tmp_path / name, trust=trust)
    assert not (tmp_path / "ran").exists()


def test_the_recipe_of_the_error_explains_weights_and_runs_no_pickle(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(batch_norm().state_dict(), path)
    with pytest.raises(ValueError, match="weights") as caught:
        as_model(path)
    (line,) = re.findall(r"net\.load_state_dict\(.*?True\)\)", str(caught.value))
    net = batch_norm()
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    exec(line, {"net": net, "torch": torch, "path": path})
    x = noise(2, 2, 30).numpy()
    found, wanted = (Explainer(one, n_steps=8)(x, target=0) for one in (net, batch_norm()))
    np.testing.assert_array_equal(found.rfft, wanted.rfft)
    assert found.attrs["model_fingerprint"] == wanted.attrs["model_fingerprint"]

    torch.save({"weights": Marks(tmp_path / "ran")}, path)
    with pytest.raises(pickle.UnpicklingError):
        exec(line, {"net": net, "torch": torch, "path": path})
    assert not (tmp_path / "ran").exists()


def test_nothing_is_run_without_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(batch_norm(), (torch.ones(4, 2, 30),)), path)

    def loaded(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("loaded")

    for where, name in ((torch.export, "load"), (torch.jit, "load"), (torch, "load")):
        monkeypatch.setattr(where, name, loaded)
    with pytest.raises(PermissionError):
        as_model(path)


@pytest.mark.parametrize("free", [True, False], ids=["free batch", "batch 4"])
@pytest.mark.parametrize("of", ["program", "module"])
def test_exported_programs_in_memory(free: bool, of: str) -> None:
    """The program itself, and the module that PyTorch tells to call in its place."""
    shapes = ({0: torch.export.Dim("batch")},) if free else None
    program = torch.export.export(batch_norm(), (torch.ones(4, 2, 30),), dynamic_shapes=shapes)
    model = as_model(program if of == "program" else program.module())
    for n in (1, 4, 9):
        x = noise(n, 2, 30)
        y, slope = expected(batch_norm(), x)
        torch.testing.assert_close(outputs(model, x), y)
        torch.testing.assert_close(gradient(model, x), slope)
    assert model.description.get("fixed_batch") == (None if free else 4)
    assert Explainer(model, n_steps=8)(noise(3, 2, 30).numpy(), target=0).sizes["sample"] == 3


def test_a_traced_graph_is_a_module_like_others() -> None:
    x = noise(3, 2, 30)
    y, slope = expected(batch_norm(), x)
    model = as_model(torch.fx.symbolic_trace(batch_norm()))
    torch.testing.assert_close(outputs(model, x), y)
    torch.testing.assert_close(gradient(model, x), slope)


@pytest.mark.parametrize("name", ["net.ep", "net.bin", "net"])
def test_an_exported_program_in_a_file_of_any_name(name: str, tmp_path: Path, capfd: Any) -> None:
    program = torch.export.export(batch_norm(), (torch.ones(4, 2, 30),))
    torch.export.save(program, tmp_path / "net.pt2")
    path = (tmp_path / "net.pt2").rename(tmp_path / name)
    check(path, 3)
    assert capfd.readouterr().err == ""


@pytest.fixture(params=["script", "export"])
def program(request: Any, tmp_path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if request.param == "script":
            torch.jit.script(batch_norm()).save(str(tmp_path / "net.pt"))
            return tmp_path / "net.pt"
    torch.export.save(torch.export.export(batch_norm(), (torch.ones(4, 2, 30),)), tmp_path / "net.pt2")
    return tmp_path / "net.pt2"


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    bad = path.with_stem("bad")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return bad


@pytest.mark.parametrize("end", ["0", ".json", ".pkl", "version"])
def test_programs_that_swell_are_refused_unread(
    program: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("loaded")

    bad = rewritten(program, lambda name, content: content + bytes(80 << 20) * name.endswith(end))
    monkeypatch.setattr(torch.jit, "load", loaded)
    monkeypatch.setattr(torch.export, "load", loaded)
    if any(name.endswith(end) for name in zipfile.ZipFile(bad).namelist()):
        with pytest.raises(ValueError, match=r"unpacks to .*, which no model does; trust=True does not"):
            as_model(bad, trust=True)


def zipped(content: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        archive.writestr("archive/data/0", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (zipped(bytes(80 << 20)), r"added\.pt in .* unpacks to .*, which no model does"),
        (zipped(zipped(zipped(b"deep"), zipfile.ZIP_STORED), zipfile.ZIP_STORED), r"archive in an archive"),
        (zipped(b"whole")[:-9], r"is a damaged archive"),
    ],
    ids=["swells", "deep", "cut"],
)
def test_an_archive_in_a_program_is_looked_into(program: Path, inner: bytes, said: str) -> None:
    with zipfile.ZipFile(program, "a") as archive:
        folder = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{folder}/data/added.pt", inner)
    with pytest.raises(ValueError, match=rf"{said}.*trust=True does not"):
        as_model(program, trust=True)


def test_programs_that_lie_about_their_sizes_are_refused_unread(program: Path) -> None:
    whole = bytearray(program.read_bytes())
    start = whole.rindex(b"PK\x01\x02")
    struct.pack_into("<I", whole, start + 24, 1 << 20)  # the size of the last member in the directory
    program.write_bytes(whole)
    with pytest.raises(ValueError, match="is not as long as the archive states; trust=True does not"):
        as_model(program, trust=True)
    struct.pack_into("<II", whole, start + 20, 1 << 20, 1 << 20)  # and its packed size
    program.write_bytes(whole)
    with pytest.raises(ValueError, match="less than its members take in it; trust=True does not"):
        as_model(program, trust=True)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_programs_whose_parts_are_rewritten_load_or_are_called_damaged(program: Path) -> None:
    assert as_model(rewritten(program, lambda name, content: content), trust=True).fingerprint()
    parsed = (".json", "data.pkl")
    bad = rewritten(program, lambda name, content: b"no" if name.endswith(parsed) else content)
    with pytest.raises(ValueError, match=r"bad\.pt2? is a damaged .* program"):
        as_model(bad, trust=True)

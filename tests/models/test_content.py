"""Files are what is in them, whatever their names end in; and what is advised for them works."""

from __future__ import annotations

import pathlib
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from freqig import Explainer
from freqig.models import as_model
from freqig.models.content import kind_of

from .networks import batch_norm, noise, outputs

pytestmark = [
    # Of Keras, about NumPy's new rule for copies.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    # Networks with random weights often take the baseline for the class that is explained.
    pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning"),
]

ENDS = [".jit", ".bin", ".model", ".onnx", ".pt", ".keras", ""]


def script(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(batch_norm(), torch.ones(1, 2, 30)).save(str(path))


@pytest.mark.parametrize("end", ENDS)
def test_torchscript_under_any_name(end: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{end}"
    script(path)
    with pytest.raises(PermissionError, match=r"TorchScript program.*trust=True loads it"):
        as_model(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = as_model(path, trust=True)
    x = noise(3, 2, 30)
    torch.testing.assert_close(outputs(model, x), batch_norm()(x).detach())


@pytest.mark.parametrize("end", ENDS)
def test_exported_programs_and_onnx_under_any_name(end: str, tmp_path: Path, export: Any) -> None:
    path = tmp_path / f"net{end}"
    buffer = tmp_path / "buffer.pt2"
    torch.export.save(torch.export.export(nn.Linear(4, 2), (torch.ones(1, 4),)), buffer)
    path.write_bytes(buffer.read_bytes())
    assert kind_of(path) == "torch.export"
    path.write_bytes(Path(export(nn.Linear(4, 2), torch.ones(1, 4), name="net")).read_bytes())
    assert kind_of(path) == "ONNX"
    pytest.importorskip("onnx2fx")
    assert outputs(as_model(path), noise(2, 4)).shape == (2, 2)


@pytest.mark.parametrize("end", [".model", "", ".pt"])
def test_keras_files_under_any_name(end: str, keras: Any, tmp_path: Path) -> None:
    saved, path = tmp_path / "net.keras", tmp_path / f"net{end}"
    keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]).save(saved)
    saved.rename(path)
    assert outputs(as_model(path), noise(3, 8)).shape == (3, 2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(100), r"HDF5.*keras\.saving\.load_model.*trust=True does not change"),
        (
            b"\x10\x00\x00\x00\x00\x00\x00\x00" + b'{"a":{}}        ',
            r"safetensors.*load_state_dict.*trust=True",
        ),
        (bytes(4) + b"TFL3" + bytes(40), r"TensorFlow Lite.*no gradients"),
    ],
)
@pytest.mark.parametrize("end", [".bin", ".pt", ".onnx", ""])
def test_what_is_not_loaded_says_what_to_do(content: bytes, says: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{end}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        as_model(path)


def test_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a folder.*saved_model\.load"):
        as_model(tmp_path)


@pytest.mark.parametrize("end", [".pt", ".keras", ".onnx", ".jit", ""])
@pytest.mark.parametrize("trust", [False, True])
def test_damaged_archives_are_called_damaged(end: str, trust: bool, tmp_path: Path) -> None:
    good, path = tmp_path / "good", tmp_path / f"net{end}"
    script(good)
    whole = good.read_bytes()
    directory = whole.rindex(b"PK\x01\x02")
    for bad in (whole[: len(whole) // 2], whole[:directory] + b"XXXX" + whole[directory + 4 :], whole[:40]):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"damaged zip archive.*download it again"):
            as_model(path, trust=trust)


@pytest.mark.parametrize("cut", [0.3, 0.6])
def test_damaged_members_are_called_damaged(cut: float, tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    script(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content[: int(cut * len(content))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="damaged TorchScript program"):
            as_model(path, trust=True)


def advised(path: Path, pattern: str) -> str:
    with pytest.raises(ValueError, match="trust=True does not change this") as caught:
        as_model(path)
    return str(re.search(pattern, str(caught.value))[0])


@pytest.mark.parametrize("how", ["zip", "old", "pickle"])
def test_the_advice_for_pickled_modules_works_as_it_stands(how: str, tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    if how == "pickle":
        path.write_bytes(pickle.dumps(batch_norm()))
    else:
        torch.save(batch_norm(), path, _use_new_zipfile_serialization=how == "zip")
    x, space = noise(2, 2, 30), {"torch": torch, "pickle": pickle, "pathlib": pathlib, "path": path}
    line = advised(path, r"net = (torch|pickle)\.loads?\(.*?\)(?= and pass net)")
    exec(line, space)
    torch.testing.assert_close(outputs(as_model(space["net"]), x), batch_norm()(x).detach())
    # The other way that it names: weights alone.
    saving = advised(path, r"torch\.save\(net\.state_dict\(\), path\)")
    loading = advised(path, r"net\.load_state_dict\(.*?True\)\)")
    exec(saving, space)
    space["net"] = batch_norm()
    exec(loading, space)
    torch.testing.assert_close(outputs(as_model(space["net"]), x), batch_norm()(x).detach())


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model_state", None])
@pytest.mark.parametrize("new", [True, False])
def test_the_advice_for_checkpoints_works_as_it_stands(key: str | None, new: bool, tmp_path: Path) -> None:
    path, net = tmp_path / "weights.ckpt", batch_norm()
    content = net.state_dict() if key is None else {"epoch": 3, key: net.state_dict(), "lr": 0.1}
    torch.save(content, path, _use_new_zipfile_serialization=new)
    line = advised(path, r"net\.load_state_dict\(.*?\)(?=, then pass net)")
    with torch.no_grad():
        net[0].weight.zero_()
    exec(line, {"torch": torch, "path": path, "net": net})
    x = noise(2, 2, 30)
    torch.testing.assert_close(outputs(as_model(net), x), batch_norm()(x).detach())


def test_reading_what_a_pickle_is_runs_nothing_and_ends(tmp_path: Path) -> None:
    class Marks:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "net.pt"
    for content in (
        pickle.dumps(Marks()),
        b"\x80\x04" + b"K\x01" * 10_000_000,
        b"\x80\x04\x8c\xff",
        b"\x80\x02",
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="weights_only=True"):
            as_model(path, trust=True)
    assert not (tmp_path / "ran").exists()


def wrapper(package: str, **attributes: Any) -> Any:
    """An object of a class that is named as a library's, so that it need not be installed."""
    kind = type("Wrapper", (), {"__module__": f"{package}.net", "predict_proba": lambda self, x: x})
    made = kind()
    vars(made).update(attributes)
    return made


def test_the_network_in_a_wrapper_is_taken_or_named() -> None:
    net, x = batch_norm(), noise(2, 2, 30).numpy()
    wanted = Explainer(net, n_steps=8)(x, target=0)
    taken = Explainer(wrapper("skorch", module=nn.Linear, module_=net), n_steps=8)(x, target=0)
    np.testing.assert_array_equal(taken.rfft, wanted.rfft)
    assert "skorch.net.Wrapper" in str(taken.attrs)
    for model, where in (
        (
            wrapper("sklearn", best_estimator_=wrapper("skorch", module_=net)),
            r"model\.best_estimator_\.module_",
        ),
        (
            wrapper("sklearn", steps=[("scale", 3), ("net", wrapper("skorch", module_=net))]),
            r"model\[-1\]\.module_",
        ),
        (wrapper("sktime", model_=net), r"model\.model_"),
        (wrapper("mine", learner=wrapper("other", net=net)), r"model\.learner\.net"),
        (wrapper("skorch", module_=net).predict_proba, r"model\.module_"),
    ):
        with pytest.raises(TypeError, match=f"pass the network in it, {where}"):
            as_model(model)
    with pytest.raises(TypeError, match="fit or initialize it first"):
        as_model(wrapper("skorch", module=nn.Linear))


def test_a_module_that_is_an_estimator_besides_is_a_module() -> None:
    base = pytest.importorskip("sklearn.base")

    class Net(base.ClassifierMixin, base.BaseEstimator, nn.Module):
        def __init__(self) -> None:
            nn.Module.__init__(self)
            self.head = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(x)

    for model in (net := Net(), net.forward):
        assert as_model(model).description["framework"] == "torch"

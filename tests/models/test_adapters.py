"""Which adapter a model gets, and what is said to models that get none."""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from freqig import Explainer, attribute
from freqig.models import Model, as_model
from freqig.models.adapters import adapter_name, suffixes
from freqig.models.uses import packages_used

from ..helpers import noise
from ..test_architecture import run_python


def test_no_framework_is_imported_to_find_an_adapter() -> None:
    run_python(
        "import sys, torch\n"
        "from freqig.models import as_model\n"
        "as_model(torch.nn.Linear(2, 2)); as_model(torch.sin); as_model(lambda x: x)\n"
        "others = {'jax', 'keras', 'tensorflow', 'onnx', 'onnxruntime', 'sklearn', 'flax', 'onnx2fx'}\n"
        "assert not others & set(sys.modules), others & set(sys.modules)\n"
    )


def test_modules_and_callables_are_pytorchs() -> None:
    linear = nn.Linear(2, 2)
    for model in (linear, linear.forward, lambda x: x, functools.partial(torch.sum, dim=-1), math.sin):
        assert adapter_name(model) == "torch.model"
    adapter = as_model(linear)
    assert as_model(adapter) is adapter
    assert isinstance(adapter, Model)


@pytest.mark.parametrize("model", [3, None, [nn.Linear(2, 2)], nn.Linear], ids=repr)
def test_what_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module.*Keras.*got"):
        as_model(model)


def test_a_function_of_another_framework_is_known_by_the_names_in_its_code() -> None:
    jnp = pytest.importorskip("jax.numpy")

    def inner(x: Any) -> Any:
        return jnp.tanh(x)

    def outer(x: Any) -> Any:
        return inner(x).sum(-1)

    both = lambda x: jnp.asarray(torch.tanh(x))
    assert "jax" in packages_used(outer)
    assert adapter_name(inner) == adapter_name(outer) == adapter_name(functools.partial(outer)) == "jax_model"
    assert adapter_name(both) == "torch.model"
    # Networks kept as weights and a function of both.
    weights = {"layers": [jnp.ones(3)]}
    assert adapter_name(functools.partial(lambda w, x: x @ w["layers"][0], weights)) == "jax_model"
    assert adapter_name(lambda x: weights["layers"][0] * x) == "jax_model"


@pytest.mark.parametrize("end", [".pkl", ".h5", "", ".joblib"])
def test_unknown_files_say_what_is_accepted(end: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{end}"
    path.write_bytes(b"anything")
    for given in (path, str(path)):
        with pytest.raises(ValueError, match="trust=True does not change this") as caught:
            Explainer(given, trust=True)
        assert all(suffix in str(caught.value) for suffix in suffixes())


@pytest.mark.parametrize("end", suffixes())
def test_missing_files_are_named(end: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"path of a file.*absent\{end}"):
        attribute(noise(8), tmp_path / f"absent{end}")


MISSING = [
    ("onnx", "net.onnx", r"pip install freqig\[onnx\]"),
    ("keras", "net.keras", r"pip install freqig\[keras\]"),
]


@pytest.mark.parametrize(("library", "name", "advice"), MISSING, ids=[case[0] for case in MISSING])
def test_missing_libraries_name_the_extra(
    library: str, name: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=advice):
        as_model(path)


def test_a_missing_jax_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from freqig.models.jax_model import JaxModel

    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r"pip install freqig\[jax\]"):
        JaxModel(lambda x: x)


def test_scikit_learn_is_refused() -> None:
    linear = pytest.importorskip("sklearn.linear_model").LogisticRegression()
    from sklearn.ensemble import RandomForestClassifier

    for model in (linear, linear.fit([[0.0], [1.0]], [0, 1]).predict_proba):
        with pytest.raises(TypeError, match=r"must be differentiable.*sklearn\.LogisticReg.*in PyTorch"):
            as_model(model)
    with pytest.raises(TypeError, match=r"piecewise constant.*TreeSHAP"):
        as_model(RandomForestClassifier())


def test_trees_of_other_libraries_are_refused() -> None:
    # A class as theirs is named, so that none of them need be installed.
    classifier = type("LGBMClassifier", (), {"__module__": "lightgbm.sklearn"})
    with pytest.raises(TypeError, match=r"lightgbm\.LGBMClassifier.*piecewise constant"):
        Explainer(classifier())


def test_onnxruntime_sessions_are_refused(export: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    path = export(nn.Linear(4, 2), torch.ones(1, 4))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for model in (session, session.run):
        with pytest.raises(TypeError, match=r"path of its \.onnx file"):
            as_model(model)

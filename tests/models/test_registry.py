"""Finding adapters, and refusing what has no gradients."""

from __future__ import annotations

import subprocess
import sys

import pytest
from torch import nn

from freqig.models.registry import adapter_name, find


def test_nothing_is_imported_to_find_an_adapter() -> None:
    code = """
import sys
from freqig.models.registry import find
import torch
find(torch.nn.Linear(2, 2)); find(torch.sin)
loaded = {"jax", "keras", "tensorflow", "onnx", "onnxruntime", "sklearn", "flax"} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_modules_callables_and_others() -> None:
    assert adapter_name(nn.Linear(2, 2)) == "torch_"
    assert adapter_name(nn.Linear(2, 2).forward) == "torch_"
    assert adapter_name(lambda x: x) == "torch_"
    adapter = find(nn.Linear(2, 2))
    assert find(adapter) is adapter
    with pytest.raises(TypeError, match="got int"):
        find(3)
    with pytest.raises(ValueError, match=r"known are \.onnx"):
        find("model.pkl")


def test_scikit_learn_is_refused() -> None:
    linear = pytest.importorskip("sklearn.linear_model").LogisticRegression()
    for model in (linear, linear.fit([[0.0], [1.0]], [0, 1]).predict_proba):
        with pytest.raises(ValueError, match="differentiable model"):
            find(model)
    from sklearn.ensemble import RandomForestClassifier

    with pytest.raises(ValueError, match="TreeSHAP"):
        find(RandomForestClassifier())


def test_lightgbm_is_refused() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    with pytest.raises(ValueError, match="piecewise constant"):
        find(lightgbm.LGBMClassifier())


@pytest.mark.filterwarnings("ignore")
def test_onnxruntime_sessions_are_refused(export) -> None:
    import torch

    onnxruntime = pytest.importorskip("onnxruntime")
    path = export(nn.Linear(4, 2), torch.ones(1, 4))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with pytest.raises(ValueError, match=r"path of its \.onnx file"):
        find(session)

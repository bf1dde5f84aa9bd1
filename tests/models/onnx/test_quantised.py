"""Quantised files have no gradient that says anything; who needs none explains them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import freqig
from freqig.models.onnx.parity import ConversionError

from ...helpers import noise

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture
def quantised(tmp_path: Path) -> Path:
    """Inputs rounded to steps of 0.02, then a linear layer."""
    from onnx import TensorProto, helper, numpy_helper

    constants = [
        numpy_helper.from_array(np.float32(0.02), "step"),
        numpy_helper.from_array(np.int8(0), "zero"),
        numpy_helper.from_array(WEIGHTS, "weights"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "step", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "step", "zero"], ["d"]),
        helper.make_node("MatMul", ["d", "weights"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", k]) for n, k in (("x", 16), ("y", 3))]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


WEIGHTS = noise(16, 3, seed=2).astype(np.float32)


def test_it_is_named_with_the_remedy(quantised: Path) -> None:
    with pytest.raises(ConversionError, match=r"is quantised: QuantizeLinear.*before quantisation.*Shapley"):
        freqig.Explainer(str(quantised), fs=16)


def test_the_remedy_works(quantised: Path) -> None:
    """Of a linear layer behind steps of 0.02, whole series are worth what the layer makes of them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(quantised))

    def run(x: np.ndarray) -> np.ndarray:
        return session.run(None, {"x": x.astype(np.float32)})[0]

    x = noise(2, 16, seed=3).clip(-2, 2).astype(np.float32)
    bands = freqig.FilterBank({"low": (0, 4), "high": (4, 8)})
    found = freqig.Shapley(run, fs=16, players=bands)(x, target=0)
    expected = (np.round(x / 0.02) * 0.02 @ WEIGHTS)[:, 0]
    np.testing.assert_allclose(found.output - found.baseline_output, expected, atol=1e-4)

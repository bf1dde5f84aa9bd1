"""Measured faults of the libraries that freqig builds on.

Each test states the fault itself, so that a release that mends it is noticed, and what
freqig does about it. Those that need a converter freqig does not require are skipped
where it is missing.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from .networks import Recurrent, expected

pytestmark = pytest.mark.filterwarnings("ignore")


def group_norm() -> nn.Module:
    torch.manual_seed(0)
    body = [nn.Conv1d(2, 4, 5), nn.GroupNorm(2, 4), nn.ReLU(), nn.AdaptiveAvgPool1d(1)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(4, 3)).eval()


def test_onnx2pytorch_is_silently_wrong_on_group_norm_and_refused(export, monkeypatch) -> None:
    onnx2pytorch = pytest.importorskip("onnx2pytorch")
    onnx = pytest.importorskip("onnx")
    from freqig.models import onnx_convert, onnx_model

    net, x = group_norm(), 2 * torch.randn(4, 2, 40) + 1
    path = export(net, x)
    converted = onnx2pytorch.ConvertModel(onnx.load(path), experimental=True).eval()
    (y, slope), (wrong, wrong_slope) = expected(net, x), expected(converted, x)
    assert (y - wrong).abs().max() > 0.02
    assert (slope - wrong_slope).norm() / slope.norm() > 0.1
    monkeypatch.setattr(onnx_model, "converters", lambda: [("onnx2pytorch", onnx_convert._onnx2pytorch)])
    with pytest.raises(onnx_model.ConversionError, match="outputs differ"):
        onnx_model.OnnxModel(path)


def test_onnx2torch_fails_on_recurrent_layers(export) -> None:
    onnx2torch = pytest.importorskip("onnx2torch")
    path = export(Recurrent(), torch.randn(1, 2, 40))
    with pytest.raises(NotImplementedError, match="not implemented"):
        onnx2torch.convert(path)


def test_tf2onnx_fails_on_a_sequential_in_memory(in_process) -> None:
    import importlib.util

    if not all(importlib.util.find_spec(m) for m in ("keras", "tensorflow", "tf2onnx")):
        pytest.skip("keras, tensorflow and tf2onnx are not all installed")
    in_process(
        """
import keras, numpy as np, tensorflow as tf, tf2onnx, torch
net = keras.Sequential([keras.Input((16, 2)), keras.layers.Conv1D(3, 5), keras.layers.GRU(3)])
try:
    tf2onnx.convert.from_keras(net)
except (AttributeError, ValueError, KeyError, TypeError) as error:
    print("trap:", type(error).__name__, str(error)[:100])
else:
    raise SystemExit("tf2onnx converts a Sequential now")
from freqig.models import as_model      # freqig needs no conversion for it
x = torch.randn(2, 16, 2)
np.testing.assert_allclose(as_model(net).outputs(x, ()).numpy(), net(x.numpy()).numpy(), rtol=1e-5)
""",
        KERAS_BACKEND="tensorflow",
    )


def test_a_frozen_transformer_encoder_exports_with_the_fast_path_off(tmp_path) -> None:
    pytest.importorskip("onnx2fx")
    from freqig.models.onnx_model import OnnxModel

    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    net = nn.TransformerEncoder(layer, 1).eval().requires_grad_(False)
    x, path = torch.randn(2, 6, 8), str(tmp_path / "net.onnx")
    with pytest.raises(torch.onnx.errors.UnsupportedOperatorError, match="encoder_layer"):
        torch.onnx.export(net, (x,), path, dynamo=False)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        torch.onnx.export(net, (x,), path, dynamo=False)
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    torch.testing.assert_close(OnnxModel(path).outputs(x, ()), net(x), rtol=1e-4, atol=1e-5)


def test_float64_into_a_float32_model_is_an_error_in_torch() -> None:
    with pytest.raises(RuntimeError, match=r"[Dd]ouble"):
        nn.Linear(4, 2)(torch.randn(1, 4, dtype=torch.float64))


def test_captum_takes_target_minus_one_without_a_word() -> None:
    captum = pytest.importorskip("captum.attr")
    net, x = nn.Linear(4, 3), torch.randn(1, 4)
    gradients = captum.IntegratedGradients(net)
    assert torch.equal(gradients.attribute(x, target=-1), gradients.attribute(x, target=2))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="cuDNN needs a GPU")
def test_cudnn_recurrent_layers_refuse_backward_in_eval() -> None:
    net = Recurrent().cuda().eval()
    x = torch.randn(1, 2, 40, device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError, match="cudnn RNN backward"):
        net(x).sum().backward()
    with torch.backends.cudnn.flags(enabled=False):
        net(x).sum().backward()
    assert x.grad is not None

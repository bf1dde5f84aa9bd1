"""Measured faults of the libraries that freqig builds on.

Each test states the fault itself, so that a release that mends it is noticed, and what freqig does
about it. Those about a library that freqig does not require are skipped where it is missing.
"""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from freqig import Explainer, attribute
from freqig.models import as_model

from ..helpers import seeded
from .networks import expected, gradient, group_norm, noise, outputs, recurrent


def test_onnx2pytorch_is_silently_wrong_on_group_norm_and_refused(
    export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx2pytorch = pytest.importorskip("onnx2pytorch")
    onnx = pytest.importorskip("onnx")
    from freqig.models.onnx import convert as onnx_convert
    from freqig.models.onnx import model as onnx_model

    net, x = group_norm(), 2 * noise(4, 2, 40) + 1
    path = export(net, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = onnx2pytorch.ConvertModel(onnx.load(path), experimental=True).eval()
        (y, slope), (wrong, wrong_slope) = expected(net, x), expected(converted, x)
        assert (y - wrong).abs().max() > 0.02
        assert (slope - wrong_slope).norm() / slope.norm() > 0.1
        monkeypatch.setattr(onnx_model, "converters", lambda: [("onnx2pytorch", onnx_convert._onnx2pytorch)])
        with pytest.raises(onnx_model.ConversionError, match="outputs differ"):
            as_model(path)


def test_onnx2torch_fails_on_recurrent_layers(export: Any) -> None:
    """The reason why it is not one of the converters."""
    onnx2torch = pytest.importorskip("onnx2torch")
    path = export(recurrent(), noise(1, 2, 40))
    with pytest.raises(NotImplementedError, match="not implemented"):
        onnx2torch.convert(path)
    assert outputs(as_model(path), noise(2, 2, 40)).shape == (2, 3)


def test_tf2onnx_fails_on_a_sequential_in_memory(in_process: Any) -> None:
    if not all(importlib.util.find_spec(library) for library in ("keras", "tensorflow", "tf2onnx")):
        pytest.skip("keras, tensorflow and tf2onnx are not all installed")
    in_process(
        """
import keras, numpy as np, tensorflow as tf, tf2onnx, torch
net = keras.Sequential([keras.Input((16, 2)), keras.layers.Conv1D(3, 5), keras.layers.GRU(3)])
try:
    tf2onnx.convert.from_keras(net)
except (AttributeError, ValueError, KeyError, TypeError):
    pass
else:
    raise SystemExit("tf2onnx converts a Sequential now")
from freqig.models import as_model  # which needs no conversion for it
x = torch.randn(2, 16, 2)
np.testing.assert_allclose(as_model(net).outputs(x, ()).numpy(), net(x.numpy()).numpy(), rtol=1e-5)
""",
        KERAS_BACKEND="tensorflow",
    )


def test_a_frozen_transformer_encoder_exports_with_the_fast_path_off(export: Any) -> None:
    for library in ("onnx", "onnxruntime", "onnx2fx"):
        pytest.importorskip(library)
    layer = seeded(nn.TransformerEncoderLayer, 8, 2, 16, batch_first=True)
    net = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False).eval().requires_grad_(False)
    x = noise(2, 6, 8)
    with pytest.raises(torch.onnx.errors.UnsupportedOperatorError, match="encoder_layer"):
        export(net, x)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        path = export(net, x)
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    y, slope = expected(net, x)
    model = as_model(path)
    torch.testing.assert_close(outputs(model, x), y, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gradient(model, x), slope, rtol=1e-4, atol=1e-5)


def test_float64_into_a_float32_model_is_an_error_in_torch_alone() -> None:
    net, x = seeded(nn.Linear, 4, 2), noise(1, 4, dtype=torch.float64)
    with pytest.raises(RuntimeError, match=r"[Dd]ouble"):
        net(x)
    assert attribute(x.numpy()[0], net, target=0).dtype == np.float32


def test_captum_takes_target_minus_one_without_a_word() -> None:
    from captum.attr import IntegratedGradients

    net, x = seeded(nn.Linear, 4, 3), noise(1, 4)
    gradients = IntegratedGradients(net)
    assert torch.equal(gradients.attribute(x, target=-1), gradients.attribute(x, target=2))
    with pytest.raises(ValueError, match=r"0\.\.2.*-1"):
        Explainer(net)(x, target=-1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="cuDNN needs a GPU")
def test_cudnn_recurrent_layers_refuse_backward_in_eval() -> None:
    net = recurrent().cuda()
    x = noise(1, 2, 40).cuda().requires_grad_()
    with pytest.raises(RuntimeError, match="cudnn RNN backward"):
        net(x).sum().backward()
    result = Explainer(net, n_steps=20)(x.detach(), target=0)
    assert abs(float(result.completeness_gap[0])) < 1e-3


def test_dlpack_alone_shares_memory_with_arrays_that_do_not_change() -> None:
    jnp = pytest.importorskip("jax.numpy")
    from freqig.models.jax_model import to_jax, to_torch

    tensor = torch.ones(4)
    array = jnp.from_dlpack(tensor)
    tensor.zero_()
    assert array.tolist() in ([0] * 4, [1] * 4)  # older releases of JAX copy
    tensor = torch.ones(4)
    array = to_jax(tensor)
    tensor.zero_()
    assert array.tolist() == [1] * 4
    to_torch(array).zero_()
    assert array.tolist() == [1] * 4


def test_keras_ignores_eval(keras: Any) -> None:
    class Noisy(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.drop = keras.layers.Dropout(0.5)

        def call(self, x: Any, training: bool = True) -> Any:
            return self.drop(x, training=training)

    net, x = Noisy(), noise(3, 8)
    net(x)
    net.eval()
    assert not torch.equal(net(x), x)
    assert torch.equal(outputs(as_model(net), x), x)


def test_a_state_dict_is_read_without_running_what_is_in_the_file(tmp_path: Path) -> None:
    """The recipe for weights: build the class, read with weights_only=True."""
    net = group_norm()
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    fresh = group_norm()
    with torch.no_grad():
        fresh[0].weight.zero_()
    fresh.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    x = noise(2, 2, 40)
    assert torch.equal(outputs(as_model(fresh), x), outputs(as_model(net), x))

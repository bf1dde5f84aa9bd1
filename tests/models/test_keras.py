"""Keras on three backends; every test in a process of its own, as Keras has one."""

from __future__ import annotations

import importlib.util

import pytest

pytest.importorskip("keras")

NET = """
import numpy as np, torch, keras, sys
L = keras.layers
keras.utils.set_random_seed(0)
net = keras.Sequential([keras.Input((24, 2)), L.Conv1D(4, 5), L.BatchNormalization(),
                        L.Dropout(0.5), L.GRU(4), L.Dense(3)])
net.layers[1].moving_mean.assign([0.1, -0.2, 0.3, 0.4])
x = torch.randn(3, 24, 2)
from freqig.models import as_model
from freqig.models.registry import adapter_name
def gradient(model, x):
    with model.session():
        return model.value_and_gradient(x, (), lambda r: r.square().sum(1, keepdim=True))[1][:, 0]
"""
OWN = {
    "torch": """
leaf = x.clone().requires_grad_(); y = net(leaf, training=False)
(y ** 2).sum().backward(); slope = leaf.grad.numpy(); y = y.detach().numpy()
""",
    "tensorflow": """
import tensorflow as tf
t = tf.constant(x.numpy())
with tf.GradientTape() as tape:
    tape.watch(t); y = net(t, training=False); total = tf.reduce_sum(y ** 2)
slope = tape.gradient(total, t).numpy(); y = y.numpy()
""",
    "jax": """
import jax
f = lambda v: net(v, training=False)
y = np.asarray(f(x.numpy())); slope = np.asarray(jax.grad(lambda v: (f(v) ** 2).sum())(x.numpy()))
""",
}


def needs(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_equals_the_backends_own(backend: str, in_process) -> None:
    needs(backend)
    out = in_process(
        NET
        + OWN[backend]
        + """
model = as_model(net)
np.testing.assert_allclose(model.outputs(x, ()).numpy(), y, rtol=1e-4, atol=1e-6)
np.testing.assert_allclose(gradient(model, x).numpy(), slope, rtol=1e-4, atol=1e-6)
print(model.description["framework"], model.description["time_axis"])
""",
        KERAS_BACKEND=backend,
    )
    assert out.strip().endswith(f"on {backend} 1")


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_inference_mode_is_forced(backend: str, in_process) -> None:
    needs(backend)
    in_process(
        NET
        + """
class Eager(keras.Model):
    def __init__(self):
        super().__init__(); self.drop = L.Dropout(0.5)
    def call(self, x, training=True):
        return self.drop(x, training=training)
eager = Eager(); eager(x.numpy())
if keras.backend.backend() == "torch":   # the trap: Keras ignores eval()
    eager.eval(); assert not torch.equal(eager(x), x)
assert torch.equal(as_model(eager).outputs(x, ()), x)
""",
        KERAS_BACKEND=backend,
    )


def test_files_load_on_torch_by_default_and_on_the_running_backend_otherwise(in_process) -> None:
    in_process(NET + "net.save('net.keras')", KERAS_BACKEND="torch")
    load = """
import os, torch
os.environ.pop("KERAS_BACKEND", None)
{}
from freqig.models import as_model
print(as_model("net.keras").description["framework"], "KERAS_BACKEND" in os.environ)
"""
    assert "on torch False" in in_process(load.format(""))
    needs("jax")
    other = "os.environ['KERAS_BACKEND'] = 'jax'; import keras"
    assert "on jax True" in in_process(load.format(other))


def test_lambda_layers_are_refused_and_trust_runs_them(in_process) -> None:
    in_process(
        """
import keras, torch, pytest
from freqig.models import as_model
net = keras.Sequential([keras.Input((8,)), keras.layers.Lambda(lambda x: 2 * x)])
net.save("lambda.keras")
with pytest.raises(PermissionError, match="trust=True loads it with Keras's safe mode off"):
    as_model("lambda.keras")
x = torch.randn(2, 8)
assert torch.equal(as_model("lambda.keras", trust=True).outputs(x, ()), 2 * x)
""",
        KERAS_BACKEND="torch",
    )


def test_archives_are_checked_before_they_are_read(tmp_path) -> None:
    import zipfile

    from freqig.models import keras_model

    (tmp_path / "old.keras").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError, match="HDF5"):
        keras_model.load(tmp_path / "old.keras")
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10_000_000))
    with pytest.raises(ValueError, match="max_bytes"):
        keras_model.load(tmp_path / "bomb.keras", max_bytes=1_000_000)


def test_unknown_layers_and_unbuilt_models_say_what_to_do(in_process) -> None:
    in_process(
        """
import keras, pytest
from freqig.models import as_model
class Odd(keras.layers.Layer):
    def call(self, x): return x
keras.Sequential([keras.Input((8,)), Odd()]).save("odd.keras")
del Odd
with pytest.raises(ValueError, match="registers its custom layers"):
    as_model("odd.keras")
with pytest.raises(ValueError, match="no weights yet"):
    as_model(keras.Sequential([keras.layers.Dense(2)]))
""",
        KERAS_BACKEND="torch",
    )


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((None, 9), 1), ((None, 9, 2), 1), ((None, None, 2), 1), ((None, 2, 9, 1), None)],
)
def test_time_axis_is_found_from_the_input_shape(shape, axis) -> None:
    from freqig.models.keras_model import time_axis

    class Net:
        input_shape, layers = shape, ()

    assert time_axis(Net()) == axis


def test_channels_first_layers_put_time_last() -> None:
    from freqig.models.keras_model import time_axis

    class Layer:
        data_format = "channels_first"

    class Net:
        input_shape, layers = (None, 2, 9), (Layer(),)

    assert time_axis(Net()) == 2

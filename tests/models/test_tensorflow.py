"""TensorFlow functions and modules against GradientTape."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

if importlib.util.find_spec("tensorflow") is None:
    pytest.skip("tensorflow is not installed", allow_module_level=True)


def test_functions_modules_and_saved_models(in_process: Any) -> None:
    in_process("""
import numpy as np, tensorflow as tf, torch, pytest
import freqig
from freqig.models import as_model
W = tf.constant(np.random.default_rng(0).normal(size=(20, 3)).astype("float32"))
x = torch.randn(4, 20)

@tf.function
def f(x):
    return {"p": tf.nn.softmax(x @ W), "k": tf.argmax(x @ W, -1)}

t = tf.constant(x.numpy())
with tf.GradientTape() as tape:
    tape.watch(t); y = f(t)["p"][:, 1]
slope = tape.gradient(y, t).numpy()
model = as_model(f)
values, gradients = model.value_and_gradient(x, (), lambda r: r["p"][:, 1:2])
np.testing.assert_allclose(values[:, 0].numpy(), y.numpy(), rtol=1e-6)
np.testing.assert_allclose(gradients[:, 0].numpy(), slope, rtol=1e-5, atol=1e-7)
assert model.outputs(x, ())["k"].dtype == torch.int64

@tf.function(input_signature=[tf.TensorSpec((None, 20), tf.float64)])
def squares(x):
    return x * x

assert as_model(squares).dtype == torch.float64
assert as_model(squares.get_concrete_function()).dtype == torch.float64

class M(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 20), tf.float32)])
    def __call__(self, x):
        return x @ W

tf.saved_model.save(M(), "saved")
_, gradients = as_model(tf.saved_model.load("saved")).value_and_gradient(x, (), lambda r: r)
np.testing.assert_allclose(gradients[0].numpy(), W.numpy().T, rtol=1e-6)
with pytest.raises(TypeError, match="must be callable"):
    as_model(tf.Module())

# Several inputs follow one path, and a declared batch size is filled up.
@tf.function
def product(x, z):
    return tf.tanh(x @ W) * tf.reduce_sum(z ** 2, -1, keepdims=True)

@tf.function(input_signature=[tf.TensorSpec((3, 20), tf.float32), tf.TensorSpec((3, 6), tf.float32)])
def by_threes(x, z):
    return product(x, z)

z, start = torch.randn(4, 6).numpy(), np.ones(6, "float32")
nodes, weights = np.polynomial.legendre.leggauss(12)
starts, ends, means = (0 * x.numpy(), start + 0 * z), (x.numpy(), z), [0, 0]
for node, weight in zip((nodes + 1) / 2, weights / 2):
    points = [tf.constant((s + node * (e - s)).astype("float32")) for s, e in zip(starts, ends)]
    with tf.GradientTape() as tape:
        tape.watch(points); y = tf.reduce_sum(product(*points)[:, 2])
    means = [m + weight * g.numpy() for m, g in zip(means, tape.gradient(y, points))]
for function in (product, by_threes):
    explainer = freqig.Explainer(function, domains=freqig.Time(), n_steps=12)
    result = explainer((x, z), target=2, baseline=(None, start))
    for i in (0, 1):
        wanted = (ends[i] - starts[i]) * means[i]
        np.testing.assert_allclose(result[f"waveform_{i}"], wanted, rtol=1e-3, atol=1e-5)
assert as_model(by_threes).description["fixed_batch"] == 3

# A plain function is known by the names in its code, and its variables tell models apart.
found = as_model(lambda p: tf.tanh(p)).outputs(x, ()).numpy()
np.testing.assert_allclose(found, np.tanh(x.numpy()), rtol=1e-5)
assert as_model(tf.saved_model.load("saved")).hints.shape is None
shaped = tf.function(lambda p: p, input_signature=[tf.TensorSpec((None, 24, 2), tf.float32)])
with pytest.raises(ValueError, match="time_axis must be given"):
    freqig.Explainer(shaped)(np.zeros((3, 24, 2), np.float32))
""")


def test_legacy_keras_models_need_no_conversion(in_process: Any) -> None:
    pytest.importorskip("tf_keras")
    in_process("""
import numpy as np, tf_keras, torch
from freqig.models import as_model
net = tf_keras.Sequential([tf_keras.Input((8,)), tf_keras.layers.Dropout(0.5),
                           tf_keras.layers.Dense(2)])
x = torch.randn(3, 8)
model = as_model(net)
np.testing.assert_allclose(model.outputs(x, ()).numpy(), net(x.numpy()).numpy(), rtol=1e-5)
assert "tf_keras" in model.description["framework"]
""")

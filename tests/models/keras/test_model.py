"""Keras on three backends. A process has one: torch here, the others in processes of their own."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import freqig
from freqig.models import as_model

from ..networks import expected, gradient, noise, outputs

# Of Keras, about NumPy's new rule for copies.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

NET = """
import numpy as np, torch, keras
from freqig.models import as_model
L = keras.layers
keras.utils.set_random_seed(0)
net = keras.Sequential([keras.Input((24, 2)), L.Conv1D(4, 5), L.BatchNormalization(),
                        L.Dropout(0.5), {body}, L.Dense(3)])
net.layers[1].moving_mean.assign([0.1, -0.2, 0.3, 0.4])
class Eager(keras.Model):
    def __init__(self):
        super().__init__(); self.drop = L.Dropout(0.5)
    def call(self, x, training=True):
        return self.drop(x, training=training)
x = torch.randn(3, 24, 2)
"""
OWN = {
    "tensorflow": """
import tensorflow as tf
t = tf.constant(x.numpy())
with tf.GradientTape() as tape:
    tape.watch(t); y = net(t, training=False); total = tf.reduce_sum(y ** 2)
slope = tape.gradient(total, t).numpy(); y = y.numpy()
def slopes(function, points):
    given = [tf.constant(point) for point in points]
    with tf.GradientTape() as tape:
        tape.watch(given); total = tf.reduce_sum(function(*given))
    return [gradient.numpy() for gradient in tape.gradient(total, given)]
""",
    "jax": """
import jax
f = lambda v: net(v, training=False)
y = np.asarray(f(x.numpy())); slope = np.asarray(jax.grad(lambda v: (f(v) ** 2).sum())(x.numpy()))
def slopes(function, points):
    every = tuple(range(len(points)))
    return [np.asarray(g) for g in jax.grad(lambda *p: function(*p).sum(), every)(*points)]
""",
}
SLOPES_OF_TORCH = """
def slopes(function, points):
    given = [torch.tensor(point, requires_grad=True) for point in points]
    return [g.numpy() for g in torch.autograd.grad(function(*given).sum(), given)]
"""
INPUTS = """
import freqig
rng = np.random.default_rng(0)
x = [rng.normal(size=shape).astype("float32") for shape in ((5, 12, 2), (5, 7))]
start = rng.normal(size=7).astype("float32")
eeg, motion = keras.Input((12, 2), name="eeg"), keras.Input((7,), name="motion")
hidden = L.GlobalAveragePooling1D()(L.Conv1D(4, 3, activation="tanh")(eeg))
y = L.Multiply()([L.Dense(3)(hidden), L.Dense(3, activation="tanh")(motion)])
net, starts, means = keras.Model([eeg, motion], y), [0 * x[0], start + 0 * x[1]], [0.0, 0.0]
nodes, weights = np.polynomial.legendre.leggauss(12)
for node, weight in zip((nodes + 1) / 2, weights / 2):
    points = [(s + node * (e - s)).astype("float32") for s, e in zip(starts, x)]
    found = slopes(lambda *p: net(list(p), training=False)[:, 1], points)
    means = [mean + weight * gradient for mean, gradient in zip(means, found)]
wanted = [(end - begin) * mean for end, begin, mean in zip(x, starts, means)]
for inputs in ([eeg, motion], {"motion": motion, "eeg": eeg}):
    explainer = freqig.Explainer(keras.Model(inputs, y), domains=freqig.Time(), n_steps=12)
    result = explainer(tuple(x), target=1, baseline=(None, start))
    np.testing.assert_allclose(result.waveform_0, wanted[0].swapaxes(1, 2), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(result.waveform_1, wanted[1], rtol=1e-3, atol=1e-5)
try:
    explainer((x[0],), target=1)
except ValueError as error:
    assert "takes a tuple of 2 inputs, got 1" in str(error)
else:
    raise AssertionError("one input of two was taken")

alone = freqig.Explainer(keras.Sequential([keras.Input((12, 2)), L.Flatten(), L.Dense(2)]))
try:
    alone(x[0], target=0, additional_forward_args=3)
except ValueError as error:
    assert "takes 1 input, got 2" in str(error)
else:
    raise AssertionError("a further argument was taken")

# Built for four series at a time.
fixed, free, dense = keras.Input(batch_shape=(4, 12, 2)), keras.Input((12, 2)), L.Dense(3)
rows = lambda signals, n: dense(keras.ops.tanh(keras.ops.reshape(signals, (n, 24))))
model, other = as_model(keras.Model(fixed, rows(fixed, 4))), keras.Model(free, rows(free, -1))
assert model.description["fixed_batch"] == 4
points = torch.from_numpy(x[0])
for n in (1, 4, 5):
    with model.session():
        values, found = model.value_and_gradient(points[:n], (), lambda raw: raw[:, 1:])
    (wanted,) = slopes(lambda p: other(p, training=False)[:, 2], [x[0][:n]])
    np.testing.assert_allclose(found[:, 1].numpy(), wanted, rtol=1e-4, atol=1e-6)
found, wanted = (freqig.Explainer(m, n_steps=4)(x[0], target=0).rfft for m in (model, other))
np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)
"""
CHECK = """
model = as_model(net)
np.testing.assert_allclose(model.outputs(x, ()).numpy(), y, rtol=1e-4, atol=1e-6)
with model.session():
    found = model.value_and_gradient(x, (), lambda r: r.square().sum(1, keepdim=True))[1][:, 0]
np.testing.assert_allclose(found.numpy(), slope, rtol=1e-4, atol=1e-6)
assert model.hints.time_axis == 1, model.hints
eager = Eager(); eager(x.numpy())
assert torch.equal(as_model(eager).outputs(x, ()), x)
import freqig
result = freqig.Explainer(net, fs=100, n_steps=8)(x, target=0)
assert result.rfft.dims == ("sample", "channel", "frequency"), result.rfft.dims
assert result.rfft.shape == (3, 2, 13)
gap = result.rfft.sum(("channel", "frequency")) - (result.output - result.baseline_output)
assert np.abs(gap - result.completeness_gap).max() < 1e-4
assert "sha256" in str(result.attrs)
# A file is loaded on the backend that runs.
net.save("net.keras")
again = as_model("net.keras")
torch.testing.assert_close(again.outputs(x, ()), model.outputs(x, ()))
print(again.description["framework"])
"""


def needs(*libraries: str) -> None:
    for library in libraries:
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")


def test_torch_equals_the_modules_own(keras: Any) -> None:
    space: dict[str, Any] = {}
    exec(NET.replace("{body}", "L.GRU(4)"), space)  # the network that the other backends get
    net, x = space["net"], noise(3, 24, 2)
    y, slope = expected(lambda points: net(points, training=False), x)
    model = as_model(net)
    torch.testing.assert_close(outputs(model, x), y)
    torch.testing.assert_close(gradient(model, x), slope)
    assert str(model.description["framework"]).endswith("on torch")
    assert model.hints.time_axis == 1


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_equals_the_backends_own(backend: str, in_process: Any) -> None:
    needs("keras", backend)
    # JAX compiles a recurrent layer for so long that this test would be slower than all others.
    body = "L.GlobalAveragePooling1D()" if backend == "jax" else "L.GRU(4)"
    code = NET.replace("{body}", body) + OWN[backend] + CHECK + INPUTS
    assert in_process(code, KERAS_BACKEND=backend).strip().endswith(f"on {backend}")


def test_several_inputs_and_fixed_batches_on_torch(keras: Any) -> None:
    exec(NET.replace("{body}", "L.GRU(4)") + SLOPES_OF_TORCH + INPUTS, {})


def test_inference_mode_is_forced(keras: Any) -> None:
    class Eager(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.drop = keras.layers.Dropout(0.5)

        def call(self, x: Any, training: bool = True) -> Any:
            return self.drop(x, training=training)

    eager, x = Eager(), noise(3, 8)
    eager(x)
    eager.eval()
    assert not torch.equal(eager(x), x), "Keras heeds eval() now"
    assert torch.equal(outputs(as_model(eager), x), x)


def test_several_inputs(keras: Any) -> None:
    layers = keras.layers
    first, second = keras.Input((8, 2)), keras.Input((8, 2))
    joined = layers.Flatten()(layers.Subtract()([first, second]))
    net = keras.Model([first, second], layers.Dense(1)(joined))
    model, x, z = as_model(net), noise(3, 8, 2), noise(3, 8, 2, seed=1)
    assert model.hints.time_axis == 1
    torch.testing.assert_close(model.outputs(x, (z,)), net([x, z]).detach())


def test_inputs_in_another_order_are_refused_though_keras_takes_them(keras: Any) -> None:
    layers = keras.layers
    eeg, eog = keras.Input((16, 2), name="eeg"), keras.Input((16, 1), name="eog")
    joined = layers.Conv1D(3, 3)(layers.Concatenate()([eeg, eog]))
    net = keras.Model({"eog": eog, "eeg": eeg}, layers.GlobalAveragePooling1D()(joined))
    x, z = noise(3, 16, 2).numpy(), noise(3, 16, 1, seed=1).numpy()
    explainer = freqig.Explainer(net, n_steps=2)
    assert explainer((x, z), target=0).sizes["channel_0"] == 2
    with pytest.raises(ValueError, match=r"order of the model, 'eeg' \(16, 2\), 'eog' \(16, 1\)"):
        explainer((z, x), target=0)


@pytest.mark.parametrize("by_name", [False, True])
def test_a_subclass_of_several_inputs_is_called_as_it_was_built(keras: Any, by_name: bool) -> None:
    """And has its time where functional models have it."""

    class Two(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, inputs: Any, training: bool = False) -> Any:
            eeg, eog = (inputs["eeg"], inputs["eog"]) if by_name else inputs
            return self.dense(keras.ops.mean(keras.ops.concatenate([eeg, 2 * eog], -1), 1))

    keras.utils.set_random_seed(0)
    net, x, z = Two(), noise(3, 16, 2), noise(3, 16, 1, seed=1)
    wanted = net({"eog": z, "eeg": x} if by_name else [x, z]).detach()
    result = freqig.Explainer(net, n_steps=2)((x.numpy(), z.numpy()), target="all")
    np.testing.assert_allclose(result.output, wanted, rtol=1e-4, atol=1e-6)
    assert result.rfft_0.dims == ("sample", "target", "channel_0", "frequency_0")
    assert (result.sizes["channel_0"], result.sizes["channel_1"]) == (2, 1)


def difference(keras: Any, kind: str, path: Path) -> Any:
    """Of two inputs of one shape whose names sort in the other order: 3 Σ right - Σ left."""

    @keras.saving.register_keras_serializable("freqig-tests")
    class Named(keras.Model):
        def call(self, inputs: Any, training: bool = False) -> Any:
            return keras.ops.sum(3 * inputs["right"] - inputs["left"], 1, keepdims=True)

    model = Named()
    if kind == "functional":
        inputs = {name: keras.Input((8,), name=name) for name in ("right", "left")}
        return keras.Model(inputs, model(inputs))
    model({"right": np.ones((2, 8)), "left": np.ones((2, 8))})
    if kind == "saved":
        model.save(path)
        return keras.saving.load_model(path)
    return model


@pytest.mark.parametrize(
    ("kind", "length"), [("subclass", 8), ("subclass", 12), ("saved", 8), ("saved", 12), ("functional", 8)]
)
def test_inputs_by_name_that_could_be_swapped_are_refused_with_what_tells_them_apart(
    keras: Any, kind: str, length: int, tmp_path: Path
) -> None:
    model = difference(keras, kind, tmp_path / "net.keras")
    right, left = noise(3, length).numpy(), noise(3, length, seed=1).numpy()
    with pytest.raises(ValueError, match=r"'left' and which is 'right'.* x = \[keras\.Input") as refused:
        freqig.Explainer(model, n_steps=2)((right, left), target=0)
    remedy = str(refused.value).split("takes a list, ")[1].split(" [while")[0]
    space = {"keras": keras, "model": model}
    exec(remedy.replace("keras.Model(", "ordered = keras.Model("), space)
    result = freqig.Explainer(space["ordered"], domains=freqig.Time(), n_steps=2)((right, left), target=0)
    np.testing.assert_allclose(result.waveform_0, 3 * right, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.waveform_1, -left, rtol=1e-5, atol=1e-6)


def test_lambda_layers_are_refused_and_trust_runs_them(keras: Any, tmp_path: Path) -> None:
    path, x = tmp_path / "lambda.keras", noise(2, 8)
    keras.Sequential([keras.Input((8,)), keras.layers.Lambda(lambda p: 2 * p)]).save(path)
    with pytest.raises(PermissionError, match="trust=True loads it with the safe mode of Keras off"):
        as_model(path)
    assert torch.equal(outputs(as_model(path, trust=True), x).cpu(), 2 * x)


def test_files_that_are_no_archive_or_too_large_are_refused(tmp_path: Path) -> None:
    from freqig.models.keras import model as keras_model

    old, bomb = tmp_path / "old.keras", tmp_path / "bomb.keras"
    old.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"HDF5.*trust=True does not change this"):
        as_model(old)
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10_000_000))
    with pytest.raises(ValueError, match=r"bytes, more than 1000000; trust=True does not change this"):
        keras_model.load(bomb, max_bytes=1_000_000)


def test_unknown_layers_and_unbuilt_models_say_what_to_do(keras: Any, tmp_path: Path) -> None:
    class Odd(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    path = tmp_path / "odd.keras"
    keras.Sequential([keras.Input((8,)), Odd()]).save(path)
    with pytest.raises(ValueError, match=r"registers its custom layers.*trust"):
        as_model(path)
    with pytest.raises(ValueError, match="not built"):
        as_model(keras.Sequential([keras.layers.Dense(2)]))


def test_old_keras_loads_no_files(keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.keras"
    keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]).save(path)
    monkeypatch.setattr(keras, "__version__", "3.14.9")
    with pytest.raises(ImportError, match=r"3\.15.*found 3\.14\.9"):
        as_model(path)


def test_files_load_on_torch_by_default(keras: Any, tmp_path: Path, in_process: Any) -> None:
    keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]).save(tmp_path / "net.keras")
    code = (
        "import os\nos.environ.pop('KERAS_BACKEND', None)\nfrom freqig.models import as_model\n"
        "print(as_model('net.keras').description['framework'], 'KERAS_BACKEND' in os.environ)"
    )
    assert "on torch False" in in_process(code)


def test_the_callers_model_comes_back_as_it_was(keras: Any) -> None:
    net = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2),
        ]
    )
    before = [np.array(weight) for weight in net.get_weights()]
    trainable = [weight.value.requires_grad for weight in net.weights]
    model = as_model(net)
    gradient(model, noise(3, 8))
    for weight, value in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)
    assert [weight.value.requires_grad for weight in net.weights] == trainable
    assert net.trainable


class Layer:
    data_format = "channels_first"


@pytest.mark.parametrize(
    ("shape", "layers", "axis"),
    [
        ((None, 9), (), -1),
        ((None, 9, 2), (), 1),
        ((None, None, 2), (), 1),
        ((None, 2, 9), (Layer(),), -1),
        ((None, 2, 9, 1), (), None),
        ([(None, 9, 2), (None, 7, 1)], (), 1),
        ([(None, 9, 2), (None, 7)], (), 1),
        ([(None, 9, 2), (None, 7, 1, 1)], (), None),
        (None, (), None),
    ],
)
def test_time_axis_is_found_from_the_input_shape(shape: Any, layers: Any, axis: int | None) -> None:
    from freqig.models.keras.model import time_axis

    net = type("Net", (), {"input_shape": shape, "layers": layers})
    assert time_axis(net) == axis

"""Models of other frameworks all the way: attribute, Explainer, adaptive integration, labels."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freqig
from freqig import Explainer, attribute

from ..helpers import close, noise, seeded

N = 40

pytestmark = [
    # Of Keras, about NumPy's new rule for copies.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    # Networks with random weights often take the baseline for the class that is explained.
    pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning"),
]


class Smooth(nn.Module):
    """tanh in place of ReLU, so that few nodes will do."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, 4, 5)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.conv(x)).mean(-1))


class Turned(nn.Module):
    """The same network with channels last."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.transpose(1, 2))


@pytest.fixture
def onnx_file(export: Any) -> Any:
    """Write a network as ONNX."""
    for library in ("onnx", "onnxruntime", "onnx2fx"):
        pytest.importorskip(library)

    def write(net: nn.Module, *shape: int, free: bool = True) -> str:
        return export(net, torch.zeros(shape), free)

    return write


@pytest.mark.parametrize("free", [True, False], ids=["free batch", "batch 3"])
def test_onnx_through_attribute(onnx_file: Any, free: bool) -> None:
    net = seeded(Smooth, 1).eval()
    path, x = onnx_file(net, 3, 1, N, free=free), noise(N)
    import onnx

    wanted = attribute(x, net, target=1)
    for model in (path, Path(path), onnx.load(path)):
        close(attribute(x, model, target=1), wanted, 1e-4)
    batch = noise(5, 1, N)
    close(
        attribute(batch, path, baseline=noise(1, N, seed=1)),
        attribute(batch, net, baseline=noise(1, N, seed=1)),
        1e-4,
    )


@pytest.mark.parametrize("free", [True, False], ids=["free batch", "batch 3"])
def test_onnx_through_an_explainer(onnx_file: Any, free: bool) -> None:
    net = seeded(Smooth, 2).eval()
    path, x = onnx_file(net, 3, 2, N, free=free), noise(5, 2, N).astype(np.float32)
    result, wanted = (Explainer(model, fs=100)(x, target="all") for model in (path, net))
    assert bool(result.converged.all())
    close(result.rfft.values, wanted.rfft.values, 1e-2)
    close(result.output.values, wanted.output.values, 1e-4)
    text = json.dumps(dict(result.attrs), default=str)
    assert "onnxruntime" in text
    assert "and yours" in text
    assert "sha256" in text


def test_onnx_with_channels_last_is_asked_about(onnx_file: Any) -> None:
    net = seeded(Smooth, 2).eval()
    path, x = onnx_file(Turned(net), 1, N, 2), noise(3, 2, N)
    with pytest.raises(ValueError, match=r"time_axis must be given.*\(batch, 40, 2\)"):
        Explainer(path)(x.swapaxes(1, 2))
    result = Explainer(path, time_axis=1, n_steps=20)(x.swapaxes(1, 2), target=0)
    wanted = Explainer(net, n_steps=20)(x, target=0)
    assert result.rfft.dims == ("sample", "channel", "frequency")
    close(result.rfft.values, wanted.rfft.values, 1e-4)
    # Here the layout of the series is documented, so that there is nothing to ask.
    close(attribute(x, path, target=0), attribute(x, net, target=0), 1e-4)
    close(
        attribute(x, path, target=0, baseline=noise(2, N, seed=3)),
        attribute(x, net, target=0, baseline=noise(2, N, seed=3)),
        1e-4,
    )


class Two(nn.Module):
    """A product of two streams."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = seeded(Smooth, 2), seeded(Smooth, 1, seed=1)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.first(x) * self.second(z)


TWO = noise(3, 2, N).astype(np.float32), noise(3, 1, N, seed=1).astype(np.float32)


@pytest.fixture
def two_inputs(tmp_path: Path) -> Any:
    """Write the product of two streams as ONNX."""
    for library in ("onnx", "onnxruntime", "onnx2fx"):
        pytest.importorskip(library)

    def write(free: bool = True) -> str:
        path, names = str(tmp_path / "two.onnx"), ("x", "z", "y")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Two().eval(),
                tuple(torch.from_numpy(one[:2]) for one in TWO),
                path,
                dynamo=False,
                input_names=["x", "z"],
                output_names=["y"],
                dynamic_axes={name: {0: "batch"} for name in names} if free else None,
            )
        return path

    return write


@pytest.mark.parametrize("free", [True, False], ids=["free batch", "batch 2"])
def test_onnx_of_two_inputs(two_inputs: Any, free: bool) -> None:
    net, (x, z) = Two().eval(), TWO
    explainer = Explainer(two_inputs(free), n_steps=20)
    result, wanted = explainer((x, z), target=0), Explainer(net, n_steps=20)((x, z), target=0)
    close(result.rfft_0.values, wanted.rfft_0.values, 1e-4)
    close(result.rfft_1.values, wanted.rfft_1.values, 1e-4)
    assert "parity" in str(result.attrs)
    close(
        explainer(x, target=0, additional_forward_args=z).rfft.values,
        Explainer(net, n_steps=20)(x, target=0, additional_forward_args=z).rfft.values,
        1e-4,
    )
    with pytest.raises(ValueError, match=r"takes 2 inputs, x .*, z .*, got 1: pass x as a tuple"):
        explainer(x, target=0)
    with pytest.raises(ValueError, match=r"takes \(batch, 1, 40\), got \(2, 1, 39\)"):
        explainer((x, z[..., 1:]), target=0)


def test_slopes_of_every_onnx_input_are_compared(two_inputs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path, (x, z) = two_inputs(), TWO
    from freqig.models.onnx import convert as onnx_convert
    from freqig.models.onnx import model as onnx_model

    class Cut(nn.Module):
        def __init__(self, right: nn.Module) -> None:
            super().__init__()
            self.right = right

        def forward(self, x: Tensor, z: Tensor) -> Tensor:
            return self.right(x, z.detach())

    ((name, convert),) = onnx_convert.converters()[:1]
    monkeypatch.setattr(onnx_model, "converters", lambda: [(name, lambda proto: Cut(convert(proto)))])
    explainer = Explainer(path, n_steps=4)
    # What is wrong about the second input does not matter where it is not explained.
    explainer(x, target=0, additional_forward_args=z)
    with pytest.raises(onnx_model.ConversionError, match="gradients differ"):
        explainer((x, z), target=0)


def keras_net(keras: Any, channels: int) -> tuple[Any, nn.Module]:
    """A Keras network of (batch, 40, channels), and the same one in PyTorch with time last."""
    layers = keras.layers
    net = keras.Sequential(
        [
            keras.Input((N, channels)),
            layers.Conv1D(4, 5, activation="tanh"),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
        ]
    )
    twin = seeded(Smooth, channels)
    generator = np.random.default_rng(0)
    kernel, bias, weight, offset = (generator.normal(size=w.shape) / 4 for w in net.weights)
    net.set_weights([kernel, bias, weight, offset])
    with torch.no_grad():
        twin.conv.weight.copy_(torch.tensor(kernel).permute(2, 1, 0))
        twin.conv.bias.copy_(torch.tensor(bias))
        twin.head.weight.copy_(torch.tensor(weight).T)
        twin.head.bias.copy_(torch.tensor(offset))
    return net, twin


@pytest.mark.parametrize("shape", [(N,), (1, N), (1, 1, N), (4, 1, N)], ids=str)
def test_keras_through_attribute(keras: Any, shape: tuple[int, ...]) -> None:
    net, twin = keras_net(keras, 1)
    x, start = noise(*shape), noise(*shape, seed=1)
    close(attribute(x, net, target=1), attribute(x, twin, target=1), 1e-4)
    close(attribute(x, net, baseline=start), attribute(x, twin, baseline=start), 1e-4)


@pytest.mark.parametrize("shape", [(2, N), (3, 2, N)], ids=str)
def test_keras_of_several_channels_through_attribute(keras: Any, shape: tuple[int, ...]) -> None:
    net, twin = keras_net(keras, 2)
    x, start = noise(*shape), noise(2, N, seed=1)
    close(attribute(x, net, target=1), attribute(x, twin, target=1), 1e-4)
    close(attribute(x, net, baseline=start), attribute(x, twin, baseline=start), 1e-4)
    with pytest.raises(Exception, match="shape"):
        attribute(x.swapaxes(-1, -2), net, target=1)


def test_keras_through_an_explainer(keras: Any, tmp_path: Path) -> None:
    net, twin = keras_net(keras, 2)
    x = noise(3, N, 2).astype(np.float32)
    net.save(tmp_path / "net.keras")
    wanted = Explainer(twin, fs=100)(x.swapaxes(1, 2), target="all")
    for model in (net, tmp_path / "net.keras", str(tmp_path / "net.keras")):
        explainer = Explainer(model, fs=100)
        assert explainer.time_axis == 1
        result = explainer(x, target="all")
        assert result.rfft.dims == wanted.rfft.dims
        assert bool(result.converged.all())
        close(result.rfft.values, wanted.rfft.values, 0.02)
        close(result.signal.values, wanted.signal.values, 1e-6)
        assert "on torch" in str(result.attrs)


def test_a_time_axis_that_was_given_is_not_corrected(keras: Any) -> None:
    net, _ = keras_net(keras, 2)
    explainer = Explainer(net, time_axis=2, n_steps=4)
    # Who says where time is gets what they said, and the model's own refusal.
    with pytest.raises(Exception, match="shape"):
        explainer(noise(3, 2, N), target=0)


def test_jax_through_both() -> None:
    jnp = pytest.importorskip("jax.numpy")
    kernel = noise(6, N).astype(np.float32) / 6
    x = noise(3, N).astype(np.float32)

    def net(p: Any) -> Any:
        return jnp.tanh(p @ kernel.T)

    def twin(p: Tensor) -> Tensor:
        return torch.tanh(p @ torch.from_numpy(kernel).T)

    result, wanted = (Explainer(model, fs=100)(x, target="all") for model in (net, twin))
    assert bool(result.converged.all())
    close(result.rfft.values, wanted.rfft.values, 1e-3)
    close(attribute(x[0], net, target=1), attribute(x[0], twin, target=1), 1e-4)
    with pytest.raises(TypeError, match="engine must be 'path'"):
        Explainer(net, engine="captum")(x, target=0)


def test_programs_through_an_explainer(tmp_path: Path) -> None:
    net, x = seeded(Smooth, 2).eval(), noise(3, 2, N).astype(np.float32)
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(net, (torch.zeros(2, 2, N),)), path)
    with pytest.raises(PermissionError, match="trust=True"):
        freqig.Explainer(path)
    result = Explainer(path, trust=True, n_steps=20)(x, target=0)
    close(result.rfft.values, Explainer(net, n_steps=20)(x, target=0).rfft.values, 1e-4)

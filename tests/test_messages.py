"""What is said where a call is not what was meant: the parameter, what came, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

import freqig
from freqig import Explainer

from .helpers import noise, seeded

N = 32
X = noise(2, 3, N)


def conv() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(nn.Conv1d(3, 4, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2))
    )


def flat() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * N, 2)))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def rows() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Conv2d(1, 2, (22, 5)), nn.AdaptiveAvgPool2d(1), nn.Flatten()))


@pytest.mark.parametrize(
    ("make", "shape", "axis", "size"),
    [
        (conv, (2, 5, N), 1, 3),
        (flat, (2, 3, N + 1), 2, N),
        (flat, (2, 4, N), 1, 3),
        (lambda: seeded(Recurrent), (2, N, 5), 2, 3),
        (rows, (2, 1, 21, N), 2, 22),
    ],
)
def test_a_size_that_the_model_was_not_made_for(
    make: Callable[[], nn.Module], shape: tuple[int, ...], axis: int, size: int
) -> None:
    """Of channels that is the error, and of others it is said beside the words of the model."""
    said = rf"x must have the sizes .*{size} in place of {shape[axis]} in axis {axis}"
    kind = ValueError if (len(shape), axis) == (3, 1) else RuntimeError
    with pytest.raises(kind, match=said + (".* channels=" if kind is ValueError else "")):
        Explainer(make())(np.zeros(shape), target=0)


def pooled() -> nn.Module:
    """Takes (batch, 2, 100 to 103): 24 steps of four channels."""
    return seeded(
        lambda: nn.Sequential(
            nn.Conv1d(2, 4, 5), nn.Tanh(), nn.MaxPool1d(4), nn.Flatten(), nn.Linear(4 * 24, 3)
        )
    )


@pytest.mark.parametrize("n", [3, 40, 99, 104, 700])
def test_a_length_behind_a_convolution(n: int) -> None:
    """Weights do not say it: 24 steps are left of 100 values, and the network is asked."""
    x = np.zeros((3, 2, n))
    said = rf"it takes \(3, 2, 100\), with 100 in place of {n} in axis 2"
    with pytest.raises(RuntimeError, match=said):
        Explainer(pooled())(x, target=0)


def test_a_length_below_that_of_a_kernel() -> None:
    net = seeded(lambda: nn.Sequential(nn.Conv1d(2, 4, 7, dilation=3), nn.AdaptiveAvgPool1d(1), nn.Flatten()))
    with pytest.raises(RuntimeError, match=r"it takes \(3, 2, 19\), with 19 in place of 10 in axis 2"):
        Explainer(net)(np.zeros((3, 2, 10)), target=0)


@pytest.mark.parametrize(("n", "kind"), [(120, "Gemm"), (3, "MatMul")])
def test_a_length_of_an_onnx_file_that_leaves_it_open(n: int, kind: str) -> None:
    """What its converted twin says of the matrix decides; onnxruntime tells no numbers of a MatMul."""
    pytest.importorskip("onnx2fx")
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kept = onnx.helper, onnx.numpy_helper.from_array
    random = np.random.default_rng(0)
    weights = {"k": random.normal(size=(4, 2, 5)), "w": random.normal(size=(4 * 96, 3))}
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"]),
        helper.make_node("Flatten", ["c"], ["f"], axis=1),
        helper.make_node(kind, ["f", "w"], ["y"]),
    ]
    float_ = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", float_, ["batch", 2, "time"])],
        [helper.make_tensor_value_info("y", float_, ["batch", 3])],
        [kept(one.astype(np.float32), name) for name, one in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(ValueError, match=rf"it takes \(3, 2, 100\), with 100 in place of {n} in axis 2"):
        Explainer(model)(np.zeros((3, 2, n)), target=0)


class LikeKeras(nn.Module):
    """Takes (batch, time, 2), four values less than 100 in time, and says no in the words of Keras."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = x[:, 4:].flatten(1)
        if features.shape[1] != 192:
            raise ValueError(
                "Input 0 with name 'None' of layer 'dense' is incompatible with the layer: expected axis -1 "
                f"of input shape to have value 192, but received input with shape {tuple(features.shape)}"
            )
        return features[:, :2]


@pytest.mark.parametrize("n", [3, 120])
def test_a_length_with_channels_last(n: int) -> None:
    with pytest.raises(ValueError, match=rf"it takes \(3, 100, 2\), with 100 in place of {n} in axis 1"):
        Explainer(LikeKeras(), time_axis=1)(np.zeros((3, n, 2)), target=0)


def test_sizes_of_the_documented_call() -> None:
    for given, model in ((np.zeros((4, N)), conv()), (np.zeros(N + 1), seeded(nn.Linear, N, 2))):
        with pytest.raises(RuntimeError, match=r"input must have the sizes that the model was made for"):
            freqig.attribute(given, model, 0)


def test_words_of_the_documented_call() -> None:
    """It calls its signals input, also in what it adds to errors of a model."""

    def model(x: Tensor) -> Tensor:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match=r"input has the shape .* pass input\[:, None, :\]") as caught:
        freqig.attribute(X[0], model, 0)
    assert "x has the shape" not in str(caught.value).replace("input has the shape", "")


def test_series_without_an_axis_of_samples() -> None:
    """Nothing is said of channels, which a model may have last."""
    with pytest.raises(ValueError, match=r"x\[None\], of shape \(1, 3, 32\), if it is one series$"):
        Explainer(conv())(X[0], target=0)


def test_a_dataset_is_told_its_own_variables(tmp_path: Path) -> None:
    dims = ("sample", "channel", "time")
    for names, first in ((("eeg",), "eeg"), (("eeg", "signal"), "signal")):
        data = xr.Dataset(dict.fromkeys(names, (dims, X)))
        with pytest.raises(TypeError, match=rf"such as x\['{first}'\]"):
            Explainer(conv())(data)


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    named = tmp_path / "night.edf"
    named.mkdir()
    for folder in (tmp_path, named):
        for read in (freqig.read, Explainer(conv())):
            with pytest.raises(ValueError, match=r"path must be that of a recording, .* is a folder: pass"):
                read(folder)
    with pytest.raises(TypeError, match=r"a folder: read one of its files"):
        freqig.attribute(str(tmp_path), conv(), 0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda net: Explainer(net, X),
            r"an? ndarray of shape \(2, 3, 32\) besides: .*Explainer\(model\)\(x\)",
        ),
        (lambda net: Explainer(net, X.tolist()), r"a list besides: signals"),
        (lambda net: Explainer(X, net), r"a Sequential besides: the model comes first"),
        (lambda net: Explainer(net, 160), r"got 160 besides: name it, such as Explainer\(model, fs=160\)"),
        (
            lambda net: Explainer(net, baseline=0),
            r"baseline is given with the signals, Explainer\(model\)\(x, b",
        ),
        (lambda net: Explainer(net, n_step=3), r"there is no parameter n_step: did you mean n_steps\?"),
        (lambda net: Explainer(net)(X, 0), r"got 0 besides: name it, such as explainer\(x, target=0\)"),
        (lambda net: Explainer(net)(X, X), r"several inputs are one tuple, explainer\(\(a, b\)\)"),
        (lambda net: Explainer(net)(X, fs=100), r"fs is a setting, Explainer\(model, fs=\.\.\.\)"),
        (lambda net: Explainer(net)(), r"x must be given"),
    ],
)
def test_what_has_a_name_is_told_its_name(call: Callable[[nn.Module], Any], said: str) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        call(conv())
    assert len(str(caught.value)) < 400


def test_the_predicted_class_is_none() -> None:
    said = r"target must .*'predicted': the predicted class is target=None, the default"
    for classes in (None, ("W", "R")):
        with pytest.raises(ValueError, match=said):
            Explainer(conv(), classes=classes)(X, target="predicted")


def test_complex_outputs() -> None:
    with pytest.raises(TypeError, match=r"real scores, got dtype torch.complex64: .*model\(x\)\.abs\(\)"):
        Explainer(lambda x: torch.fft.rfft(x).mean(-1))(X, target=0)


@pytest.mark.parametrize(
    ("key", "ways"),
    [
        (None, "('heads', 'stage', 0), ('heads', 'stage', 1), ('heads', 'age'), 'aux'"),
        ("heads", "('heads', 'stage', 0), ('heads', 'stage', 1), ('heads', 'age')"),
        (("heads", "stage"), "('heads', 'stage', 0), ('heads', 'stage', 1)"),
    ],
)
def test_every_way_into_nested_outputs_is_offered(key: Any, ways: str) -> None:
    net = conv()

    def model(x: Tensor) -> dict[str, Any]:
        outputs = net(x)
        return {"heads": {"stage": [outputs, outputs], "age": outputs}, "aux": x, "name": "text"}

    with pytest.raises(ValueError, match="pass output_key=") as caught:
        Explainer(model, output_key=key)(X, target=0)
    assert f", of {ways}" in str(caught.value).partition(" [")[0]

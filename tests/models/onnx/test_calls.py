"""ONNX files that take a state, one recording per call, or what the converter does not know."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freqig
from freqig import Explainer, Time

from ..networks import noise

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx2fx")

from freqig.models.onnx.parity import ConversionError  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
]


class Detector(nn.Module):
    """A score of one window and a new state, from the window, a state (layers, N, units) and a rate."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(4, 5, num_layers=2)
        self.head = nn.Linear(5, 2)

    def forward(self, x: Tensor, state: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        steps = x.reshape(x.shape[0], -1, 4).transpose(0, 1)
        out, state = self.rnn(steps, state)
        return self.head(out[-1]) * rate, state


def written(net: nn.Module, path: Path, inputs: tuple[Tensor, ...], names: str, axes: dict[str, Any]) -> str:
    """An ONNX file of a network, with axes of any size where they have a name."""
    given, returned = (part.split() for part in names.split("->"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(),
            inputs,
            str(path),
            dynamo=False,
            input_names=given,
            output_names=returned,
            dynamic_axes=axes,
        )
    return str(path)


def nameless(path: str) -> str:
    """The same file without the names of its axes, as other tools write it."""
    import onnx

    model = onnx.load_model(path)
    for value in (*model.graph.input, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.HasField("dim_param"):
                dim.Clear()
    onnx.save_model(model, path)
    return path


@pytest.fixture(params=["named", "nameless", "fixed"])
def detector(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, nn.Module]:
    torch.manual_seed(0)
    net = Detector()
    axes = {"x": {0: "batch"}, "score": {0: "batch"}, "state": {1: "batch"}, "next": {1: "batch"}}
    path = written(
        net,
        tmp_path / "detector.onnx",
        (noise(1, 24), noise(2, 1, 5), torch.tensor(2.0)),
        "x state rate -> score next",
        {} if request.param == "fixed" else axes,
    )
    return (nameless(path) if request.param == "nameless" else path), net


@pytest.mark.parametrize("n", [1, 2])
def test_the_state_follows_the_series_on_the_axis_that_the_file_declares(
    detector: tuple[str, nn.Module], n: int
) -> None:
    """Nobody says which axis it is: for 2 series, both axes of the state have that size."""
    path, net = detector
    x, state, rate = noise(n, 24), noise(2, n, 5, seed=3), torch.tensor(2.0)
    explainer = Explainer(path, output_key="score", domains=Time(), n_steps=20)
    result = explainer(x, target=1, additional_forward_args=(state, rate))
    expected = Explainer(lambda *args: net(*args)[0], domains=Time(), n_steps=20)(
        x,
        target=1,
        additional_forward_args=(freqig.per_sample(state, axis=1), freqig.shared(rate)),
    )
    np.testing.assert_allclose(result.waveform, expected.waveform, atol=1e-5)
    session = onnxruntime.InferenceSession(path)
    for i in range(n):
        alone = {"x": x[i : i + 1], "state": state[:, i : i + 1], "rate": rate}
        given = {key: value.numpy() for key, value in alone.items()}
        score = session.run(["score"], given)[0][0, 1]
        assert float(result.output[i]) == pytest.approx(float(score), abs=1e-5)


def test_a_state_that_is_the_same_for_all_series(tmp_path: Path) -> None:
    """One for all, as `freqig.shared` says, reaches a file whose batch is fixed."""
    torch.manual_seed(0)
    net = Detector()
    given = (noise(1, 24), noise(2, 1, 5), torch.tensor(2.0))
    path = written(net, tmp_path / "detector.onnx", given, "x state rate -> score next", {})
    x = noise(3, 24)
    explainer = Explainer(path, output_key="score", domains=Time(), n_steps=5)
    result = explainer(x, target=0, additional_forward_args=given[1:])
    state = given[1].expand(2, 3, 5).contiguous()
    np.testing.assert_allclose(result.output, net(x, state, given[2])[0][:, 0].detach(), atol=1e-5)


def test_an_output_key_is_asked_for_before_arguments_are_doubted(detector: tuple[str, nn.Module]) -> None:
    path, _ = detector
    with pytest.raises(ValueError, match=r"pass output_key= to Explainer") as caught:
        Explainer(path)(noise(2, 24), additional_forward_args=(noise(2, 2, 5), torch.tensor(2.0)))
    assert "per_sample" not in str(caught.value)


class Whole(nn.Module):
    """Four scores of one recording, whose batch axis is gone; the state has room for one."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(4, 4)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        out, _ = self.rnn(x.reshape(x.shape[0], -1, 4).transpose(0, 1), state)
        return out[-1, 0]


def test_a_file_that_answers_for_one_recording_says_so(tmp_path: Path) -> None:
    given = (noise(1, 24), noise(1, 1, 4))
    path = written(Whole(), tmp_path / "whole.onnx", given, "x state -> scores", {"x": {0: "batch"}})
    with pytest.raises(ValueError, match=r"scores \(4,\).*one recording at a time.*keep the batch") as caught:
        Explainer(path)(noise(2, 24), additional_forward_args=given[1])
    assert "whole.onnx" in str(caught.value)


class Broken(nn.Module):
    """What a converter makes of an operator that it does not know."""

    def forward(self, *_: Tensor) -> Tensor:
        raise IndexError("Dimension out of range")


def test_an_operator_that_the_converter_gets_wrong_is_named_with_the_file(
    detector: tuple[str, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where onnxruntime runs and the converted graph fails, the caller's input is not to blame."""
    path, _ = detector
    explainer = Explainer(path, output_key="score")
    monkeypatch.setattr(explainer.model.function.net, "net", Broken())
    with pytest.raises(
        ConversionError, match=r"conversion fails on shapes \(., 24\).*onnxruntime runs: IndexError"
    ) as caught:
        explainer(noise(2, 24), target=0, additional_forward_args=(noise(2, 2, 5), torch.tensor(2.0)))
    assert "detector.onnx is not explained" in str(caught.value)
    assert "pass the original model" in str(caught.value)


def test_inputs_that_onnxruntime_refuses_too(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv1d(2, 3, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    path = written(net, tmp_path / "conv.onnx", (noise(1, 2, 24),), "x -> y", {"x": {0: "batch", 2: "time"}})
    with pytest.raises(ValueError, match=r"onnxruntime cannot run the ONNX model on shapes \(2, 2, 3\)"):
        Explainer(path)(noise(2, 2, 3), target=0)

"""Which conversions are taken for faithful: by what they do and by how it changes, not by one coarse step."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import Explainer
from freqig.models import as_model

from ..networks import expected, gradient, noise, outputs

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx2fx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from freqig.models.onnx import convert as onnx_convert  # noqa: E402
from freqig.models.onnx import model as onnx_model  # noqa: E402
from freqig.models.onnx.parity import ConversionError  # noqa: E402


class Graphs:
    """Writes a graph node by node."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def __call__(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        given = [one if isinstance(one, str) else self.weight(one) for one in inputs]
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, given, [name], **attributes))
        return name

    def weight(self, value: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def model(self, inputs: dict[str, tuple[Any, ...]], outputs: dict[str, Any]) -> Any:
        value = helper.make_tensor_value_info
        self.nodes += [helper.make_node("Identity", [v], [k]) for k, (v, _) in outputs.items()]
        graph = helper.make_graph(
            self.nodes,
            "g",
            [value(k, TensorProto.FLOAT, s) for k, s in inputs.items()],
            [value(k, TensorProto.FLOAT, s) for k, (_, s) in outputs.items()],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def sine(omega: float, n: int = 64) -> Any:
    """y = mean(sin(omega x))."""
    g = Graphs()
    y = g("ReduceMean", g("Sin", g("Mul", "x", np.float32(omega))), axes=[1], keepdims=1)
    return g.model({"x": ("batch", n)}, {"y": (y, ["batch", 1])})


@pytest.mark.parametrize("omega", [1.0, 50.0, 200.0, 3000.0])
def test_a_network_that_listens_to_high_frequencies_is_taken(omega: float) -> None:
    model, x = as_model(sine(omega)), noise(3, 64)
    found = model.value_and_gradient(x, (), lambda raw: raw)[1][:, 0]
    # The argument is rounded to float32, to within 3e-7 of omega x.
    torch.testing.assert_close(found, omega / 64 * torch.cos(omega * x), rtol=2e-3, atol=2e-5 * omega)
    assert "slopes within" in str(model.description["parity"])


def converting(change: Callable[[nn.Module], nn.Module]) -> Callable[[], list[tuple[str, Any]]]:
    ((name, convert),) = onnx_convert.converters()[:1]
    return lambda: [(name, lambda proto: change(convert(proto)))]


class Detached(nn.Module):
    """The right outputs, with a part of the input that no gradient flows through."""

    def __init__(self, right: nn.Module, how: str) -> None:
        super().__init__()
        self.right, self.how = right, how

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "clip":
            inner = x.clamp(-0.3, 0.3)
            return self.right((x - inner).detach() + inner)
        if self.how == "where":
            return self.right(torch.where(x > 0.5, x.detach(), x))
        kept = torch.arange(x.shape[1]) % 4 > 0
        return self.right(torch.where(kept, x, x.detach()))


@pytest.mark.parametrize("omega", [1.0, 200.0])
@pytest.mark.parametrize("how", ["clip", "where", "gather"])
def test_a_detached_branch_is_refused(how: str, omega: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model, "converters", converting(lambda net: Detached(net, how)))
    with pytest.raises(ConversionError, match="gradients differ"):
        as_model(sine(omega))


def test_a_gradient_that_is_wrong_near_the_users_data_alone_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Far(nn.Module):
        def __init__(self, right: nn.Module) -> None:
            super().__init__()
            self.right = right

        def forward(self, x: Tensor) -> Tensor:
            return self.right(torch.where(x.abs() > 50, x.detach(), x))

    monkeypatch.setattr(onnx_model, "converters", converting(Far))
    explainer = Explainer(sine(0.01))
    explainer(noise(2, 64), target=0)
    with pytest.raises(ConversionError, match="gradients differ"):
        Explainer(sine(0.01))(200 * noise(2, 64), target=0)


def test_small_changes_on_a_large_output_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def model(weight: float) -> Any:
        g = Graphs()
        mean = g("ReduceMean", g("Mul", "x", np.float32(weight)), axes=[1], keepdims=1)
        return g.model({"x": ("batch", 8)}, {"y": (g("Add", mean, np.float32(1e4)), ["batch", 1])})

    assert as_model(model(300.0)).description["parity"]
    ((name, convert),) = onnx_convert.converters()[:1]
    monkeypatch.setattr(onnx_model, "converters", lambda: [(name, lambda _: convert(model(3e4)))])
    with pytest.raises(ConversionError, match="outputs differ"):
        as_model(model(3.3e4))


def test_at_most_ten_evaluations_at_load_and_ten_more_at_the_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, int] = {"converted": 0, "onnxruntime": 0}

    class Counted(nn.Module):
        def __init__(self, right: nn.Module) -> None:
            super().__init__()
            self.right = right

        def forward(self, x: Tensor) -> Tensor:
            seen["converted"] += len(x)
            return self.right(x)

    run = onnx_model.Runtime.__call__

    def counted(self: Any, *inputs: Tensor) -> Any:
        seen["onnxruntime"] += len(inputs[0])
        return run(self, *inputs)

    monkeypatch.setattr(onnx_model.Runtime, "__call__", counted)
    monkeypatch.setattr(onnx_model, "converters", converting(Counted))
    for omega in (1.0, 3000.0):
        seen.update(dict.fromkeys(seen, 0))
        model = as_model(sine(omega))
        assert 0 < seen["converted"] <= 10
        assert 0 < seen["onnxruntime"] <= 10
        seen.update(dict.fromkeys(seen, 0))
        x = noise(2, 64)
        outputs(model, x)
        gradient(model, x)
        assert seen["converted"] <= 10 + 2 * len(x)
        assert 0 < seen["onnxruntime"] <= 10
        seen.update(dict.fromkeys(seen, 0))
        outputs(model, x)
        gradient(model, x)
        assert seen == {"converted": 2 * len(x), "onnxruntime": 0}


class Stateful(nn.Module):
    """A recurrent network of one window, with its state as an input and an output."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(4, 5, num_layers=2)
        self.head = nn.Linear(5, 1)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        steps = x.reshape(x.shape[0], -1, 4).transpose(0, 1)
        out, (h, c) = self.rnn(steps, (h, c))
        return torch.sigmoid(self.head(out[-1])), h, c


@pytest.fixture(params=["named", "fixed"])
def recurrent_file(request: Any, export: Any, tmp_path: Any) -> tuple[str, nn.Module]:
    torch.manual_seed(0)
    net = Stateful().eval()
    state = noise(2, 1, 5), noise(2, 1, 5, seed=1)
    path = str(tmp_path / "rnn.onnx")
    axes = {"x": {0: "batch"}, **{name: {1: "batch"} for name in ("h", "c", "hn", "cn")}, "p": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (noise(1, 24), *state),
            path,
            dynamo=False,
            input_names=["x", "h", "c"],
            output_names=["p", "hn", "cn"],
            dynamic_axes=axes if request.param == "named" else None,
        )
    return path, net


@pytest.mark.filterwarnings("ignore")
def test_state_on_its_own_axis_follows_the_series(recurrent_file: tuple[str, nn.Module]) -> None:
    path, net = recurrent_file
    x, state = noise(5, 24), (noise(2, 5, 5, seed=2), noise(2, 5, 5, seed=3))
    model = as_model(path).choosing("p")
    leaf = x.clone().requires_grad_()
    y = net(leaf, *state)[0]
    (slope,) = torch.autograd.grad(y.sum(), leaf)
    with model.session():
        torch.testing.assert_close(model.outputs(x, state)["p"], y.detach())
        found = model.value_and_gradient(x, state, lambda raw: raw["p"])[1][:, 0]
    torch.testing.assert_close(found, slope)
    assert "slopes within" in str(model.description["parity"])


@pytest.mark.filterwarnings("ignore")
def test_inputs_that_are_missing_are_named_with_their_shapes(recurrent_file: tuple[str, nn.Module]) -> None:
    path, _ = recurrent_file
    with pytest.raises(
        ValueError,
        match=r"takes 3 inputs, x \(.*24\), h \(2, .*5\), c \(2, .*5\), got 1: .*additional_forward",
    ):
        outputs(as_model(path), noise(2, 24))
    with pytest.raises(ValueError, match=r"takes h \(2, .*5\), got \(3, 2, 5\)"):
        as_model(path).outputs(noise(2, 24), (noise(3, 2, 5), noise(2, 2, 5)))


@pytest.mark.filterwarnings("ignore")
def test_an_output_with_the_batch_elsewhere_is_explained_along_its_name(
    recurrent_file: tuple[str, nn.Module],
) -> None:
    path, net = recurrent_file
    x, state = noise(5, 24), (noise(2, 5, 5, seed=2), noise(2, 5, 5, seed=3))
    model = as_model(path).choosing("hn")
    with model.session():
        found = model.outputs(x, state)["hn"]
    torch.testing.assert_close(found, net(x, *state)[1].detach().transpose(0, 1))


def test_the_output_asked_for_is_the_one_that_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    g = Graphs()
    good = g("Tanh", "x")
    scalar = g("ReduceMean", "x", keepdims=0)
    flat = g("Reshape", "x", np.array([-1]))
    proto = g.model(
        {"x": ("batch", 6)},
        {
            "scalar": (scalar, []),
            "good": (good, ["batch", 6]),
            "bad": (good, ["batch", 6]),
            "flat": (flat, [None]),
        },
    )

    class Wrong(nn.Module):
        def __init__(self, right: nn.Module) -> None:
            super().__init__()
            self.right = right

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            scalar, good, bad, flat = self.right(x)
            return scalar, good, bad + 1, flat

    monkeypatch.setattr(onnx_model, "converters", converting(Wrong))
    x = noise(3, 6)
    for key in ("good", 1):
        result = Explainer(proto, output_key=key)(x.numpy(), target=0)
        np.testing.assert_allclose(result.output, torch.tanh(x[:, 0]), rtol=1e-5)
    with pytest.raises(ConversionError, match=r"'bad'.*outputs differ"):
        Explainer(proto, output_key="bad")
    with pytest.raises(ValueError, match=r"'scalar'.*is a scalar.*one row for every series"):
        Explainer(proto, output_key="scalar")(x.numpy(), target=0)
    with pytest.raises(ValueError, match=r"'flat'.*batch first, . rows for . series, got \(1"):
        Explainer(proto, output_key="flat")(x.numpy(), target=0)
    with pytest.raises(ValueError, match=r"output_key must be one of \['scalar', 'good'.*got 'none'"):
        Explainer(proto, output_key="none")


def test_a_scalar_output_is_refused_by_name() -> None:
    g = Graphs()
    proto = g.model({"x": ("batch", 6)}, {"score": (g("ReduceMean", "x", keepdims=0), [])})
    with pytest.raises(ValueError, match=r"output 'score'.*is a scalar"):
        as_model(proto)


@pytest.mark.parametrize("multiple", [2, 3, 5])
def test_a_file_that_takes_multiples_of_a_batch_says_so(multiple: int) -> None:
    g = Graphs()
    grouped = g("Reshape", "x", np.array([-1, multiple, 8]))
    y = g("ReduceMean", g("Reshape", g("Tanh", grouped), np.array([-1, 8])), axes=[1], keepdims=1)
    proto = g.model({"x": ("batch", 8)}, {"y": (y, ["batch", 1])})
    with pytest.raises(ValueError, match=rf"takes only multiples of {multiple} series.*fixed to {multiple}"):
        outputs(as_model(proto), noise(7, 8))


def test_double_precision_reaches_what_a_graph_casts_to_single() -> None:
    from freqig.models.onnx.slopes import InDouble

    weight = torch.ones(3)
    with InDouble():
        y = (torch.full((3,), 1 / 3, dtype=torch.float64).to(torch.float32) * weight).float()
        assert y.dtype == torch.zeros(2, dtype=torch.float32).dtype == torch.float64
    assert weight.dtype == torch.float32
    assert math.isclose(float(y[0]), 1 / 3, rel_tol=1e-15)


def test_half_precision_inside_a_graph_may_round() -> None:
    """Inputs and outputs in single precision say nothing of what lies between."""
    weight = np.random.default_rng(0).normal(size=(33, 3)).astype(np.float16) / 6
    g = Graphs()
    y = g("Tanh", g("MatMul", g("Cast", "x", to=TensorProto.FLOAT16), weight))
    proto = g.model({"x": ("batch", 33)}, {"y": (g("Cast", y, to=TensorProto.FLOAT), ["batch", 3])})
    x = noise(4, 33)
    truth = np.tanh(x.double().numpy() @ weight.astype(float))
    np.testing.assert_allclose(outputs(as_model(proto), x), truth, atol=5e-3)


def test_a_file_that_answers_by_chance_is_told_so() -> None:
    g = Graphs()
    y = g("MatMul", "x", np.eye(6, 2, dtype=np.float32))
    proto = g.model({"x": ("batch", 6)}, {"y": (g("Add", y, g("RandomNormalLike", y)), ["batch", 2])})
    with pytest.raises(ConversionError, match=r"outputs depend on chance.*eval mode"):
        as_model(proto)


def test_networks_with_kinks_and_ties_at_the_data_are_taken(export: Any) -> None:
    """Silence and clipping put a network on its kinks, where gradients and differences part."""
    net = nn.Sequential(
        nn.Conv1d(1, 4, 3, bias=False), nn.ReLU(), nn.MaxPool1d(4), nn.Flatten(), nn.Linear(28, 2)
    )
    model = as_model(
        export(net, noise(1, 1, 32), dynamic_axes={"x": {0: "batch", 2: "time"}, "y": {0: "batch"}})
    )
    for x in (torch.zeros(2, 1, 32), noise(2, 1, 32).clamp(-0.1, 0.1)):
        y, slope = expected(net, x)
        torch.testing.assert_close(outputs(model, x), y)
        torch.testing.assert_close(gradient(model, x), slope)

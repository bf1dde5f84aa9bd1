"""Files whose sizes only a call tells are refused at that call; every one is made here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from freqig.models import as_model
from freqig.models.onnx import first_call as onnx_first_call
from freqig.models.onnx import loops as onnx_loops
from freqig.models.onnx.limits import LimitError, Limits

from ..networks import noise, outputs
from .graphs import idle_body

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx2fx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

value = helper.make_tensor_value_info
node = helper.make_node
TOO_LARGE = r"value 'big'.* bytes for inputs of .*, more than .*trust=True does not change this"


def model(nodes: list[Any], weights: dict[str, Any], functions: Any = None, **inputs: Any) -> Any:
    """Of x (batch, time), or of the inputs that are given by their sizes."""
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()]
    given = [
        value(name, TensorProto.FLOAT, size) for name, size in (inputs or {"x": ["batch", "time"]}).items()
    ]
    graph = helper.make_graph(nodes, "g", given, [value("y", TensorProto.FLOAT, ["batch", "any"])], tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=functions)


def size_of(name: str, times: int) -> tuple[list[Any], dict[str, Any]]:
    """Nodes that give an input's second size, as many times, as n."""
    nodes = [node("Shape", [name], ["s"]), node("Gather", ["s", "i"], ["t"]), node("Mul", ["t", "k"], ["n"])]
    return nodes, {"i": np.array([1]), "k": np.array([times])}


ADD_SUM = [node("ReduceSum", ["big"], ["sum"], keepdims=0), node("Add", ["x", "sum"], ["y"])]


@pytest.mark.parametrize("kind", ["ConstantOfShape", "Expand", "Tile"])
def test_values_that_grow_with_a_free_axis(kind: str) -> None:
    nodes, weights = size_of("x", 15_000_000)
    inputs = ["n"] if kind == "ConstantOfShape" else ["a", "n"]
    weights["a"] = np.ones(1, np.float32)
    graph = as_model(model([*nodes, node(kind, inputs, ["big"]), *ADD_SUM], weights))
    if kind == "Tile":  # its size is inferred from constants alone
        refused_elsewhere(graph)
        return
    with pytest.raises(ValueError, match=TOO_LARGE):
        outputs(graph, noise(2, 100))


def refused_elsewhere(graph: Any) -> None:
    """The call is refused by what a process of its own does, which is not started here."""
    tried: list[dict[str, Any]] = []

    def try_out(content: bytes, name: str, memory: int, arrays: dict[str, Any]) -> None:
        tried.append(arrays)
        raise LimitError("too long")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_first_call, "try_out", try_out)
        with pytest.raises(ValueError, match="too long"):
            outputs(graph, noise(2, 100))
    assert [one["x"].shape for one in tried] == [(2, 100)]


def test_values_that_grow_with_another_input() -> None:
    nodes, weights = size_of("z", 15_000_000)
    sizes = {"x": ["batch", 4], "z": ["batch", "steps"]}
    graph = as_model(model([*nodes, node("ConstantOfShape", ["n"], ["big"]), *ADD_SUM], weights, **sizes))
    with torch.no_grad(), pytest.raises(ValueError, match=TOO_LARGE):
        graph.function(noise(2, 4), noise(2, 100))


def test_values_that_grow_with_the_batch() -> None:
    nodes, weights = size_of("x", 1)
    power = [node("Mul", ["n", "n"], ["n2"]), node("Mul", ["n2", "n2"], ["n4"])]
    nodes = [*nodes, *power, node("ConstantOfShape", ["n4"], ["big"]), *ADD_SUM]
    graph = as_model(model(nodes, weights | {"i": np.array([0])}, x=["batch", 3]))
    np.testing.assert_array_equal(outputs(graph, noise(2, 3)), noise(2, 3))
    with pytest.raises(ValueError, match=TOO_LARGE):
        outputs(graph, noise(300, 3))


def test_values_that_grow_inside_a_function() -> None:
    nodes, weights = size_of("x", 15_000_000)
    constants = [
        node("Constant", [], [name], value=numpy_helper.from_array(array)) for name, array in weights.items()
    ]
    body = [*constants, *nodes, node("ConstantOfShape", ["n"], ["big"]), *ADD_SUM]
    opsets = [helper.make_opsetid("", 17)]
    function = helper.make_function("own", "grow", ["x"], ["y"], body, opsets)
    limits = Limits(model([node("grow", ["x"], ["y"], domain="own")], {}, [function]), "it")
    assert not limits.of_file()
    with pytest.raises(ValueError, match=r"value .* in it has 6000000000 bytes for inputs of \(2, 100\)"):
        limits.of_call({"x": (2, 100)})


@pytest.mark.parametrize("rows", [2, 5])
def test_products_are_counted(rows: int) -> None:
    """A chain of products of constants is computed when onnxruntime starts."""
    nodes = [node("MatMul", [f"m{i}" if i else "a", "a"], [f"m{i + 1}"]) for i in range(rows)]
    nodes += [node("ReduceSum", [f"m{rows}"], ["sum"], keepdims=0), node("Add", ["x", "sum"], ["y"])]
    limits = Limits(model(nodes, {"a": np.ones((3_000, 3_000), np.float32)}), "it")
    assert bool(limits.of_file()) == (rows == 5)


def test_sizes_are_looked_at_once_for_a_shape_and_twice_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    check = onnx_first_call.Limits.of_call

    def counted(self: Any, shapes: dict[str, Any]) -> bool:
        seen.append(dict(shapes))
        return check(self, shapes)

    monkeypatch.setattr(onnx_first_call.Limits, "of_call", counted)
    graph = as_model(model([node("Mul", ["x", "k"], ["y"])], {"k": np.float32(2)}))
    for n, time in ((2, 8), (4, 8), (3, 8), (2, 9)):
        np.testing.assert_array_equal(outputs(graph, noise(n, time)), 2 * noise(n, time))
    assert [one["x"] for one in seen] == [(2, 8), (2, 9)]


def test_sparse_tensors_are_not_filled() -> None:
    one = numpy_helper.from_array(np.ones(1, np.float32), "many")
    sparse = helper.make_sparse_tensor(one, numpy_helper.from_array(np.zeros(1, np.int64)), [3 * 10**8])
    graph = model([node("ReduceSum", ["many"], ["big"], keepdims=1), *ADD_SUM], {})
    graph.graph.sparse_initializer.append(sparse)
    with pytest.raises(ValueError, match=r"a sparse tensor in .* has 300000000 entries; trust=True"):
        as_model(graph)


def test_trips_that_the_data_ask_for_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the first call asked for few."""
    monkeypatch.setattr(onnx_loops, "MAX_STEPS", 500)
    nodes = [
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Cast", ["m"], ["n"], to=TensorProto.INT64),
        node("Loop", ["n", "", "x"], ["y"], body=idle_body()),
    ]
    monkeypatch.setattr(onnx_first_call, "try_out", lambda *_: None)
    graph = as_model(model(nodes, {}))
    x = noise(2, 8).clamp(max=3.0)
    np.testing.assert_array_equal(outputs(graph, x), x)
    with pytest.raises(ValueError, match=r"carry out more than 500 nodes in one call; trust=True"):
        outputs(graph, x + 1e15)

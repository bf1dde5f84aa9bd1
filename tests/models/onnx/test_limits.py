"""Hostile ONNX files are refused within seconds and a bounded memory; every one is made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from freqig.models import as_model

from ..networks import noise, outputs
from .graphs import idle_body

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx2fx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

value = helper.make_tensor_value_info
node = helper.make_node


def model(nodes: list[Any], weights: dict[str, Any], functions: list[Any] | None = None) -> Any:
    """Of x (batch, 4) and y, whatever size that has."""
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()]
    sizes = [value("x", TensorProto.FLOAT, ["batch", 4])], [value("y", TensorProto.FLOAT, ["batch", "any"])]
    graph = helper.make_graph(nodes, "g", *sizes, tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=functions)


def looping(trips: str | int) -> Any:
    if isinstance(trips, int):
        return model([node("Loop", ["m", "", "x"], ["y"], body=idle_body())], {"m": np.int64(trips)})
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Mul", ["sum", "zero"], ["nothing"]),
        node("Add", ["nothing", "many"], ["number"]),
        node("Cast", ["number"], ["m"], to=TensorProto.INT64),
        node("Loop", ["m", "", "x"], ["y"], body=idle_body()),
    ]
    return model(nodes, {"zero": np.float32(0), "many": np.float32(1e18)})


def growing(kind: str) -> Any:
    """A value of 4 GB that is added to x."""
    n = 1 << 30
    if kind == "ConstantOfShape":
        first, weights = node(kind, ["s"], ["big"]), {"s": np.array([n])}
    elif kind in ("Expand", "Tile"):
        first, weights = node(kind, ["a", "s"], ["big"]), {"a": np.ones(1, np.float32), "s": np.array([n])}
    elif kind == "Range":
        first = node(kind, ["a", "s", "d"], ["big"])
        weights = {"a": np.float32(0), "s": np.float32(n), "d": np.float32(1)}
    elif kind == "Pad":
        first, weights = node(kind, ["a", "s"], ["big"]), {"a": np.ones(1, np.float32), "s": np.array([0, n])}
    else:
        weights = {"a": np.ones((1, 1, 1), np.float32), "s": np.array([1, 1, n], np.float32)}
        first = node("Resize", ["a", "", "s"], ["big"], mode="nearest")
    nodes = [first, node("ReduceSum", ["big"], ["one"], keepdims=0), node("Add", ["x", "one"], ["y"])]
    return model(nodes, weights)


@pytest.mark.parametrize("kind", ["ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize"])
def test_values_without_measure_are_not_made(kind: str) -> None:
    with pytest.raises(ValueError, match="trust=True does not change this"):
        as_model(growing(kind))


def test_windows_of_pooling_without_measure_end_in_a_process_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from freqig.models.onnx import trial as onnx_trial

    monkeypatch.setattr(onnx_trial, "SECONDS", 2)
    n = 1 << 20
    nodes = [
        node("Unsqueeze", ["x", "one"], ["series"]),
        node("MaxPool", ["series"], ["pooled"], kernel_shape=[n], pads=[n - 1, n - 1]),
        node("ReduceMax", ["pooled"], ["y"], axes=[2], keepdims=0),
    ]
    with pytest.raises(ValueError, match=r"did not start, convert and run within 2 s of a processor"):
        as_model(model(nodes, {"one": np.array([1])}))


def test_values_that_grow_by_doubling_are_not_made() -> None:
    nodes = [node("Concat", ["x" if i == 0 else f"v{i}"] * 2, [f"v{i + 1}"], axis=1) for i in range(34)]
    with pytest.raises(ValueError, match=r"value .* bytes for two series, more than"):
        as_model(model([*nodes, node("Identity", ["v34"], ["y"])], {}))


def test_loops_without_end_are_refused() -> None:
    with pytest.raises(ValueError, match=r"makes 4611686018427387904 trips, more than 100000; trust=True"):
        as_model(looping(1 << 62))


def test_loops_whose_end_is_not_known_end_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the time of a processor would not end them."""
    from freqig.models.onnx import trial as onnx_trial

    monkeypatch.setattr(onnx_trial, "SECONDS", 600)
    monkeypatch.setattr(onnx_trial, "DEADLINE", 1)
    with pytest.raises(
        ValueError, match=r"did not start, convert and run within .*, 1 s by the clock.*trust"
    ):
        as_model(looping("computed"))


def test_operators_that_nobody_knows_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(model([node("Unheard", ["x"], ["y"], domain="own")], {}), path)
    with pytest.raises(ValueError, match=r"onnxruntime cannot run .*net\.onnx: .*Unheard"):
        as_model(str(path))


def test_short_loops_run() -> None:
    x = noise(3, 4)
    np.testing.assert_array_equal(outputs(as_model(looping(3)), x), x)


def test_nodes_are_counted_with_those_of_functions_and_inner_graphs() -> None:
    functions, called = [], "Relu"
    for i in range(20):
        nodes = [
            node(called, ["a"], ["b"], domain="own" if i else ""),
            node(called, ["b"], ["c"], domain="own" if i else ""),
        ]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
        functions.append(helper.make_function("own", f"f{i}", ["a"], ["c"], nodes, opsets))
        called = f"f{i}"
    with pytest.raises(ValueError, match=r"nodes, more than 20000|nests graphs more than"):
        as_model(model([node(called, ["x"], ["y"], domain="own")], {}, functions))
    inner = helper.make_graph(
        [node("Identity", ["x"], ["t"])], "b", [], [value("t", TensorProto.FLOAT, None)]
    )
    for _ in range(12):
        branches = {"then_branch": inner, "else_branch": inner}
        inner = helper.make_graph(
            [node("If", ["k"], ["t"], **branches)], "b", [], [value("t", TensorProto.FLOAT, None)]
        )
    with pytest.raises(ValueError, match=r"nests graphs more than 8 deep|not a valid"):
        as_model(
            model([node("If", ["k"], ["y"], then_branch=inner, else_branch=inner)], {"k": np.bool_(True)})
        )


def test_long_chains_are_converted_in_the_order_of_the_file() -> None:
    """Sorted anew, with all compared with all, these took 11 s."""
    n = 4_000
    nodes = [node("Relu", ["x" if i == 0 else f"v{i}"], [f"v{i + 1}"]) for i in range(n)]
    x = noise(3, 4)
    found = outputs(as_model(model([*nodes, node("Identity", [f"v{n}"], ["y"])], {})), x)
    np.testing.assert_array_equal(found, x.relu())


def test_a_state_that_doubles_takes_a_part_of_what_known_sizes_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """To 512 MB in 24 trips, of which the process of the trial gets half."""
    import resource

    body = helper.make_graph(
        [node("Identity", ["c"], ["d"]), node("Concat", ["v", "v"], ["w"], axis=1)],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("c", TensorProto.BOOL, []),
            value("v", TensorProto.FLOAT, None),
        ],
        [value("d", TensorProto.BOOL, []), value("w", TensorProto.FLOAT, None)],
    )
    nodes = [node("Loop", ["m", "", "x"], ["y"], body=body)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"did not start, convert and run within .* and 256 MiB"):
        as_model(model(nodes, {"m": np.int64(24)}))
    # In kB, or on macOS in bytes.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 18

"""Graphs that several tests of ONNX files have inside."""

from __future__ import annotations

from typing import Any


def idle_body() -> Any:
    """Body of a Loop that hands on what it gets."""
    from onnx import TensorProto, helper

    node, value = helper.make_node, helper.make_tensor_value_info
    return helper.make_graph(
        [node("Identity", ["c"], ["d"]), node("Identity", ["v"], ["w"])],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("c", TensorProto.BOOL, []),
            value("v", TensorProto.FLOAT, None),
        ],
        [value("d", TensorProto.BOOL, []), value("w", TensorProto.FLOAT, None)],
    )

"""What an ONNX file may ask for, found from the graph before anything of it is run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

NOT_TRUST = "trust=True does not change this"
MAX_NODES = 20_000
MAX_DEPTH = 8
MAX_TRIPS = 100_000
# Bytes of one value in the graph, above what the file itself has.
MAX_VALUE = 1 << 29
# Operators whose result may be far larger than what goes in, by numbers that the graph computes.
GROWING = {
    "CenterCropPad",
    "Col2Im",
    "ConstantOfShape",
    "Expand",
    "EyeLike",
    "MaxUnpool",
    "OneHot",
    "Pad",
    "Range",
    "Resize",
    "Tile",
    "Upsample",
}
REPEATING = {"Loop", "Scan"}


def check_limits(model: Any, name: str) -> bool:
    """Refuse a graph that is too large to be tried.

    Parameters
    ----------
    model : onnx.ModelProto
        Valid, with its weights.
    name : str
        What errors call the file.

    Returns
    -------
    bool
        Whether the graph may still take long, by numbers that are known only when it runs.

    Raises
    ------
    ValueError
        If it has too many nodes, loops or entries.
    """
    functions = {(one.domain, one.name): one for one in model.functions}
    nodes = _expanded(model.graph.node, functions, {}, 0, name)
    if nodes > MAX_NODES:
        raise ValueError(f"{name} has {nodes} nodes, more than {MAX_NODES}; {NOT_TRUST}")
    numbers = _numbers(model.graph)
    open_end = False
    for node in _nodes(model.graph.node):
        if node.op_type == "Loop":
            trips = numbers.get(node.input[0])
            if trips is not None and trips > MAX_TRIPS:
                raise ValueError(
                    f"loop {node.name!r} in {name} makes {trips} trips, more than {MAX_TRIPS}; {NOT_TRUST}"
                )
        open_end = open_end or node.op_type in REPEATING
    sizes = _sizes(model, name)
    growing = [node for node in _nodes(model.graph.node) if node.op_type in GROWING]
    return open_end or any(output not in sizes for node in growing for output in node.output)


def _expanded(nodes: Any, functions: dict[Any, Any], known: dict[Any, int], depth: int, name: str) -> int:
    """Number of nodes with those of subgraphs and of every use of a function."""
    if depth > MAX_DEPTH:
        raise ValueError(f"{name} nests graphs more than {MAX_DEPTH} deep; {NOT_TRUST}")
    total = 0
    for node in nodes:
        key = (node.domain, node.op_type)
        if key in functions:
            if key not in known:
                known[key] = MAX_NODES + 1  # of a function that uses itself
                known[key] = _expanded(functions[key].node, functions, known, depth + 1, name)
            total += known[key]
        total += 1 + sum(_expanded(g.node, functions, known, depth + 1, name) for g in _graphs(node))
    return total


def _graphs(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        yield node
        for graph in _graphs(node):
            yield from _nodes(graph.node)


def _numbers(graph: Any) -> dict[str, int]:
    """Constants that are one number, by name, in the graph and in those inside."""
    from onnx import numpy_helper

    tensors = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    tensors[node.output[0]] = attribute.t
    found = {}
    for name, tensor in tensors.items():
        if math.prod(tensor.dims) == 1 and tensor.data_type in (tensor.INT32, tensor.INT64):
            found[name] = int(numpy_helper.to_array(tensor).reshape(-1)[0])
    for node in graph.node:
        for inner in _graphs(node):
            found |= _numbers(inner)
    return found


def _sizes(model: Any, name: str) -> set[str]:
    """Names of the values whose sizes are known, with a batch of two; none may be too large."""
    import onnx

    twin = onnx.ModelProto()
    twin.CopyFrom(model)
    for value in (*twin.graph.input, *twin.graph.output, *twin.graph.value_info):
        dims = value.type.tensor_type.shape.dim
        for i, dim in enumerate(dims):
            if not dim.HasField("dim_value"):
                dim.Clear()
                if i == 0 and value in list(twin.graph.input):
                    dim.dim_value = 2
    del twin.graph.value_info[:]
    try:
        inferred = onnx.shape_inference.infer_shapes(twin, data_prop=True)
    except Exception:  # noqa: BLE001 - where nothing can be inferred, nothing is known
        return set()
    known = set()
    for value in (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input):
        kind = value.type.tensor_type
        if not kind.HasField("shape") or not all(dim.HasField("dim_value") for dim in kind.shape.dim):
            continue
        size = 4 * math.prod(dim.dim_value for dim in kind.shape.dim)
        if size > MAX_VALUE + model.ByteSize():
            raise ValueError(
                f"value {value.name!r} in {name} has {size} bytes for two series, more than {MAX_VALUE}; "
                f"{NOT_TRUST}"
            )
        known.add(value.name)
    return known

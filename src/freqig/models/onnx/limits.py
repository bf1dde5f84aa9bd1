"""What an ONNX file may ask for, found from the graph before anything of it is run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..content import NOT_TRUST
from .read import messages

MAX_NODES = 20_000
MAX_DEPTH = 8
MAX_TRIPS = 100_000
# Bytes of one value in the graph, above what the file itself has.
MAX_VALUE = 1 << 29
# Entries of all values together and products in all layers, above which a graph is first tried elsewhere.
MANY_ENTRIES, MANY_PRODUCTS = 1 << 28, 10**11
# Bytes that a graph may take in a trial, where sizes are known, each of which is bounded, and where not.
OF_KNOWN_SIZES, OF_UNKNOWN_SIZES = 1 << 30, 1 << 28
# Entries of weights above which they cannot be sizes of anything.
FEW = 1_024
# Operators whose result may be far larger than what goes in, by numbers that the graph computes.
GROWING = {
    "AffineGrid",
    "BlackmanWindow",
    "CenterCropPad",
    "Col2Im",
    "ConcatFromSequence",
    "ConstantOfShape",
    "DFT",
    "Einsum",
    "Expand",
    "EyeLike",
    "HammingWindow",
    "HannWindow",
    "MaxUnpool",
    "MelWeightMatrix",
    "OneHot",
    "Pad",
    "Range",
    "Resize",
    "STFT",
    "SequenceAt",
    "SequenceMap",
    "Tile",
    "Upsample",
}
REPEATING = {"Loop", "Scan", "SequenceMap"}
# Operators that multiply by weights: axes of the weight over which is summed, for every entry of the result.
SUMMED = {
    "Conv": slice(1, None),
    "ConvTranspose": slice(1, None),
    "Gemm": slice(0, 1),
    "MatMul": slice(-2, -1),
}


class LimitError(ValueError):
    """A file asks for more time or memory than it may.

    Examples
    --------
    >>> issubclass(LimitError, ValueError)
    True
    """


class Limits:
    """The graph of a file without its weights, on which sizes are inferred.

    Parameters
    ----------
    model : onnx.ModelProto
        Valid, with its weights.
    name : str
        What errors call the file.

    Raises
    ------
    LimitError
        If it has too many nodes, loops or entries.
    """

    def __init__(self, model: Any, name: str) -> None:
        from onnx.inliner import inline_local_functions

        self.name, self._allowed = name, MAX_VALUE + model.ByteSize()
        functions = {(one.domain, one.name): one for one in model.functions}
        nodes = _expanded(model.graph.node, functions, {}, 0, name)
        if nodes > MAX_NODES:
            raise LimitError(f"{name} has {nodes} nodes, more than {MAX_NODES}; {NOT_TRUST}")
        self._check_sparse(model)
        graph = _without_weights(model)
        self._model = inline_local_functions(graph) if functions else graph
        self._nodes = list(_nodes(self._model.graph.node))
        self._check_trips()

    def of_file(self) -> int:
        """Bytes that the file may take in a trial, zero where it needs none.

        A trial is of its start, and of a call where the file says all sizes.
        """
        sizes = self._sizes({})
        if all(value.name in sizes for value in self._model.graph.input):
            return self._allowance(self._nodes, sizes)
        # What depends on no input may be computed when onnxruntime starts.
        fed, constant = {value.name for value in self._model.graph.input}, list[Any]()
        for node in self._model.graph.node:
            if fed & set(_names_used(node)):
                fed |= set(node.output)
            else:
                constant += _nodes([node])
        return self._allowance(constant, sizes)

    def of_call(self, shapes: Mapping[str, tuple[int, ...]]) -> int:
        """The same of a call with inputs of such shapes, by name."""
        return self._allowance(self._nodes, self._sizes(shapes))

    def _allowance(self, nodes: Sequence[Any], sizes: Mapping[str, tuple[int, ...]]) -> int:
        kinds = {node.op_type for node in nodes}
        unknown = any(name and name not in sizes for node in nodes for name in node.output)
        if kinds & REPEATING or (unknown and kinds & GROWING):
            return OF_UNKNOWN_SIZES
        return OF_KNOWN_SIZES if _is_much(nodes, sizes) else 0

    def _check_sparse(self, model: Any) -> None:
        for one in messages(model, "SparseTensorProto"):
            if 4 * math.prod(one.dims) > self._allowed:
                raise LimitError(
                    f"a sparse tensor in {self.name} has {math.prod(one.dims)} entries; {NOT_TRUST}"
                )

    def _check_trips(self) -> None:
        numbers = _numbers(self._model.graph)
        for node in self._nodes:
            trips = numbers.get(node.input[0]) if node.op_type == "Loop" else None
            if trips is not None and trips > MAX_TRIPS:
                raise LimitError(
                    f"loop {node.name!r} in {self.name} makes {trips} trips, more than {MAX_TRIPS}; "
                    f"{NOT_TRUST}"
                )

    def _sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Sizes of the values for which they are known; none may be too large."""
        import onnx

        twin = onnx.ModelProto()
        twin.CopyFrom(self._model)
        _set_inputs(twin.graph, shapes)
        try:
            inferred = onnx.shape_inference.infer_shapes(twin, data_prop=True)
        except Exception:  # noqa: BLE001 - where nothing can be inferred, nothing is known
            return {}
        known = {one.name: tuple(one.dims) for one in messages(inferred.graph, "TensorProto") if one.name}
        for value in messages(inferred.graph, "ValueInfoProto"):
            kind = value.type.tensor_type
            if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim):
                known[value.name] = tuple(dim.dim_value for dim in kind.shape.dim)
        for name, dims in known.items():
            size = 4 * math.prod(dims)
            if size > self._allowed:
                of = f"inputs of {_listed(shapes)}" if shapes else "two series"
                raise LimitError(
                    f"value {name!r} in {self.name} has {size} bytes for {of}, more than {MAX_VALUE}; "
                    f"{NOT_TRUST}"
                )
        return known


def _is_much(nodes: Sequence[Any], sizes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether nodes make many entries, or sum over many products to make them."""
    entries = products = 0
    for node in nodes:
        kernel = next((one.ints for one in node.attribute if one.name == "kernel_shape"), ())
        of_node = sum(math.prod(sizes[output]) for output in node.output if output in sizes)
        weight = sizes.get(node.input[1], ()) if len(node.input) > 1 else ()
        if node.op_type in SUMMED:
            products += of_node * math.prod(weight[SUMMED[node.op_type]])
        elif node.op_type.endswith("Pool"):
            products += of_node * math.prod(kernel)
        elif node.op_type == "Einsum":
            # Exact for a product of two matrices.
            products += math.isqrt(of_node * math.prod(math.prod(sizes.get(one, ())) for one in node.input))
        entries += of_node
    return entries > MANY_ENTRIES or products > MANY_PRODUCTS


def _names_used(node: Any) -> Iterator[str]:
    """Names that a node reads, itself or in the graphs inside."""
    yield from node.input
    for graph in _graphs(node):
        for inner in graph.node:
            yield from _names_used(inner)
        yield from (value.name for value in graph.output)


def _expanded(nodes: Any, functions: dict[Any, Any], known: dict[Any, int], depth: int, name: str) -> int:
    """Number of nodes with those of subgraphs and of every use of a function."""
    if depth > MAX_DEPTH:
        raise LimitError(f"{name} nests graphs more than {MAX_DEPTH} deep; {NOT_TRUST}")
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


def _without_weights(model: Any) -> Any:
    """The model with empty tensors in place of large ones, whose sizes stay."""
    import onnx

    twin = onnx.ModelProto()
    twin.CopyFrom(model)
    for tensor in messages(twin, "TensorProto"):
        if math.prod(tensor.dims) > FEW:
            name, kind, dims = tensor.name, tensor.data_type, list(tensor.dims)
            tensor.Clear()
            tensor.name, tensor.data_type = name, kind
            tensor.dims.extend(dims)
    return twin


def _set_inputs(graph: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Give the inputs their sizes, or a batch of two, and leave all else to be inferred."""
    for value in (*graph.input, *graph.output):
        dims = value.type.tensor_type.shape.dim
        for dim in dims:
            if not dim.HasField("dim_value"):
                dim.Clear()
    del graph.value_info[:]
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name in shapes:
            del dims[:]
            for size in shapes[value.name]:
                dims.add().dim_value = size
        elif len(dims) and not dims[0].HasField("dim_value"):
            dims[0].dim_value = 2


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes.values()))

"""Converters from ONNX to torch, in the order they are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..exchanged import exchanged
from .loops import bounded


def converters() -> list[tuple[str, Callable[[Any], nn.Module]]]:
    """List the installed converters as (name and version, function), best first."""
    from importlib.metadata import PackageNotFoundError, version

    found: list[tuple[str, Callable[[Any], nn.Module]]] = []
    for name, function in (("onnx2fx", _onnx2fx), ("onnx2pytorch", _onnx2pytorch)):
        try:
            found.append((f"{name} {version(name)}", function))
        except PackageNotFoundError:
            continue
    if not found:
        raise ImportError("an ONNX model needs onnx2fx: pip install freqig[onnx]")
    return found


def _onnx2fx(model: Any) -> nn.Module:
    import onnx2fx

    # In this order: other threads wait for the second.
    with _in_order(), _gather():
        return bounded(onnx2fx.convert(model))


def _onnx2pytorch(model: Any) -> nn.Module:
    from onnx2pytorch import ConvertModel

    net: nn.Module = ConvertModel(model, experimental=True)
    return net


@contextmanager
def _gather() -> Iterator[None]:
    """Let onnx2fx convert Gather with negative indices, through its registration hook.

    onnx2fx 0.0.1 hands a scalar index to `index_select`, which takes no negative one;
    recurrent heads take the last step as index −1. The handler of before is put back.
    """
    from onnx2fx.op_registry import get_handler, register_op

    before = get_handler("Gather")
    register_op("Gather", _gather_node)
    try:
        yield
    finally:
        if before is not None:
            register_op("Gather", before)


@contextmanager
def _in_order() -> Iterator[None]:
    """Let onnx2fx take nodes in the file's order, which is checked to be a topological one.

    onnx2fx 0.0.1 sorts them again by comparing all with all: 4,000 nodes take it 8 s.
    """
    from onnx2fx import graph_builder

    with exchanged(graph_builder, "_topological_sort", lambda _: lambda nodes, *_: list(nodes)):
        yield


def _gather_node(builder: Any, node: Any) -> Any:
    axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
    data, index = (builder.get_value(name) for name in node.input)
    return builder.call_function(gather, args=(data, index, axis))


def gather(data: Any, index: Any, axis: int) -> Tensor:
    """Gather as ONNX defines it: the index's shape takes the place of the axis.

    Parameters
    ----------
    data : torch.Tensor or tuple of int
        What to take from.
    index : torch.Tensor or int
        Integers in −n…n−1, n the size of the axis, any shape.
    axis : int
        Axis of `data`.

    Returns
    -------
    torch.Tensor
        Shape `data.shape[:axis] + index.shape + data.shape[axis + 1:]`.

    Examples
    --------
    >>> gather(torch.arange(6).reshape(2, 3), torch.tensor(-1), 1)
    tensor([2, 5])
    """
    values: Tensor = torch.as_tensor(data)  # onnx2fx keeps some shapes as tuples
    axis %= values.ndim
    index = torch.as_tensor(index, device=values.device).long()
    flat = index.reshape(-1)
    flat = torch.where(flat < 0, flat + values.shape[axis], flat)
    shape = (*values.shape[:axis], *index.shape, *values.shape[axis + 1 :])
    return values.index_select(axis, flat).reshape(shape)

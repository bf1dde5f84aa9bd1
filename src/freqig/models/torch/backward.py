"""The way back through a graph of PyTorch: slopes, what it holds until then, and how finely it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

Slope = Callable[[Tensor, Tensor, bool], Tensor | None]
"""From a scalar, a leaf, and whether the graph is needed again, to the gradient; None where there is none."""


def slope_by_grad(scalar: Tensor, leaf: Tensor, again: bool) -> Tensor | None:
    """Gradient of a scalar, which touches no other tensor."""
    return torch.autograd.grad(scalar, leaf, retain_graph=again, allow_unused=True)[0]


def slope_by_backward(
    scalar: Tensor, leaf: Tensor, again: bool, weights: Sequence[Tensor] = ()
) -> Tensor | None:
    """Gradient of a scalar, by the way that reentrant checkpoints insist on; `weights` keep theirs."""
    kept = [(weight, weight.grad) for weight in weights if weight.requires_grad and weight.is_leaf]
    try:
        for tensor in (leaf, *(weight for weight, _ in kept)):
            tensor.grad = None
        torch.autograd.backward(scalar, retain_graph=again)
        return leaf.grad
    finally:
        for weight, gradient in kept:
            weight.grad = gradient


def is_about_reentrant_checkpoints(error: RuntimeError) -> bool:
    """Whether PyTorch refused a gradient for `torch.utils.checkpoint(..., use_reentrant=True)`."""
    return "use_reentrant" in str(error)


def held_bytes(forward: Callable[[], Tensor], weights: Iterable[Tensor]) -> int:
    """Memory that a forward pass holds until its backward pass, without that of the weights.

    Parameters
    ----------
    forward : callable
        Runs the pass and returns values with their graph.
    weights : iterable of torch.Tensor
        Tensors that are there anyway.

    Returns
    -------
    int
        Bytes.
    """
    sizes: dict[int, int] = {}

    def record(tensor: Tensor) -> Tensor:
        if tensor.layout is torch.strided:
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
        # The tensor itself would hold the graph that holds it, a cycle that nothing ever frees.
        return tensor.detach()

    try:
        with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
            values = forward()
    except RuntimeError as error:
        if "saved tensor hooks" not in str(error):
            raise
        # A gradient inside the model (torch.func.grad) allows no hooks, so its graph is read instead.
        sizes.clear()
        values = forward()
        for node in _nodes(values):
            for tensor in _saved(node):
                record(tensor)
    del values
    for tensor in weights:
        if tensor.layout is torch.strided:
            sizes.pop(tensor.untyped_storage().data_ptr(), None)
    return sum(sizes.values())


def coarsest_dtype(values: Tensor) -> torch.dtype:
    """Coarsest floating dtype in the graph of some values, that of casts on the way included.

    Examples
    --------
    >>> leaf = torch.ones(2, requires_grad=True)
    >>> coarsest_dtype(leaf.bfloat16().exp().float())
    torch.bfloat16
    """
    dtypes = {values.dtype}
    for node in _nodes(values):
        dtypes.update(one.dtype for one in getattr(node, "_input_metadata", ()))
    return max((d for d in dtypes if d.is_floating_point), key=lambda dtype: torch.finfo(dtype).eps)


def _nodes(values: Tensor) -> list[Any]:
    """Nodes of the graph of some values."""
    waiting, found = [values.grad_fn], dict[Any, None]()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found[node] = None
            waiting.extend(following for following, _ in node.next_functions)
    return list(found)


def _saved(node: Any) -> list[Tensor]:
    """Tensors that a node of a graph keeps, by PyTorch's `_saved_` attributes."""
    found: list[Tensor] = []
    for name in dir(node):
        if name.startswith("_saved_") or name == "saved_tensors":
            value = getattr(node, name)
            many = value if isinstance(value, (tuple, list)) else (value,)
            found += [one for one in many if isinstance(one, Tensor)]
    return found

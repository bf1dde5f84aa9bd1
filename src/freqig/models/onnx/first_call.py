"""Looks at the sizes that a call gives an ONNX graph, before the graph is run with them."""

from __future__ import annotations

from torch import Tensor

from .limits import Limits
from .trial import try_out
from .values import Batch, Declared


class FirstCalls:
    """Refuses calls whose values would be too large, and tries elsewhere what nobody can tell.

    What was found for a batch holds for smaller ones, and for one twice as large.

    Parameters
    ----------
    limits : Limits
        Of the file.
    content : bytes
        The file, as an `onnx.ModelProto`.
    inputs : tuple of Declared
        What the file declares.
    """

    def __init__(self, limits: Limits, content: bytes, inputs: tuple[Declared, ...]) -> None:
        self._limits, self._content, self._inputs = limits, content, inputs
        self._seen: dict[tuple[tuple[int, ...], ...], int] = {}
        sizes = inputs[0].shape
        if len(inputs) == 1 and None not in sizes[1:]:  # two series were looked at with the file
            self._seen[((0, *(size or 0 for size in sizes[1:])),)] = 2

    def __call__(self, given: tuple[Tensor, ...]) -> None:
        """Look at the sizes of a call.

        Parameters
        ----------
        given : tuple of torch.Tensor
            The inputs of the file.

        Raises
        ------
        LimitError
            If the graph may not be run with them.
        """
        n, batch = len(given[0]), self._inputs[0].sizes[0]
        shapes = {one.name: tuple(x.shape) for one, x in zip(self._inputs, given, strict=True)}
        key = tuple(_beside_batch(one, shapes[one.name], n, batch) for one in self._inputs)
        if n <= 2 * self._seen.get(key, 0):
            return
        if memory := self._limits.of_call(shapes):
            arrays = {one.name: x.detach().cpu().numpy() for one, x in zip(self._inputs, given, strict=True)}
            try_out(self._content, self._limits.name, memory, arrays)
        self._seen[key] = n


def _beside_batch(declared: Declared, sizes: tuple[int, ...], n: int, batch: Batch) -> tuple[int, ...]:
    """Sizes of an input, zero in place of the batch's."""
    axes = [0] if declared.sizes[:1] == (batch,) else declared.batch_axes(sizes, n, batch)
    return tuple(0 if axis in axes[:1] else size for axis, size in enumerate(sizes))

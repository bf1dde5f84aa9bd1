"""A graph called with the batch sizes that its file allows; by PyTorch or by onnxruntime alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .values import Batch, Declared


class Graph(nn.Module):
    """A graph as a function of a batch of any size, whose outputs have the batch first.

    Parameters
    ----------
    net : callable
        Takes the file's inputs in order, returns a tensor or a tuple of them.
    inputs, outputs : tuple of Declared
        What the file declares.
    check : callable, optional
        Called with the inputs before the net is; raises where it may not be.

    Examples
    --------
    >>> graph = Graph(lambda x: x.T, (Declared("x", "float", (2, 3)),), (Declared("y", "float", (3, 2)),))
    >>> graph(torch.zeros(5, 3))["y"].shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        net: Callable[..., Any],
        inputs: tuple[Declared, ...],
        outputs: tuple[Declared, ...],
        check: Callable[[tuple[Tensor, ...]], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.net, self.inputs, self.outputs, self._check = net, inputs, outputs, check

    @property
    def batch(self) -> Batch:
        """First size of the first input: a number where it is fixed, else its name."""
        return self.inputs[0].sizes[0]

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        """Outputs by name; one that has no row for every series is as the graph gave it, or left out."""
        n = len(inputs[0])
        if not isinstance(self.batch, int):
            parts, size = [self._call(inputs)], n
        else:
            size = self.batch
            axes = [self._axis(i, one, n) for i, one in enumerate(inputs)]
            parts = [self._call(_rows(inputs, axes, start, size, n)) for start in range(0, n, size)]
        found = {}
        for i, declared in enumerate(self.outputs):
            pieces, axis = [part[i] for part in parts], declared.batch_axis(self.batch)
            if pieces[0].ndim > axis and pieces[0].shape[axis] == size:
                found[declared.name] = torch.cat([piece.movedim(axis, 0) for piece in pieces])[:n]
            elif len(pieces) == 1:
                found[declared.name] = pieces[0]
        return found

    def _call(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        self._check(inputs)
        found = self.net(*inputs)
        return tuple(found) if isinstance(found, (tuple, list)) else (found,)

    def _axis(self, i: int, one: Tensor, n: int) -> int | None:
        # The series have the batch first; what has the declared size already is the same in every call.
        if i == 0:
            return 0
        axes = self.inputs[i].batch_axes(tuple(one.shape), n, self.batch)
        return axes[0] if axes and tuple(one.shape) != self.inputs[i].shape else None


def _rows(
    inputs: tuple[Tensor, ...], axes: list[int | None], start: int, size: int, n: int
) -> tuple[Tensor, ...]:
    """One call's rows, filled up with copies of the last."""
    rows = torch.arange(start, start + size, device=inputs[0].device).clamp(max=n - 1)
    return tuple(
        one if axis is None else one.index_select(axis, rows) for one, axis in zip(inputs, axes, strict=True)
    )


class Runtime:
    """onnxruntime's session as a function of tensors.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Runs the file.
    """

    def __init__(self, session: Any) -> None:
        self.session = session
        self._names = [value.name for value in session.get_inputs()]

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        arrays = [one.detach().cpu().numpy() for one in inputs]
        found = self.session.run(None, dict(zip(self._names, arrays, strict=True)))
        return tuple(torch.as_tensor(one) for one in found)

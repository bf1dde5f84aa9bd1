"""Programs that were exported for one batch size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class FixedBatch(nn.Module):
    """A program exported for one batch size, called with that size only.

    Parameters
    ----------
    net : callable
        The program.
    batch : int
        P points run in calls of that many; the last is filled up with copies of its last point,
        whose outputs are dropped.

    Examples
    --------
    >>> FixedBatch(torch.nn.Linear(4, 2), 8)(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(self, net: Callable[..., Any], batch: int) -> None:
        super().__init__()
        self.net, self.batch = net, batch

    def forward(self, *inputs: Any) -> Any:
        """Run the program on all points."""
        n = len(inputs[0])
        parts = [self.net(*filled(inputs, start, self.batch, n)) for start in range(0, n, self.batch)]
        return gathered(parts, n, self.batch)


def filled(inputs: tuple[Any, ...], start: int, batch: int, n: int) -> tuple[Any, ...]:
    """One call's rows of the inputs, filled up with copies of the last.

    Parameters
    ----------
    inputs : tuple
        Tensors with n rows are cut; anything else goes into every call.
    start : int
        First row.
    batch : int
        Rows of a call.
    n : int
        Rows of all calls.

    Returns
    -------
    tuple
        As many inputs.
    """
    rows = torch.arange(start, start + batch).clamp(max=n - 1)
    return tuple(
        one[rows.to(one.device)] if isinstance(one, Tensor) and one.ndim and len(one) == n else one
        for one in inputs
    )


def gathered(parts: list[Any], n: int, batch: int) -> Any:
    """Outputs of all calls, without those of rows that were filled in.

    Parameters
    ----------
    parts : list
        Outputs of calls of that batch size, in turn: a tensor, or a tuple, list or dict of tensors.
    n : int
        Rows that were asked for.
    batch : int
        Rows of a call.

    Raises
    ------
    ValueError
        If an output has not the batch first.
    """
    first = parts[0]
    if isinstance(first, Tensor):
        if first.shape[:1] != (batch,):
            raise ValueError(
                f"a model of fixed batch {batch} must give outputs with the batch first, got "
                f"{tuple(first.shape)}"
            )
        return torch.cat(parts)[:n]
    if isinstance(first, dict):
        return {key: gathered([part[key] for part in parts], n, batch) for key in first}
    return tuple(gathered(list(part), n, batch) for part in zip(*parts, strict=True))

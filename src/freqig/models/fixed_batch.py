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

    def forward(self, *inputs: Tensor) -> Any:
        """Run the program on all points."""
        n, parts = len(inputs[0]), []
        for start in range(0, n, self.batch):
            rows = torch.arange(start, start + self.batch).clamp(max=n - 1)
            parts.append(self.net(*(one[rows.to(one.device)] for one in inputs)))
        return _join(parts, n, self.batch)


def _join(parts: list[Any], n: int, batch: int) -> Any:
    first = parts[0]
    if isinstance(first, Tensor):
        if first.shape[:1] != (batch,):
            raise ValueError(
                f"a model of fixed batch {batch} must give outputs with the batch first, got "
                f"{tuple(first.shape)}"
            )
        return torch.cat(parts)[:n]
    if isinstance(first, dict):
        return {key: _join([part[key] for part in parts], n, batch) for key in first}
    return tuple(_join(list(part), n, batch) for part in zip(*parts, strict=True))

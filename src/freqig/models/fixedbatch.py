"""Programs that were exported for one batch size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .base import Raw


class FixedBatch(nn.Module):
    """A program exported for one batch size, called with that size only.

    Parameters
    ----------
    net : nn.Module
    batch : int
        P points run in calls of ``batch``, the last one filled up with copies of its
        last point, whose outputs are dropped.
    """

    def __init__(self, net: nn.Module, batch: int) -> None:
        super().__init__()
        self.net, self.batch = net, batch

    def forward(self, *inputs: Tensor) -> Raw:
        """Run the program on all points."""
        n, parts = len(inputs[0]), []
        for start in range(0, n, self.batch):
            rows = torch.arange(start, start + self.batch).clamp(max=n - 1)
            parts.append(self.net(*(i[rows.to(i.device)] for i in inputs)))
        return _join(parts, n, self.batch)


def _join(parts: list[Any], n: int, batch: int) -> Any:
    if isinstance(parts[0], Tensor):
        if any(part.shape[:1] != (batch,) for part in parts):
            raise ValueError(
                f"a model of fixed batch {batch} must give outputs with the batch first, got "
                f"{tuple(parts[0].shape)}"
            )
        return torch.cat(parts)[:n]
    if isinstance(parts[0], dict):
        return {key: _join([part[key] for part in parts], n, batch) for key in parts[0]}
    return tuple(_join(list(part), n, batch) for part in zip(*parts, strict=True))

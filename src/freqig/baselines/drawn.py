"""Baselines that are drawn already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .base import Baseline


@dataclass(frozen=True)
class Drawn(Baseline):
    """Baselines that are drawn already, such as those of several inputs behind each other.

    Parameters
    ----------
    values : torch.Tensor
        B baselines of every sample, shape (B, N, *axes, n).
    described : mapping
        What the result says of them.
    """

    values: Tensor
    described: Mapping[str, Any] = field(default_factory=lambda: {"name": "given"})

    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        return self.values

    def describe(self) -> dict[str, Any]:
        return dict(self.described)

"""Walks through trees of modules, and what is asked of numbers."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from freqig._tensor_check import all_finite
from freqig.models.torch.modules import submodules


class Reversed(nn.Module):
    """A class with an order of its own, as wrappers that hide parts have."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.ReLU()

    def named_modules(self, *given: Any, **named: Any) -> Iterator[tuple[str, nn.Module]]:
        yield from reversed(list(super().named_modules(*given, **named)))


def shared() -> nn.Module:
    inner = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net = nn.Sequential(inner, nn.Dropout(), inner, nn.Sequential(inner[0], nn.Tanh()))
    net.register_module("none", None)
    return net


def in_a_circle() -> nn.Module:
    net = shared()
    net[0].add_module("back", net)
    return net


TREES = {
    "one": nn.ReLU,
    "shared": shared,
    "circle": in_a_circle,
    "own order": Reversed,
    "own order inside": lambda: nn.Sequential(nn.ReLU(), Reversed(), nn.Tanh()),
    "transformer": lambda: nn.TransformerEncoderLayer(4, 2, 8),
    "scripted": lambda: torch.jit.trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), torch.zeros(1, 2)),
    "scripted inside": lambda: nn.Sequential(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), nn.ReLU()),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("build", TREES.values(), ids=TREES.keys())
def test_submodules_are_those_of_pytorch_in_its_order(build: Any) -> None:
    net = build()
    assert list(map(id, submodules(net))) == list(map(id, net.modules()))


def test_a_weak_proxy_passes_for_its_module() -> None:
    net = shared()
    assert submodules(weakref.proxy(net))[0] is net


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64]
)
@pytest.mark.parametrize("spoilt", [None, float("nan"), float("inf"), -float("inf")])
def test_finite_means_every_number(dtype: torch.dtype, spoilt: float | None) -> None:
    # Their sum overflows in the narrower dtypes, and is no reason to refuse them.
    values = torch.full((3, 40), 3e4 if dtype == torch.float16 else 3e38, dtype=dtype)
    assert all_finite(values)
    assert all_finite(values[:0])
    values[1, 7] = 1.0 if spoilt is None else spoilt
    assert all_finite(values) == (spoilt is None)

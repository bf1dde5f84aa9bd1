"""Models with the same weights are told apart by their layers, settings and code."""

from __future__ import annotations

import linecache
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig.models.torch.structure import structure_of


class Net(nn.Module):
    """With a setting that no weight knows of, and a function for a layer."""

    def __init__(
        self, scale: float | np.float32 = 1.0, bend: Callable[[Tensor], Tensor] = torch.relu
    ) -> None:
        super().__init__()
        self.layer, self.scale, self.bend = nn.Linear(8, 2), scale, bend

    def forward(self, x: Tensor) -> Tensor:
        return self.bend(self.layer(x)) * self.scale


class Squared(Net):
    """The same weights behind other code."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) ** 2


def stacked(bend: nn.Module, times: int = 1, stride: int = 1) -> nn.Module:
    """One layer with weights, and one without, which stands in one place or in several."""
    return nn.Sequential(nn.Conv1d(1, 2, 3, stride=stride), *[bend] * times)


net = Net()


def plain(x: Tensor) -> Tensor:
    return net(x)


def doubled(x: Tensor) -> Tensor:
    return 2 * net(x)


OTHERS = [
    (Net(), Net(2.0)),
    (Net(), Net(np.float32(2.0))),
    (Net(), Net(bend=torch.tanh)),
    (Net(), Squared()),
    (plain, doubled),
    (stacked(nn.ReLU()), stacked(nn.Tanh())),
    (stacked(nn.ReLU()), stacked(nn.ReLU(), times=2)),
    (stacked(nn.ReLU()), stacked(nn.ReLU(), stride=2)),
    (stacked(nn.ELU()), stacked(nn.ELU(0.5))),
    tuple(torch.fx.symbolic_trace(stacked(bend)) for bend in (nn.ReLU(), nn.Tanh())),
    tuple(torch.fx.symbolic_trace(model) for model in (Net(), Squared())),
    tuple(nn.TransformerEncoderLayer(8, 2, activation=name) for name in ("relu", "gelu")),
    tuple(nn.TransformerEncoderLayer(8, heads) for heads in (2, 4)),
]


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_models_of_the_same_weights_differ(one: nn.Module, other: nn.Module) -> None:
    assert structure_of(one) != structure_of(other)


@pytest.mark.parametrize("make", [Net, Squared, lambda: stacked(nn.ELU()), lambda: plain])
def test_the_same_model_made_twice_is_the_same(make: Callable[[], nn.Module]) -> None:
    before = make()
    found = structure_of(before)
    if isinstance(before, nn.Module):
        torch.manual_seed(1)
        before.eval()(torch.zeros(1, 1, 8))
    assert found == structure_of(before) == structure_of(make())


def test_comments_are_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    for comment in ("", "    # says more\n"):
        source, space = f"def model(x):\n{comment}    return x\n", dict[str, object]()
        held = len(source), None, source.splitlines(True), "<model>"
        monkeypatch.setitem(linecache.cache, "<model>", held)
        exec(compile(source, "<model>", "exec"), space)
        assert structure_of(space["model"]) == ["def model(x):\n    return x"]

"""Gradients that are not F's are seen beside the path, where F does not move along it; others never are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig.foreign import Foreign
from freqig.foreign.beside import convicted
from freqig.path.gradients import Lines
from freqig.path.inspection import Inspect
from freqig.path.nodes import Indices, Nodes
from freqig.path.tolerance import Tolerance

from ..helpers import noise
from ..path.paths import Counter
from ..path.paths import adaptive as plain
from .paths import adaptive
from .scaled import Scaled
from .test_slopes import ROUGH

HALF = torch.tensor(noise(3, 24, seed=5))
X = torch.cat([HALF, HALF.flip(1)], 1)
SIGNS = torch.cat([torch.ones(24), -torch.ones(24)]).double()


def balanced(x: Tensor) -> Tensor:
    """Zero all along the path to `X`, whose attributions are ± tanh(x)."""
    return (torch.tanh(x) * SIGNS.to(x)).sum(1)


def scaled(factor: float) -> Callable[[Tensor], Tensor]:
    return lambda x: balanced(Scaled.apply(x, factor))


FOREIGN: dict[str, Callable[[Tensor], Tensor]] = {
    "a tenth less": scaled(0.9),
    "a twentieth more": scaled(1.05),
    "twice": scaled(2.0),
    "turned round": scaled(-1.0),
    "offset": lambda x: 1000 * scaled(0.9)(x) + 100,
}


@pytest.mark.parametrize("function", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_gradient_of_something_else_is_named_where_f_does_not_move(
    function: Callable[[Tensor], Tensor], dtype: torch.dtype
) -> None:
    path = adaptive(function, X.to(dtype))
    assert [d.status for d in path.diagnoses] == ["gradient"] * 3
    assert path.converged is not None
    assert path.error is not None
    assert not path.converged.any()
    assert path.error.isinf().all()
    told = path.diagnoses[0].explain()
    for word in ("close beside the path", "not that of its output", "custom backward"):
        assert word in told


def test_statistics_that_count_as_constant_are_seen_where_all_values_rise() -> None:
    """F is a sum of values without their mean, and so nothing; the gradient says that each value counts."""

    def nothing(x: Tensor) -> Tensor:
        return (x - x.mean(1, keepdim=True).detach()).sum(1) + 0.2 * balanced(x)

    path = adaptive(nothing, X)
    assert [d.status for d in path.diagnoses] == ["gradient"] * 3


def test_what_is_seen_beside_one_path_is_looked_for_beside_all() -> None:
    """Unless something is wrong beside it, the third is not looked at."""

    def partly(x: Tensor) -> Tensor:
        return balanced(torch.where(x[:, :1] < 0, Scaled.apply(x, 0.8), x))

    right = X[:1] * X[0, 0].sign()
    x = torch.cat([right, -right, -2 * right, 2 * right, right])
    path = adaptive(partly, x)
    wanted = ["converged", "gradient", "gradient", "converged", "converged"]
    assert [d.status for d in path.diagnoses] == wanted


def test_blocks_of_one_call_know_of_each_other() -> None:
    """The third path of a call is not looked at, unless one before it was found wrong."""
    call = Foreign()
    found = [plain(scaled(0.9), row[None], inspector=call).diagnoses[0].status for row in X]
    assert found == ["gradient"] * 3
    assert call.found


def test_paths_are_looked_at_ever_more_rarely() -> None:
    call = Foreign()
    due = np.concatenate([call.due(3), call.due(0), call.due(6)])
    assert (np.flatnonzero(due) + 1).tolist() == [1, 2, 4, 8]


def test_a_look_costs_four_forward_passes_and_nothing_else() -> None:
    looking, believing = Counter(balanced), Counter(balanced)
    paths = adaptive(looking, X[:1].float()), plain(believing, X[:1].float())
    assert looking.points == believing.points + 4
    assert paths[0].n_evaluations.tolist() == paths[1].n_evaluations.tolist()
    assert paths[0].diagnoses[0].status == "converged"


WEIGHTS = torch.tensor(noise(48, 400, seed=7)) / 7


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.cells, self.out = kind(1, 6, batch_first=True), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.cells(x[..., None])[0][:, -1])


def _net(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 48)), nn.Conv1d(1, 6, 5), *layers, nn.Flatten(), nn.LazyLinear(1)
    )


def _with_statistics() -> nn.Module:
    norm = nn.BatchNorm1d(6)
    norm.running_var.copy_(torch.logspace(-4, 1, 6))
    return _net(norm, nn.ReLU(), nn.MaxPool1d(4))


RIGHT: dict[str, Callable[[], Callable[[Tensor], Tensor]]] = {
    "pooled": lambda: _net(nn.ReLU(), nn.MaxPool1d(3)),
    "GELU": lambda: _net(nn.GELU()),
    "statistics": _with_statistics,
    "LSTM": lambda: Recurrent(nn.LSTM),
    "GRU": lambda: Recurrent(nn.GRU),
    "hinges": lambda: lambda x: (x @ WEIGHTS.to(x)).abs().mean(1) - (x @ WEIGHTS.to(x) - 1).abs().mean(1),
    "thresholds": lambda: lambda x: ((x @ WEIGHTS.to(x)) > 0.3).to(x).mean(1) + x.sin().mean(1),
    "ripple": lambda: lambda x: x.sum(1) + 1e-4 * torch.sin(3e4 * x.sum(1)),
    "saturated": lambda: lambda x: torch.log_softmax(30 * x @ WEIGHTS[:, :3].to(x), 1)[:, 0],
    "offset": lambda: lambda x: 1e4 + x.sin().sum(1),
    "bfloat16 inside": lambda: lambda x: torch.tanh((x.bfloat16() @ WEIGHTS[:, 0].bfloat16()).to(x)),
    "at a kink": lambda: lambda x: torch.relu(0 * x).sum(1) + torch.relu(x - x.mean(1, keepdim=True)).sum(1),
    "constant": lambda: lambda x: 3 + 0 * x.sum(1),
} | {name: (lambda function=function: function) for name, function in ROUGH.items()}


@pytest.mark.parametrize("make", RIGHT.values(), ids=RIGHT.keys())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_right_gradients_are_never_convicted(
    make: Callable[[], Callable[[Tensor], Tensor]], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = make()
    x = torch.cat([X, 40 * X[:1], X[:1] * (X[:1] > 1), X[:1].round(), 1000 + X[:1]]).to(dtype)[:, :32]
    x = x if function in ROUGH.values() else torch.cat([x, x[:, :16]], 1)
    if isinstance(function, nn.Module):
        function(x[:2].float())
        function = function.to(dtype).eval()
    looked = 0

    def always(lines: Lines, tolerance: Tolerance) -> Inspect:
        def inspect(nodes: Nodes, left: Indices) -> tuple[()]:
            nonlocal looked
            for a in range(len(nodes.sample)):
                looked += 1
                assert convicted(lines, nodes, a, tolerance).wrong is None, a
            return ()

        return inspect

    plain(function, x, 0.5 * x.roll(1, 0), max_evaluations=50, inspector=always)
    assert looked

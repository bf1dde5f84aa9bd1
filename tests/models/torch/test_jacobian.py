"""Gradients of many targets: together where that can be, one by one where not, and the same either way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import Explainer
from freqig.models import as_model
from freqig.models.torch.backward import slope_by_grad
from freqig.models.torch.jacobian import Jacobian

N_TARGETS = 7


class Apply(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.function(x)
        return out


class InPyTorch(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * (1 - x.tanh().square())


class InNumPy(InPyTorch):
    """Leaves PyTorch on the way back, and so knows no batches of cotangents."""

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.from_numpy(gradients[0].numpy() * (1 - np.tanh(x.numpy()) ** 2))


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.layer = kind(1, 4, batch_first=True)
        self.head = nn.Linear(4, N_TARGETS)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.layer(x.mT)[0][:, -1])
        return out


def convolutional(*between: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(1, 3, 5, stride=2),
        nn.BatchNorm1d(3),
        nn.ReLU(inplace=True),
        *between,
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(18, N_TARGETS),
    )


NETWORKS = {
    "in place": lambda: convolutional(),
    "own backward": lambda: convolutional(Apply(InPyTorch.apply)),
    "own backward in NumPy": lambda: convolutional(Apply(InNumPy.apply)),
    "lstm": lambda: Recurrent(nn.LSTM),
    "gru": lambda: Recurrent(nn.GRU),
    "transformer": lambda: nn.Sequential(
        nn.Conv1d(1, 4, 4, stride=4),
        Apply(lambda x: x.mT),
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
        nn.Flatten(),
        nn.Linear(28, N_TARGETS),
    ),
}


def network(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return NETWORKS[name]().eval()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_points", [1, 2, 5])
def test_gradients_are_those_of_one_target_after_the_other(name: str, n_points: int) -> None:
    net = network(name).requires_grad_(False)
    x = torch.randn(n_points, 1, 29, generator=torch.Generator().manual_seed(n_points))
    expected = []
    for t in range(N_TARGETS):
        leaf = x.clone().requires_grad_()
        net(leaf.clone())[:, t].sum().backward()
        expected.append(leaf.grad)
    model = as_model(net)
    for _ in range(2):
        values, found = model.value_and_gradient(x, (), lambda raw: raw)
        torch.testing.assert_close(found, torch.stack(expected, 1), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(values, net(x))


def test_targets_go_together_in_blocks_of_as_many_rows() -> None:
    """The number of backward passes of 7 targets at 3 points, of at most 12 rows."""
    passes = []
    leaf = torch.randn(3, 4, requires_grad=True)
    hidden = leaf.tanh()
    hidden.register_hook(lambda gradient: passes.append(None))
    values = hidden @ torch.randn(4, N_TARGETS)
    jacobian = Jacobian([])
    jacobian(values, leaf, at_once=12, slope=slope_by_grad)
    # 4 and 3 together, and one by itself as a check.
    assert len(passes) == 3
    jacobian(values, leaf, at_once=12, slope=slope_by_grad)
    assert len(passes) == 5
    jacobian(values, leaf, at_once=1, slope=slope_by_grad)
    assert len(passes) == 5 + N_TARGETS


def test_what_batches_of_cotangents_confuse_is_noticed() -> None:
    """A backward that gives something else to a batch, without any error."""

    class Confused(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Tensor:
            batched = torch._C._functorch.is_batchedtensor(gradients[0])
            return gradients[0] * (3 if batched else 2)

    leaf = torch.randn(2, 4, requires_grad=True)
    weights = torch.randn(4, N_TARGETS)
    found = Jacobian([])(Confused.apply(leaf) @ weights, leaf, at_once=100, slope=slope_by_grad)
    torch.testing.assert_close(found, (2 * weights.T).expand(2, -1, -1))


def test_hooks_see_every_target_by_itself() -> None:
    net, seen = network("in place"), []
    net[3].register_full_backward_hook(lambda module, grads, outs: seen.append(float(outs[0].norm())))
    model = as_model(net.requires_grad_(False))
    model.value_and_gradient(torch.randn(3, 1, 29), (), lambda raw: raw)
    assert len(seen) == N_TARGETS


def test_memory_that_runs_out_is_no_reason_to_go_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise torch.OutOfMemoryError

    leaf = torch.randn(2, 4, requires_grad=True)
    values = leaf @ torch.randn(4, 3)
    monkeypatch.setattr(torch.autograd, "grad", full)
    with pytest.raises(torch.OutOfMemoryError):
        Jacobian([])(values, leaf, at_once=8, slope=slope_by_grad)


def test_every_class_in_blocks_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of classes, and of samples, whatever memory leaves."""
    net = network("in place").double()
    x = torch.randn(3, 1, 29, dtype=torch.float64).numpy()
    at_once = Explainer(net, n_steps=6, tol=100)(x, target="all")
    pieces = Explainer(net, n_steps=6, tol=100, memory=150_000)
    small = pieces(x, target="all")
    assert next(iter(pieces._kept.chunks.values())).memory.block < 8 * 29 * N_TARGETS * 31
    for name in ("rfft", "output", "completeness_gap", "n_evaluations"):
        np.testing.assert_allclose(small[name], at_once[name], rtol=1e-10, atol=1e-12)
    for t in range(N_TARGETS):
        alone = Explainer(net, n_steps=6, tol=100)(x, target=t)
        np.testing.assert_allclose(small.rfft[:, t], alone.rfft, rtol=1e-10, atol=1e-12)

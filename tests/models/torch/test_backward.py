"""The way back through PyTorch's graphs: whatever a model does in its own, and nothing stays behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import freqig
from freqig.models import as_model
from freqig.models.torch.backward import coarsest_dtype, held_bytes

from ...helpers import SmallCNN, close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 40


class Wrapped(nn.Module):
    """A small network, and how its outputs are made of it."""

    def __init__(self, how: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.net, self.how = seeded(SmallCNN), how

    def forward(self, x: Tensor) -> Tensor:
        return self.how(self.net, x)


def slope_inside(net: nn.Module, x: Tensor) -> Tensor:
    """Mean slopes of a network, by PyTorch's function transform."""
    slope = torch.func.grad(lambda points: net(points).square().sum())(x)
    return slope.unflatten(-1, (2, -1)).mean(-1)[:, 0]


def slope_by_hand(net: nn.Module, x: Tensor) -> Tensor:
    """The same slopes by autograd."""
    with torch.enable_grad():
        leaf = x if x.requires_grad else x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(net(leaf).square().sum(), leaf, create_graph=True)
    return slope.unflatten(-1, (2, -1)).mean(-1)[:, 0]


def test_a_gradient_inside_the_model() -> None:
    x = noise(3, 1, N)
    inside, by_hand = (
        freqig.Explainer(Wrapped(how), n_steps=8, tol=10.0)(x, target=1)
        for how in (slope_inside, slope_by_hand)
    )
    close(inside.rfft, by_hand.rfft, 1e-4)


@pytest.mark.filterwarnings(
    "ignore:None of the inputs have requires_grad=True"
)  # of PyTorch, without a graph
@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("target", [1, "all"])
def test_checkpoints(reentrant: bool, target: Any) -> None:
    def checkpointed(net: nn.Module, x: Tensor) -> Tensor:
        return checkpoint(net.head, net.layers(x).mean(-1), use_reentrant=reentrant)

    x = noise(3, 1, N)
    model = Wrapped(checkpointed)
    found = freqig.Explainer(model, n_steps=20)(x, target=target)
    close(found.rfft, freqig.Explainer(model.net, n_steps=20)(x, target=target).rfft, 1e-6)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("transformed", [False, True], ids=["hooks", "graph"])
def test_what_a_pass_holds(transformed: bool) -> None:
    """Of tanh its output, of a square its input: two maps of the points, once each."""
    points = torch.zeros(5, N, requires_grad=True)

    def forward() -> Tensor:
        if transformed:
            torch.func.grad(lambda v: v.sum())(torch.ones(3))
        return points.tanh().square().exp().sum(-1)

    assert held_bytes(forward, []) == 2 * points.nbytes


def test_weights_do_not_count() -> None:
    layer = nn.Linear(N, 3)
    points = torch.zeros(5, N, requires_grad=True)
    assert held_bytes(lambda: layer(points), layer.parameters()) == points.nbytes
    assert held_bytes(lambda: layer(points), []) == points.nbytes + layer.weight.nbytes


# --- nothing stays behind ------------------------------------------------------------------------


@contextmanager
def without_collector() -> Iterator[None]:
    """Cycles would be found by chance otherwise."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Watched(nn.Module):
    """Keeps an eye on every tensor that passes through it."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.seen = seeded(SmallCNN, activation=nn.Sigmoid), list[Any]()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.net.layers(x).exp()
        self.seen += [weakref.ref(tensor.untyped_storage()) for tensor in (x, hidden)]
        return self.net.head(hidden.mean(-1))


CALLS: dict[str, Callable[[nn.Module], Any]] = {
    "attribute": lambda net: freqig.attribute(noise(N), net, target=0),
    "fixed": lambda net: freqig.Explainer(net, n_steps=5, tol=10.0)(noise(3, 1, N), target=0),
    "adaptive": lambda net: freqig.Explainer(net)(noise(3, 1, N), target=0),
    "captum": lambda net: freqig.Explainer(net, engine="captum", n_steps=20)(noise(3, 1, N), target=0),
    "all": lambda net: freqig.Explainer(net)(noise(3, 1, N), target="all"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_no_tensor_outlives_its_call(call: Callable[[nn.Module], Any]) -> None:
    net = Watched()
    with without_collector():
        call(net)
        assert len(net.seen) > 4
        assert not any(reference() is not None for reference in net.seen)


def resident() -> float:
    """Memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="reads the memory of the process from Linux"
)
def test_memory_after_a_hundred_calls_of_as_many_lengths() -> None:
    """What one pass holds here, 0.6 MiB, would be 60 MiB if it stayed.

    No convolution, for PyTorch's library of those keeps its kernels for every new length.
    """

    def model(x: Tensor) -> Tensor:
        return (x * torch.linspace(1, 2, 10)[:, None]).sigmoid().exp().mean(-1)

    explainer = freqig.Explainer(model, n_steps=2, tol=100.0)
    x = noise(1, 1, 4000).astype(np.float32)

    with without_collector():
        for i in range(105):
            explainer(x[..., 7 * i :], target=0)
            if i == 4:
                before = resident()
        assert resident() - before <= 20


# --- rounding ------------------------------------------------------------------------------------


def autocast(net: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return net(x)


@pytest.mark.parametrize(
    ("how", "dtype"),
    [
        (lambda net, x: net(x), torch.float32),
        (autocast, torch.bfloat16),
        (lambda net, x: autocast(net, x).float(), torch.bfloat16),
        (lambda net, x: net(x).double(), torch.float32),
    ],
    ids=["plain", "autocast", "cast back", "widened"],
)
def test_the_coarsest_step_decides_on_rounding(how: Any, dtype: torch.dtype) -> None:
    model = as_model(Wrapped(how))
    assert model.rounding is None
    model.value_and_gradient(torch.tensor(noise(2, 1, N)).float(), (), lambda raw: raw[:, :1])
    assert model.rounding == dtype


def test_dtypes_that_are_not_floating_do_not_count() -> None:
    leaf = torch.ones(3, requires_grad=True)
    assert coarsest_dtype((leaf * (leaf > 0)).sum()) == torch.float32


@pytest.mark.filterwarnings("ignore::freqig.errors.ConvergenceWarning")
@pytest.mark.parametrize("batch_independent", [True, False])
def test_rounding_of_autocast_is_known_from_the_first_path_on(batch_independent: bool) -> None:
    explainer = freqig.Explainer(Wrapped(autocast), batch_independent=batch_independent)
    for _ in range(2):
        status = explainer(noise(2, 1, 64), target=0).status
        meanings = status.attrs["flag_meanings"].split()
        assert {meanings[code] for code in status.values} == {"rounding"}


@pytest.mark.filterwarnings("ignore::freqig.errors.ConvergenceWarning")
def test_rounding_follows_the_callers_autocast() -> None:
    explainer, x = freqig.Explainer(seeded(SmallCNN)), noise(2, 1, 64)
    before = explainer(x, target=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = explainer(x, target=0)
    after = explainer(x, target=0)
    assert before.converged.all()
    assert after.converged.all()
    assert not within.converged.any()

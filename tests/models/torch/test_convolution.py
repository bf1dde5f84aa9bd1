"""Convolutions of few channels: the gradient must be PyTorch's own, and nothing else may change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import freqig
from freqig.models.torch.convolution import LARGEST, quick_convolutions
from freqig.models.torch.model import TorchModel

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

sizes = st.integers(1, 5)


def _gradient(model: nn.Module, x: Tensor, quick: bool) -> tuple[Tensor, Tensor]:
    """Outputs, and the gradient of a scalar that weighs all of them differently."""
    leaf = x.detach().requires_grad_()
    if quick:
        with quick_convolutions(model, [model]):
            outputs = model(leaf)
    else:
        outputs = model(leaf)
    weights = torch.linspace(-1, 2, outputs.numel()).reshape(outputs.shape)
    (gradient,) = torch.autograd.grad((outputs * weights).sum(), leaf)
    return outputs.detach(), gradient


def _way(model: nn.Module, x: Tensor) -> str:
    """Name of the node of the graph that differentiates the output of `model`."""
    with quick_convolutions(model, [model]):
        node = model(x.detach().requires_grad_()).grad_fn
    return type(node).__name__


@settings(deadline=None)
@given(
    channels=st.tuples(st.sampled_from([1, 2, 3, 4, 8, 16, 22]), sizes),
    kernel=st.tuples(sizes, sizes),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 2),
    bias=st.booleans(),
    planes=st.booleans(),
    seed=st.integers(0, 100),
)
def test_gradients_are_those_of_pytorch_in_float64(
    channels: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: int,
    bias: bool,
    planes: bool,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    if planes:
        model: nn.Module = nn.Conv2d(*channels, kernel, stride, padding, dilation, bias=bias)
        x = torch.randn(3, channels[0], 10, 13)
    else:
        model = nn.Conv1d(*channels, kernel[0], stride[0], padding[0], dilation, bias=bias)
        x = torch.randn(3, channels[0], 23)
    model.requires_grad_(False)
    outputs, gradient = _gradient(model, x, quick=True)
    wide = copy.deepcopy(model).double()
    assert torch.equal(outputs, model(x))
    _, truth = _gradient(wide, x.double(), quick=False)
    torch.testing.assert_close(
        gradient.double(), truth, rtol=1e-5, atol=1e-5 * float(truth.abs().max() + 1e-30)
    )


@pytest.mark.parametrize("layer", [nn.Conv1d(1, 4, 3, 2), nn.Conv1d(8, 4, 3), nn.Conv2d(1, 4, (1, 3))])
def test_the_other_kernel_is_used(layer: nn.Module) -> None:
    x = torch.randn(2, layer.in_channels, *(9,) * (layer.weight.ndim - 2))
    assert "_Convolution" in _way(layer.requires_grad_(False), x)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(8, 4, 3, 2),
        nn.Conv1d(16, 4, 3),
        nn.Conv1d(100, 4, 3),
        nn.Conv1d(2, 4, 3, groups=2),
        nn.Conv1d(1, 4, 3, dilation=2),
        nn.Conv1d(1, 4, 3, padding="same"),
        nn.Conv1d(1, 4, 3).double(),
        nn.Conv3d(1, 4, 3),
    ],
    ids=str,
)
def test_others_are_left_as_they_are(layer: nn.Module) -> None:
    x = torch.randn(2, layer.in_channels, *(9,) * (layer.weight.ndim - 2), dtype=layer.weight.dtype)
    assert "_Convolution" not in _way(layer.requires_grad_(False), x)


def test_memory_is_bounded() -> None:
    n = LARGEST // (4 * 100)
    layer = nn.Conv1d(1, 2, 100, padding=50).requires_grad_(False)
    assert "_Convolution" in _way(layer, torch.randn(2, 1, n - 2))
    assert "_Convolution" not in _way(layer, torch.randn(2, 1, n + 1))


def test_weights_that_are_differentiated_keep_their_gradient() -> None:
    layer = nn.Conv1d(1, 2, 3)
    with quick_convolutions(layer, [layer]):
        layer(torch.randn(2, 1, 9).requires_grad_()).sum().backward()
    assert layer.weight.grad is not None


class _SlopeOf(nn.Module):
    """A model that differentiates a network itself, such as one of energies."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 4, 5), nn.Tanh(), nn.Conv1d(4, 2, 3), nn.Tanh(), nn.Flatten(), nn.LazyLinear(1)
        )
        self.net(torch.zeros(2, 1, 16))

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x if x.requires_grad else x.requires_grad_()
            (slope,) = torch.autograd.grad(self.net(x).sum(), x, create_graph=True)
        return slope[:, 0, ::8]


def test_it_can_be_differentiated_twice() -> None:
    torch.manual_seed(0)
    model = _SlopeOf().requires_grad_(False)
    x = torch.randn(3, 1, 16)
    _, found = _gradient(model, x, quick=True)
    _, truth = _gradient(copy.deepcopy(model).double(), x.double(), quick=False)
    torch.testing.assert_close(found.double(), truth, rtol=1e-4, atol=1e-6)


def test_a_model_may_map_over_its_batch() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(1, 3, 4), nn.Tanh(), nn.Flatten(), nn.Linear(39, 2)).requires_grad_(False)

    def mapped(x: Tensor) -> Tensor:
        return torch.vmap(lambda series: net(series.unsqueeze(0)).squeeze(0))(x)

    x = torch.randn(5, 1, 16)
    _, found = TorchModel(mapped).value_and_gradient(x, (), lambda outputs: outputs[:, :1])
    _, truth = TorchModel(net.double()).value_and_gradient(x.double(), (), lambda outputs: outputs[:, :1])
    torch.testing.assert_close(found.double(), truth, rtol=1e-4, atol=1e-6)


class _Counts(TorchFunctionMode):
    """Notes which functions are called, and gives convolutions twice their result."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        return 2 * found if func is torch.conv1d else found


class _Tripled(TorchDispatchMode):
    """Gives convolutions three times their result."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        return 3 * found if func is torch.ops.aten.convolution.default else found


class _Own(Tensor):
    """A subclass of tensors."""


def _own(x: Tensor) -> Tensor:
    return x.as_subclass(_Own)


SITUATIONS: dict[str, Callable[[nn.Module, Tensor], Tensor]] = {
    "autocast": lambda net, x: _inside(torch.autocast("cpu", dtype=torch.bfloat16), net, x).float(),
    "function mode": lambda net, x: _inside(_Counts(), net, x),
    "device mode": lambda net, x: _inside(torch.device("cpu"), net, x),
    "dispatch mode": lambda net, x: _inside(_Tripled(), net, x),
    "subclass": lambda net, x: net(_own(x)).as_subclass(Tensor),
    "subclass of weights": lambda net, x: functional.conv1d(x, _own(net.weight), _own(net.bias)).as_subclass(
        Tensor
    ),
    "grad": lambda net, x: torch.func.grad(lambda v: net(v).square().sum())(x),
    "vmap": lambda net, x: torch.vmap(lambda v: net(v[None])[0])(x),
    "jvp": lambda net, x: torch.func.jvp(lambda v: net(v).square(), (x,), (x,))[1],
    "dual": lambda net, x: _tangent(net, x),
    "hooks": lambda net, x: _inside(
        torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t), net, x
    ),
}


def _inside(context: Any, net: nn.Module, x: Tensor) -> Tensor:
    with context:
        return net(x)


def _tangent(net: nn.Module, x: Tensor) -> Tensor:
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(net(forward_ad.make_dual(x, x.detach() ** 2)).square()).tangent


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")  # PyTorch's own, by jvp
@pytest.mark.parametrize("outside", [False, True], ids=["in the model", "around it"])
@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS.keys())
def test_every_mode_of_pytorch_is_respected(situation: Any, outside: bool) -> None:
    """Values and gradients are those of the layer without the other kernel, whoever changes what it means."""
    torch.manual_seed(0)
    layer, x = nn.Conv1d(1, 4, 5).requires_grad_(False), torch.randn(3, 1, 16)
    results = []
    for context in (quick_convolutions(layer, [layer]), nullcontext()):
        leaf = x.clone().requires_grad_()
        if outside:
            values = situation(_Within(layer, context), leaf)
        else:
            with context:
                values = situation(layer, leaf)
        results.append((values.detach(), *torch.autograd.grad(values.square().sum(), leaf)))
    for found, truth in zip(*results, strict=True):
        torch.testing.assert_close(found, truth, rtol=1e-5, atol=1e-5)


class _Within(nn.Module):
    """A layer that is called in a context; its weights are its own."""

    def __init__(self, layer: nn.Module, context: Any) -> None:
        super().__init__()
        self.layer, self.context = layer, context
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: Tensor) -> Tensor:
        with self.context:
            return self.layer(x)


@pytest.mark.parametrize("around", [False, True], ids=["in the model", "around the call"])
def test_autocast_is_explained(around: bool) -> None:
    """To the rounding of bfloat16, like the network without it."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(1, 8, 7), nn.Tanh(), nn.Conv1d(8, 4, 5), nn.Flatten(), nn.Linear(4 * 54, 2))
    x = torch.randn(3, 1, 64)
    cast = torch.autocast("cpu", dtype=torch.bfloat16)
    with cast if around else nullcontext():
        model = net if around else lambda points: _inside(cast, net, points)
        found = freqig.Explainer(model, n_steps=10, tol=10.0)(x, target=0)
    truth = freqig.Explainer(net, n_steps=10, tol=10.0)(x, target=0)
    error = np.abs(found.rfft - truth.rfft).sum() / np.abs(truth.rfft).sum()
    assert 1e-5 < error < 0.05


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # Dynamo looks at it
def test_compiled_models_keep_their_own_kernels() -> None:
    net = nn.Sequential(nn.Conv1d(1, 4, 5), nn.GELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2))
    compiled = torch.compile(copy.deepcopy(net), backend="eager")
    x = torch.randn(2, 1, 32)
    layer = nn.Conv1d(1, 4, 5).requires_grad_(False)
    assert "_Convolution" in _way(nn.Sequential(layer), x)
    assert "_Convolution" not in _way(nn.Sequential(torch.compile(layer, backend="eager")), x)
    results = [freqig.Explainer(model, n_steps=6)(x, target=0).rfft for model in (net.eval(), compiled)]
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-6)


def test_explanations_are_those_of_the_other_engine() -> None:
    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Conv1d(1, 8, 7, 3, padding=3),
        nn.GELU(),
        nn.Conv1d(8, 4, 5),
        nn.GELU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
    )
    x = torch.randn(3, 1, 64)
    ours, captum = (
        freqig.Explainer(net, engine=engine, n_steps=20)(x, target=1).rfft for engine in ("path", "captum")
    )
    np.testing.assert_allclose(ours, captum, rtol=1e-4, atol=1e-6)

"""A faster way back through convolutions of few channels on a CPU.

oneDNN, which PyTorch uses on a CPU, works on blocks of channels. The first layer of most networks of time
series reads one channel, or a few: there its gradient of the input takes ten times as long as its output,
and took a third of all the time of a sleep network. PyTorch has another kernel, which multiplies matrices
and adds up what overlaps. It gives the same gradient up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .modules import submodules

FEW = 3
"""Channels up to which the other kernel is faster whatever the stride, two to ten times."""

BLOCK, MOST = 16, 64
"""Of a number of channels that is no multiple of the first, nor larger than the second, it is faster, up to
three times, if the stride is 1; of a strided one oneDNN skips what the other kernel computes."""

LARGEST = 16 * 2**20
"""Bytes that the matrix of one point may take."""

PLAIN = (Tensor, nn.Parameter)
"""Classes of tensors that mean what they say; subclasses bring rules of their own."""

_kernel: Any = getattr(torch.ops.aten, "_slow_conv2d_backward", None)


def quick_convolutions(model: object, modules: Iterable[nn.Module]) -> AbstractContextManager[Any]:
    """Context in which the model is to be called for a gradient.

    Parameters
    ----------
    model : callable
        The model.
    modules : iterable of torch.nn.Module
        The modules in it.

    Returns
    -------
    context manager
        May be entered again and again; does nothing where nothing looks like the weights of such a
        convolution, or the model is compiled and so brings kernels of its own.
    """
    every = [sub for module in modules for sub in submodules(module)]
    if _kernel is None or is_compiled(model) or any(map(is_compiled, every)):
        return nullcontext()
    tensors = (t for sub in every for own in (sub._parameters, sub._buffers) for t in own.values())
    return _Quick() if any(t is not None and _fits(t) for t in tensors) else nullcontext()


def is_compiled(model: object) -> bool:
    """Whether `torch.compile` has made this module or function."""
    names = ("_torchdynamo_orig_callable", "_orig_mod", "_compiled_call_impl")
    if isinstance(model, nn.Module):
        # Not by `getattr`: of a module, an attribute that is missing takes as long as a layer.
        own = vars(model)
        return "_orig_mod" in model._modules or any(own.get(name) is not None for name in names)
    return any(getattr(model, name, None) is not None for name in names)


def _fits(weight: Tensor) -> bool:
    """Whether these can be weights of a convolution over one axis or two that has a quick way back."""
    on_cpu = weight.device.type == "cpu" and weight.dtype == torch.float32
    return on_cpu and weight.ndim in (3, 4) and _is_quick(weight.shape[1], strided=False)


def _is_quick(n_channels: int, strided: bool) -> bool:
    return n_channels <= FEW or (not strided and n_channels <= MOST and n_channels % BLOCK != 0)


class _Quick(TorchFunctionMode):
    """Gives calls of `torch.conv1d` and `torch.conv2d`, by whatever layer, the other way back."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if (func is torch.conv1d or func is torch.conv2d) and _is_plain_eager():
            found = _read(*args, **kwargs)
            if found is not None:
                convolve: Callable[..., Tensor] = _Convolution.apply
                return convolve(*found)
        return func(*args, **kwargs)


def _is_plain_eager() -> bool:
    """Whether nothing else changes what a call of PyTorch means: no other mode, transform or compiler.

    All of them look at the operators that a convolution is made of, and may cast, count or replace them.
    The substitute would hide those: under autocast its way back would meet two dtypes.
    """
    return not (
        torch._C._is_any_autocast_enabled()
        or torch._C._len_torch_function_stack()
        or torch._C._len_torch_dispatch_stack()
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch.autograd.forward_ad._current_level >= 0
        or torch._C._get_tracing_state() is not None
        or torch.compiler.is_compiling()
    )


def _read(
    input: Tensor,  # noqa: A002 (PyTorch's name)
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> tuple[Any, ...] | None:
    """Arguments of `_Convolution`, or None for a convolution that is left as it is."""
    if (
        type(input) is not Tensor
        or type(weight) not in PLAIN
        or type(bias) not in (*PLAIN, type(None))
        or isinstance(padding, str)
        or groups != 1
        or not input.requires_grad
        or not torch.is_grad_enabled()
    ):
        return None
    if not _fits(weight) or input.ndim != weight.ndim or input.dtype != weight.dtype:
        return None
    if weight.requires_grad or (bias is not None and bias.requires_grad):
        return None
    axes = weight.ndim - 2
    stride, padding, dilation = (_each(value, axes) for value in (stride, padding, dilation))
    if max(dilation) > 1 or not _is_quick(weight.shape[1], strided=max(stride) > 1):
        return None
    steps = [
        (n + 2 * p - k) // s + 1
        for n, p, k, s in zip(input.shape[2:], padding, weight.shape[2:], stride, strict=True)
    ]
    if weight[0].numel() * math.prod(steps) * weight.element_size() > LARGEST:
        return None
    return input, weight, bias, stride, padding


def _each(value: Any, axes: int) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * axes if len(values) == 1 else values


class _Convolution(torch.autograd.Function):
    """A convolution whose input is differentiated by the other kernel."""

    # In one part, for PyTorch binds the arguments of one in two parts anew by its signature in each call.
    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,  # noqa: A002
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
    ) -> Tensor:
        ctx.stride, ctx.padding = stride, padding
        ctx.save_for_backward(input, weight)
        convolve = torch.conv1d if weight.ndim == 3 else torch.conv2d
        return convolve(input, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        tensors, stride, padding = (gradients[0], *ctx.saved_tensors), ctx.stride, ctx.padding
        flat = tensors[0].ndim == 3
        if flat:
            # The kernel knows planes only; a series is one of height 1.
            tensors = tuple(tensor.unsqueeze(2) for tensor in tensors)
            stride, padding = (1, *stride), (0, *padding)
        kernel_size = tensors[2].shape[2:]
        found = _kernel.output_mask(*tensors, kernel_size, stride, padding, (True, False, False))[0]
        return (found.squeeze(2) if flat else found), None, None, None, None

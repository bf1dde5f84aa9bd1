"""Finds the torch modules inside a callable and keeps them undisturbed while they are used."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MAX_DEPTH = 4


def find_modules(model: object) -> list[nn.Module]:
    """Outermost modules reachable from a callable.

    Looks into closures, defaults, referenced globals, bound methods, partials, attributes of
    callable objects, and lists, tuples and dicts of these.

    Parameters
    ----------
    model : object
        An `nn.Module` or any callable.

    Returns
    -------
    list of torch.nn.Module
        In order of discovery, without repetitions.

    Examples
    --------
    >>> net = nn.Linear(3, 2)
    >>> find_modules(lambda x: net(x).exp()) == [net]
    True
    """
    found: list[nn.Module] = []
    seen: set[int] = set()

    def visit(value: object, depth: int) -> None:
        if id(value) in seen or depth > MAX_DEPTH:
            return
        seen.add(id(value))
        if isinstance(value, nn.Module):
            found.append(value)
            return
        for part in _parts(value):
            visit(part, depth + 1)

    visit(model, 0)
    return found


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, MethodType):
        yield from (value.__self__, value.__func__)
    elif isinstance(value, FunctionType):
        yield from _closure(value)
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        # A lambda written at module level reaches its network through a global name.
        for name in value.__code__.co_names:
            candidate = value.__globals__.get(name)
            if isinstance(candidate, (nn.Module, FunctionType, functools.partial)):
                yield candidate
    elif isinstance(value, (list, tuple)):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()
    elif callable(value) and hasattr(value, "__dict__") and not isinstance(value, type):
        yield from vars(value).values()


def _closure(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that is not bound yet
            continue


def first_floating_parameter(modules: list[nn.Module]) -> Tensor | None:
    """First floating parameter of the modules, else first floating buffer, else None."""
    for tensors in (nn.Module.parameters, nn.Module.buffers):
        for module in modules:
            for tensor in tensors(module):
                if tensor.is_floating_point():
                    return tensor
    return None


@contextmanager
def undisturbed(modules: list[nn.Module], device: torch.device) -> Iterator[None]:
    """Run modules in eval without weight gradients, then put everything back.

    Restored: the mode of every submodule, `requires_grad` of every parameter, buffers (values
    and identity), and the random state of torch, NumPy and Python. Gradients and hooks are
    never touched. Works inside `torch.no_grad` and `torch.inference_mode`.
    """
    submodules = list(dict.fromkeys(sub for module in modules for sub in module.modules()))
    modes = [(sub, sub.training) for sub in submodules]
    flags = [
        (parameter, parameter.requires_grad)
        for sub in submodules
        for parameter in sub._parameters.values()
        if parameter is not None and not parameter.is_inference()
    ]
    with torch.inference_mode(False):
        buffers = [
            (sub, name, buffer, None if buffer is None else buffer.detach().clone())
            for sub in submodules
            for name, buffer in sub._buffers.items()
        ]
    stand_ins = _replace_inference_tensors(submodules)
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    devices = [device] if device.type == "cuda" else []
    # cuDNN has no backward pass for recurrent layers in eval; PyTorch's own kernels have.
    recurrent = device.type == "cuda" and any(isinstance(sub, nn.RNNBase) for sub in submodules)
    cudnn = torch.backends.cudnn
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.random.fork_rng(devices),
            cudnn.flags(enabled=bool(cudnn.enabled) and not recurrent),
        ):
            for module in modules:
                module.eval()
            for parameter, _ in flags:
                parameter.requires_grad_(False)
            yield
    finally:
        for container, name, tensor in stand_ins:
            container[name] = tensor
        for sub, mode in modes:
            sub.training = mode
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
        for sub, name, buffer, values in buffers:
            sub._buffers[name] = buffer
            if buffer is not None and values is not None and not _same(buffer, values):
                buffer.copy_(values)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


def _same(a: Tensor, b: Tensor) -> bool:
    return torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)) and torch.equal(a.isnan(), b.isnan())


def _replace_inference_tensors(submodules: list[nn.Module]) -> list[tuple[dict[str, Any], str, Any]]:
    """Swap tensors made under inference_mode, which autograd refuses, for clones."""
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    clone: Callable[[Tensor], Tensor]
    with torch.inference_mode(False):
        for sub in submodules:
            containers: tuple[dict[str, Any], ...] = (sub._parameters, sub._buffers)
            for container in containers:
                for name, tensor in list(container.items()):
                    if tensor is None or not tensor.is_inference():
                        continue
                    is_parameter = isinstance(tensor, nn.Parameter)
                    copy = tensor.clone()
                    container[name] = nn.Parameter(copy, requires_grad=False) if is_parameter else copy
                    replaced.append((container, name, tensor))
    return replaced

"""Finds the torch modules inside a callable and keeps them undisturbed while they are used."""

from __future__ import annotations

import dis
import functools
import random
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MAX_DEPTH = 4

# Neither modules nor anything that could hold one; long lists of these are common.
PLAIN = (bool, int, float, complex, str, bytes, type(None), type, ModuleType, Tensor, np.ndarray)

# What every module has; attributes that a model adds may hold modules that it does not register.
OF_ANY_MODULE = frozenset(vars(nn.Module()))


def find_modules(model: object) -> list[nn.Module]:
    """Outermost modules reachable from a callable.

    Looks into closures, defaults, referenced globals, bound methods, partials, attributes of
    objects, and lists, tuples and dicts of these; in modules into lists and dicts that they hold
    beside their registered submodules.

    Parameters
    ----------
    model : object
        An `nn.Module` or any callable.

    Returns
    -------
    list of torch.nn.Module
        The nearest first, without repetitions.

    Examples
    --------
    >>> net = nn.Linear(3, 2)
    >>> find_modules(lambda x: net(x).exp()) == [net]
    True
    """
    found: list[nn.Module] = []
    seen = {id(model)}
    waiting = deque([(model, 0)])
    while waiting:
        value, depth = waiting.popleft()
        if isinstance(value, nn.Module):
            found.append(value)
            seen.update(map(id, value.modules()))
        if depth < MAX_DEPTH:
            parts = [part for part in parts_of(value) if not isinstance(part, PLAIN)]
            for part in parts:
                if id(part) not in seen:
                    seen.add(id(part))
                    waiting.append((part, depth + 1))
    return found


def parts_of(value: object) -> Iterator[object]:
    """What a callable, container or object refers to, one step deep."""
    if isinstance(value, nn.Module):
        for module in value.modules():
            added = [part for name, part in vars(module).items() if name not in OF_ANY_MODULE]
            yield from (part for part in added if isinstance(part, (list, tuple, dict)))
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, MethodType):
        yield from (value.__self__, value.__func__)
    elif isinstance(value, FunctionType):
        yield from _closure(value)
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        # A lambda written at module level reaches its network through a global name.
        yield from (value.__globals__.get(name) for name in _names(value.__code__))
    elif isinstance(value, (list, tuple)):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()
    elif hasattr(value, "__dict__"):
        yield from vars(value).values()
        yield vars(type(value)).get("__call__")


def _names(code: CodeType) -> Iterator[str]:
    """Names of globals in a function and in those defined inside it."""
    # Not co_names, where the attribute in `wrapper.model` would pass for a global `model`.
    yield from (step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


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

    Restored: of every submodule its mode, attributes, parameters and buffers, those with their
    values and `requires_grad`; and the random state of torch, NumPy and Python. Gradients and
    hooks are never touched. Works inside `torch.no_grad` and `torch.inference_mode`. Needs the
    memory of the parameters and buffers once more, for models that change them when called.

    Raises
    ------
    ValueError
        If a lazy module has not met its first batch.
    """
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    submodules = list(dict.fromkeys(sub for module in modules for sub in module.modules()))
    _check_initialized(submodules)
    modes = [(sub, sub.training) for sub in submodules if hasattr(sub, "training")]
    containers = [(container, dict(container)) for sub in submodules for container in _containers(sub)]
    with torch.inference_mode(False):
        tensors = [_Kept.of(tensor) for tensor in _tensors(submodules)]
    stand_ins: list[tuple[dict[str, Any], str, Tensor]] = []
    devices = [device] if device.type == "cuda" else []
    # cuDNN has no backward pass for recurrent layers in eval; PyTorch's own kernels have.
    recurrent = device.type == "cuda" and any(isinstance(sub, nn.RNNBase) for sub in submodules)
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.random.fork_rng(devices),
            without_cudnn() if recurrent else nullcontext(),
        ):
            _replace_inference_tensors(submodules, stand_ins)
            for module in modules:
                module.eval()
            for kept in tensors:
                kept.freeze()
            yield
    finally:
        for stand_in_container, name, tensor in stand_ins:
            stand_in_container[name] = tensor
        for container, content in containers:
            if list(container) != list(content):
                container.clear()
            container.update(content)
        for sub, mode in modes:
            sub.training = mode
        with torch.inference_mode(False):
            for kept in tensors:
                kept.restore()
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


@dataclass(frozen=True)
class _Kept:
    """A parameter or buffer as it was: the tensor, its memory, and a copy of its values."""

    tensor: Tensor
    requires_grad: bool
    memory: Tensor | None
    values: Tensor | None

    @classmethod
    def of(cls, tensor: Tensor) -> _Kept:
        plain = tensor.layout is torch.strided and not tensor.is_meta and type(tensor.data) is Tensor
        memory = tensor.data if plain else None
        return cls(tensor, tensor.requires_grad, memory, None if memory is None else memory.clone())

    def freeze(self) -> None:
        if self.requires_grad and self.tensor.is_leaf:
            self.tensor.requires_grad_(False)

    def restore(self) -> None:
        if self.tensor.is_leaf:
            self.tensor.requires_grad_(self.requires_grad)
        if self.memory is None or self.values is None:
            return
        # Some layers bound their weights in forward, by `weight.data = renorm(weight.data, …)`.
        if self.tensor.data_ptr() != self.memory.data_ptr() or self.tensor.shape != self.memory.shape:
            self.tensor.data = self.memory
        # Written through the detached alias, values leave the version that autograd counts alone:
        # a graph that the caller holds can still be differentiated.
        if not torch.equal(self.memory, self.values):
            self.memory.copy_(self.values)


def _containers(module: nn.Module) -> list[dict[str, Any]]:
    every: tuple[Any, ...] = (vars(module), module._parameters, module._buffers, module._modules)
    # Those of scripted modules are views of something else.
    return [container for container in every if isinstance(container, dict)]


def _tensors(submodules: list[nn.Module]) -> list[Tensor]:
    """Parameters and buffers, each once, without those made under inference_mode."""
    every = [t for sub in submodules for t in _own_tensors(sub) if not t.is_inference()]
    return list({id(tensor): tensor for tensor in every}.values())


def _own_tensors(module: nn.Module) -> list[Tensor]:
    values = (*module._parameters.values(), *module._buffers.values())
    return [tensor for tensor in values if tensor is not None]


def _check_initialized(submodules: list[nn.Module]) -> None:
    for sub in submodules:
        if any(nn.parameter.is_lazy(tensor) for tensor in _own_tensors(sub)):
            raise ValueError(
                f"model must be initialized, but its {type(sub).__name__} waits for a first batch to "
                "take its shape from: call the model once, then explain it"
            )


@contextmanager
def without_cudnn() -> Iterator[None]:
    """Switch cuDNN off, and none of the caller's settings of it, as `cudnn.flags` would."""
    cudnn = torch.backends.cudnn
    enabled = bool(cudnn.enabled)
    cudnn.enabled = False
    try:
        yield
    finally:
        cudnn.enabled = enabled


def _replace_inference_tensors(
    submodules: list[nn.Module], replaced: list[tuple[dict[str, Any], str, Tensor]]
) -> None:
    """Swap tensors made under inference_mode, which autograd refuses, for clones."""
    for sub in submodules:
        containers: tuple[dict[str, Any], ...] = (sub._parameters, sub._buffers, vars(sub))
        for container in containers:
            for name, tensor in list(container.items()):
                if not isinstance(tensor, Tensor) or not tensor.is_inference():
                    continue
                copy = tensor.clone()
                is_parameter = isinstance(tensor, nn.Parameter)
                container[name] = nn.Parameter(copy, requires_grad=False) if is_parameter else copy
                replaced.append((container, name, tensor))

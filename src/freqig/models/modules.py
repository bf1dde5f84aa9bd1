"""Finds the torch modules inside a callable and keeps them undisturbed while they are used."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MAX_DEPTH = 4

# Attributes that every module has; those that a model adds may hold further modules.
_OWN = frozenset(vars(nn.Module()))


def find_modules(model: object) -> list[nn.Module]:
    """Outermost modules reachable from a callable.

    Looks into closures, defaults, referenced globals, bound methods, partials, attributes of
    objects, lists, tuples and dicts of these, and lists and dicts that modules hold beside
    their registered submodules.

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
            seen.update(map(id, value.modules()))
        for part in _parts(value):
            visit(part, depth + 1)

    visit(model, 0)
    return found


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, nn.Module):
        for module in value.modules():
            added = (attribute for name, attribute in vars(module).items() if name not in _OWN)
            yield from (attribute for attribute in added if isinstance(attribute, (list, tuple, dict)))
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, MethodType):
        yield from (value.__self__, value.__func__)
    elif isinstance(value, FunctionType):
        yield from _closure(value)
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        # A lambda written at module level reaches its network through a global name.
        yield from (value.__globals__[name] for name in _names(value.__code__) if name in value.__globals__)
    elif isinstance(value, (list, tuple, set)):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()
    elif hasattr(value, "__dict__") and not isinstance(value, (type, ModuleType, Tensor)):
        yield from vars(value).values()
        yield getattr(type(value), "__call__", None)


def _closure(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that is not bound yet
            continue


def _names(code: CodeType) -> Iterator[str]:
    """Global and attribute names in a function, and in the functions and comprehensions in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


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
    submodules = list(dict.fromkeys(sub for module in modules for sub in module.modules()))
    _check_initialized(submodules)
    modes = [(sub, sub.training) for sub in submodules if hasattr(sub, "training")]
    containers = [
        (container, dict(container))
        for sub in submodules
        for container in (vars(sub), sub._parameters, sub._buffers, sub._modules)
        if isinstance(container, dict)  # those of scripted modules are views of something else
    ]
    with torch.inference_mode(False):
        tensors = [_Kept.of(tensor) for tensor in _tensors(submodules)]
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    stand_ins: list[tuple[dict[str, Any], str, Tensor]] = []
    devices = [device] if device.type == "cuda" else []
    # cuDNN has no backward pass for recurrent layers in eval; PyTorch's own kernels have.
    recurrent = device.type == "cuda" and any(isinstance(sub, nn.RNNBase) for sub in submodules)
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.random.fork_rng(devices),
            _without_cudnn() if recurrent else nullcontext(),
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


def _tensors(submodules: list[nn.Module]) -> list[Tensor]:
    """Parameters and buffers, each once, without those made under inference_mode."""
    every = (t for sub in submodules for t in (*sub._parameters.values(), *sub._buffers.values()))
    return list({id(t): t for t in every if t is not None and not t.is_inference()}.values())


def _check_initialized(submodules: list[nn.Module]) -> None:
    for sub in submodules:
        if any(map(nn.parameter.is_lazy, (*sub._parameters.values(), *sub._buffers.values()))):
            raise ValueError(
                f"model must be initialized, but its {type(sub).__name__} waits for a first batch to "
                "take its shape from: call the model once, then explain it"
            )


@contextmanager
def _without_cudnn() -> Iterator[None]:
    # Not cudnn.flags(), which also sets the caller's benchmark, deterministic and TF32 settings.
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

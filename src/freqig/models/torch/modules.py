"""Finds the torch modules inside a callable."""

from __future__ import annotations

import dis
import functools
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np
from torch import Tensor, nn

MAX_DEPTH = 8

# Objects that are looked into. A module behind more than these is noticed when it runs.
MOST_OBJECTS = 5000

# Neither modules nor anything that could hold one; long lists of these are common.
PLAIN = (bool, int, float, complex, str, bytes, type(None), type, ModuleType, Tensor, np.ndarray)

CONTAINERS = (dict, list, tuple, set, frozenset, deque)
CALLABLES = (FunctionType, MethodType, functools.partial)
HOLDERS = (*CONTAINERS, *CALLABLES)

# What every module has; attributes that a model adds may hold modules that it does not register.
OF_ANY_MODULE = frozenset(vars(nn.Module()))

NAMED, ALL = nn.Module.named_modules, nn.Module.modules
"""The ways through a tree of modules, where its classes have none of their own."""


def find_modules(model: object) -> list[nn.Module]:
    """Outermost modules reachable from a callable.

    Looks into closures, defaults, referenced globals, bound methods, partials, attributes and slots of
    objects, weak references, and containers of these; in modules into containers and callables that they
    hold beside their registered submodules.

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
            seen.update(map(id, submodules(value)))
        if depth < MAX_DEPTH and len(seen) < MOST_OBJECTS:
            parts = [part for part in parts_of(value) if not isinstance(part, PLAIN)]
            for part in parts:
                if id(part) not in seen:
                    seen.add(id(part))
                    waiting.append((part, depth + 1))
    return found


def parts_of(value: object) -> Iterator[object]:
    """What a callable, container or object refers to, one step deep."""
    if isinstance(value, nn.Module):
        for module in submodules(value):
            added = [part for name, part in vars(module).items() if name not in OF_ANY_MODULE]
            yield from (part for part in added if isinstance(part, HOLDERS))
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
    elif isinstance(value, dict):
        yield from value.values()
        yield from value
    elif isinstance(value, CONTAINERS):
        yield from value
    elif isinstance(value, weakref.ref):
        yield value()
    else:
        yield from getattr(value, "__dict__", {}).values()
        yield from (part for _, part in slots_of(value))
        yield vars(type(value)).get("__call__")


def submodules(module: nn.Module) -> list[nn.Module]:
    """What `module.modules()` gives, in the same order, without the names that it makes on the way.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.ReLU()))
    >>> submodules(net) == list(net.modules())
    True
    """
    found, waiting = dict[int, nn.Module](), [module]
    while waiting:
        one = waiting.pop()
        # Not `type`, which of a weak proxy is another.
        kind = one.__class__
        if kind.named_modules is not NAMED or kind.modules is not ALL:
            # A class with an order of its own.
            return list(module.modules())
        if not found:
            # The module itself, where that is a proxy, or where a twin answers for it.
            one = next(one.modules())
        if id(one) not in found:
            found[id(one)] = one
            waiting += [child for _, child in reversed(list(one._modules.items())) if child is not None]
    return list(found.values())


def holds(modules: Iterable[nn.Module], kind: type[nn.Module]) -> bool:
    """Whether there is a module of this kind in them."""
    return any(isinstance(sub, kind) for module in modules for sub in submodules(module))


def slots_of(value: object) -> Iterator[tuple[str, object]]:
    """Names and contents of the `__slots__` of an object."""
    for base in type(value).__mro__:
        names = vars(base).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else tuple(names):
            private = name.startswith("__") and not name.endswith("__")
            own = f"_{base.__name__.lstrip('_')}{name}" if private else name
            if own not in ("__dict__", "__weakref__") and hasattr(value, own):
                yield own, getattr(value, own)


@functools.lru_cache(maxsize=4096)
def _names(code: CodeType) -> tuple[str, ...]:
    """Names of globals in a function and in those defined inside it."""
    # Not co_names, where the attribute in `wrapper.model` would pass for a global `model`.
    own = (step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL")
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    # Code never changes; reading it takes longer than a small network.
    return tuple(dict.fromkeys(chain(own, *inner)))


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


def check_initialized(modules: Iterable[nn.Module]) -> None:
    """Refuse lazy modules.

    Raises
    ------
    ValueError
        If one has not met its first batch.
    """
    for sub in (sub for module in modules for sub in submodules(module)):
        own = (*sub._parameters.values(), *sub._buffers.values())
        if any(tensor is not None and nn.parameter.is_lazy(tensor) for tensor in own):
            raise ValueError(
                f"model must be initialized, but its {type(sub).__name__} waits for a first batch to "
                "take its shape from: call the model once, then explain it"
            )

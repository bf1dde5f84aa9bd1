"""Twins of modules: the same computation with tensors of their own, so that the caller's modules stay as is.

A twin is a new object of the same class whose attributes are the original's, with modules replaced by their
twins and tensors by copies. Weights that are tied stay tied, hooks are kept, and references between modules
are carried over, also those in lists, bound methods, partials and closures. Tensors are copied and not
shared, for some layers write to their weights or buffers in their forward pass, and another thread may train.
"""

from __future__ import annotations

import copy
import functools
import random
import weakref
from collections import deque
from types import CellType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .convolution import is_compiled
from .modules import OF_ANY_MODULE, PLAIN, slots_of

SCALARS = frozenset({bool, int, float, str, type(None)})
"""What most attributes of modules are."""

GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)


def can_be_copied(module: nn.Module) -> bool:
    """Whether a module is what its attributes say.

    One of Keras is not, whose layers are reached by other ways too.
    """
    return not any(base.__module__.startswith("keras.") for base in type(module).__mro__)


def original_of(module: nn.Module) -> nn.Module | None:
    """What `torch.compile` has wrapped in a module of its own."""
    # By its name, since to import the class takes seconds.
    return module._modules.get("_orig_mod") if type(module).__name__ == "OptimizedModule" else None


class Twins:
    """Exchanges modules for twins, in whatever refers to them.

    Examples
    --------
    >>> net = nn.Linear(3, 2)
    >>> twin = Twins().of([net])[0]
    >>> twin is net, type(twin) is type(net), torch.equal(twin.weight, net.weight)
    (False, True, True)
    """

    def __init__(self) -> None:
        self.made: set[int] = set()
        """Identities of the twins."""
        self._known: dict[int, Any] = {}
        # Identities hold only as long as the originals live.
        self._originals: list[Any] = []

    def of(self, value: Any) -> Any:
        """The same value with twins in place of modules; the value itself where it refers to none.

        Parameters
        ----------
        value : object
            Module, callable, container or anything else. Other objects, and functions that find their
            module by a global name, are left as they are, and so is a module that cannot be copied.
            Of what was compiled, the twin is that of the original.
        """
        if type(value) in SCALARS:
            return value
        if id(value) in self._known:
            return self._known[id(value)]
        if isinstance(value, PLAIN):
            return value
        if isinstance(value, nn.Module):
            return self._module(value) if can_be_copied(value) else value
        for kinds, exchange in _EXCHANGES:
            if isinstance(value, kinds):
                # What refers to itself meets itself as it is.
                self._know(value, value)
                return self._know(value, exchange(self, value))
        return value

    def _know(self, value: Any, twin: Any) -> Any:
        self._known[id(value)] = twin
        self._originals.append(value)
        return twin

    def _module(self, module: nn.Module) -> nn.Module:
        # All of the tree first: attributes of one module refer to parameters and hooks of another.
        tree = [sub for sub in module.modules() if can_be_copied(sub) and id(sub) not in self._known]
        blank = []
        # Once for all tensors: for a small network these contexts take as long as the copies.
        with torch.inference_mode(False), torch.no_grad():
            for sub in tree:
                if isinstance(sub, torch.jit.ScriptModule):
                    self._scripted(sub)
                elif original_of(sub) is None:
                    self._blank(sub)
                    blank.append(sub)
        for sub in reversed(tree):
            original = original_of(sub)
            if original is not None:
                # Compiled code belongs to the object that it was made of. The twin runs without.
                self._know(sub, self._known.get(id(original), original))
        for sub in blank:
            self._fill(sub)
        # A weak proxy passes for the module that it stands for.
        root = next(module.modules())
        twin: nn.Module = self._known.get(id(root), root)
        return twin

    def _scripted(self, module: nn.Module) -> None:
        """A copy of a module whose state is in C++; where there is none it stays as it is."""
        if id(module) in self._known:  # with the one that it is a part of
            return
        try:
            twin = copy.deepcopy(module)
        except Exception:  # noqa: BLE001 - whatever is bound to its class may refuse
            return
        for old, new in zip(module.modules(), twin.modules(), strict=True):
            self._know(old, new)
            self.made.add(id(new))
            for name, hooks in vars(old).items():
                if name in OF_ANY_MODULE and "hooks" in name and hooks:
                    vars(new)[name] = copy.copy(hooks)

    def _blank(self, module: nn.Module) -> None:
        twin = self._know(module, object.__new__(module.__class__))
        self.made.add(id(twin))
        for own in (module._parameters, module._buffers, vars(module)):
            for value in own.values():
                if isinstance(value, Tensor) and id(value) not in self._known:
                    self._know(value, _copy_of_tensor(value))
        for name, value in vars(module).items():
            if type(value) in SCALARS:
                continue
            if name in OF_ANY_MODULE and isinstance(value, (dict, set)):
                self._know(value, value.copy())
            elif isinstance(value, GENERATORS):
                self._know(value, copy_of_generator(value))

    def _fill(self, module: nn.Module) -> None:
        twin = self._known[id(module)]
        content = vars(twin)
        for name, value in vars(module).items():
            content[name] = new = value if type(value) in SCALARS else self.of(value)
            if name == "_compiled_call_impl":
                content[name] = None
            elif name in OF_ANY_MODULE and isinstance(new, dict):
                for key, entry in list(new.items()):
                    new[key] = self.of(entry)
        for name, value in slots_of(module):
            object.__setattr__(twin, name, self.of(value))

    def _items(self, value: Any) -> Any:
        items = [self.of(item) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        items = [(self.of(key), self.of(entry)) for key, entry in value.items()]
        if all(k is a and v is b for (k, v), (a, b) in zip(items, value.items(), strict=True)):
            return value
        twin = copy.copy(value)
        twin.clear()
        twin.update(items)
        return twin

    def _method(self, value: MethodType) -> MethodType:
        owner = self.of(value.__self__)
        return value if owner is value.__self__ else MethodType(value.__func__, owner)

    def _partial(self, value: functools.partial[Any]) -> functools.partial[Any]:
        parts = self.of(value.func), self.of(value.args), self.of(value.keywords)
        if parts[0] is value.func and parts[1] is value.args and parts[2] is value.keywords:
            return value
        twin = type(value)(parts[0], *parts[1], **parts[2])
        vars(twin).update(vars(value))
        return twin

    def _function(self, value: FunctionType) -> Any:
        if is_compiled(value):
            return self.of(vars(value)["_torchdynamo_orig_callable"])
        cells = tuple(self.of(cell) for cell in value.__closure__ or ())
        defaults, named = self.of(value.__defaults__), self.of(value.__kwdefaults__)
        same = all(new is old for new, old in zip(cells, value.__closure__ or (), strict=True))
        if same and defaults is value.__defaults__ and named is value.__kwdefaults__:
            return value
        twin = FunctionType(
            value.__code__, value.__globals__, value.__name__, defaults, cells if value.__closure__ else None
        )
        twin.__kwdefaults__ = named
        vars(twin).update(vars(value))
        return twin

    def _cell(self, cell: CellType) -> CellType:
        try:
            content = cell.cell_contents
        except ValueError:  # a name that is not bound yet
            return cell
        new = self.of(content)
        return cell if new is content else CellType(new)

    def _reference(self, value: weakref.ref[Any]) -> weakref.ref[Any]:
        target = value()
        twin = self._known.get(id(target), target)
        return value if twin is target else weakref.ref(twin)

    def _handle(self, value: RemovableHandle) -> RemovableHandle:
        twin = object.__new__(RemovableHandle)
        vars(twin).update({name: self.of(entry) for name, entry in vars(value).items()})
        return twin


_EXCHANGES: tuple[tuple[Any, Any], ...] = (
    (dict, Twins._dict),
    ((list, tuple, set, frozenset, deque), Twins._items),
    (MethodType, Twins._method),
    (functools.partial, Twins._partial),
    (FunctionType, Twins._function),
    (CellType, Twins._cell),
    (weakref.ref, Twins._reference),
    (RemovableHandle, Twins._handle),
)


def _copy_of_tensor(tensor: Tensor) -> Tensor:
    """The same values in memory of their own, without gradient; a parameter is one still."""
    new = tensor.clone()
    if isinstance(tensor, nn.Parameter) and not isinstance(new, nn.Parameter):
        plain = type(tensor) is nn.Parameter
        new = nn.Parameter(new, False) if plain else Tensor._make_subclass(type(tensor), new, False)
    vars(new).update(vars(tensor))
    return new


def copy_of_generator(generator: Any) -> Any:
    """A generator of random numbers in the same state."""
    if not isinstance(generator, torch.Generator):
        return copy.deepcopy(generator)
    new = torch.Generator(generator.device)
    new.set_state(generator.get_state())
    return new

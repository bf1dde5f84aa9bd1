"""Modules for which no twin can answer are borrowed: put in eval, and given back as they were.

Those of Keras are, and a few whose class Python cannot exchange. One module may be in use several times at
once, in several threads or in one, so its users are counted: the first finds it as the caller left it, and
the last puts that back. What somebody else has changed meanwhile stays, and a warning says so.
"""

from __future__ import annotations

import signal
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import SharedModelWarning, warn

_lock = threading.RLock()
_held: dict[int, _Held] = {}
TRAINED = (
    "model was trained while it was explained, by another thread. Its {} cannot be exchanged for a copy, so "
    "training has met it in eval, and the explanation is of weights that changed on the way. Explain a copy, "
    "by copy.deepcopy(model), or explain after training"
)
_tensors: weakref.WeakValueDictionary[int, _Kept] = weakref.WeakValueDictionary()


class Lease:
    """Modules in use, until `give_back`.

    Examples
    --------
    >>> net, lease = nn.Dropout(), Lease()
    >>> lease.take([net])
    >>> net.training
    False
    >>> lease.give_back()
    >>> net.training
    True
    """

    def __init__(self) -> None:
        self._taken: list[int] = []

    def take(self, modules: Iterable[nn.Module]) -> None:
        """Put modules in eval.

        Parameters
        ----------
        modules : iterable of torch.nn.Module
            With all their submodules.
        """
        modules = list(modules)
        if not modules:
            return
        with interrupts_held(), _lock:
            for module in dict.fromkeys(sub for each in modules for sub in each.modules()):
                self._taken.append(id(module))
                held = _held.get(id(module)) or _held.setdefault(id(module), _Held.of(module))
                held.users.add(id(self))
                held.make_usable()
            for module in modules:
                to_eval(module)
            for identity in self._taken:
                held = _held[identity]
                held.during = getattr(held.module, "training", None)

    def give_back(self) -> None:
        """Put back what no one else uses; a second time it does nothing.

        Warns
        -----
        SharedModelWarning
            If somebody else has trained them meanwhile.
        """
        if not self._taken:
            return
        changed = []
        with interrupts_held(), _lock:
            for identity in self._taken:
                held = _held.get(identity)
                if held is not None:
                    held.users.discard(id(self))
                    if not held.users:
                        changed += held.restore()
                        _held.pop(identity, None)
            self._taken.clear()
        if changed:
            warn(TRAINED.format(changed[0]), SharedModelWarning)


def to_eval(module: nn.Module) -> None:
    """Put a module in eval, except for parts that refuse, as programs of `torch.export` do."""
    try:
        module.eval()
    except NotImplementedError:
        for child in module.children():
            to_eval(child)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait until state has changed hands. Only the main thread ever gets one."""
    before: Any = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    waiting: list[int] = []
    try:
        signal.signal(signal.SIGINT, lambda number, _: waiting.append(number))
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            signal.raise_signal(signal.SIGINT)


@dataclass
class _Held:
    """A module as it was, and who uses it."""

    module: nn.Module
    mode: bool | None
    containers: list[tuple[dict[str, Any], dict[str, Any]]]
    tensors: list[_Kept]
    users: set[int] = field(default_factory=set)
    during: bool | None = None

    @classmethod
    def of(cls, module: nn.Module) -> _Held:
        own: tuple[Any, ...] = (vars(module), module._parameters, module._buffers, module._modules)
        # Those of scripted modules are views of something else.
        containers = [(one, dict(one)) for one in own if isinstance(one, dict)]
        tensors = (*module._parameters.values(), *module._buffers.values())
        with torch.inference_mode(False):
            kept = [_Kept.of(t) for t in tensors if t is not None and not t.is_inference()]
        return cls(module, getattr(module, "training", None), containers, kept)

    def make_usable(self) -> None:
        with torch.inference_mode(False):
            for container, _ in self.containers:
                _replace_inference_tensors(container)

    def restore(self) -> list[str]:
        """Put back what is as the users left it; the name of the class where somebody else has trained it."""
        mode = getattr(self.module, "training", None)
        if self.mode is not None and mode == self.during:
            self.module.training = self.mode
        if mode != self.during or any(kept.trained() for kept in self.tensors):
            return [type(self.module).__name__]
        for container, content in self.containers:
            if list(container) != list(content):
                container.clear()
            container.update(content)
        with torch.inference_mode(False):
            for kept in self.tensors:
                kept.restore()
        return []


@dataclass(frozen=True, eq=False)
class _Kept:
    """A parameter or buffer as it was: the tensor, its memory, and a copy of its values."""

    tensor: Tensor
    memory: Tensor | None
    values: Tensor | None
    gradient: tuple[int, int]

    @classmethod
    def of(cls, tensor: Tensor) -> _Kept:
        # Tied to that of another module, which may be in use already.
        known = _tensors.get(id(tensor))
        if known is not None:
            return known
        plain = tensor.layout is torch.strided and not tensor.is_meta and type(tensor.data) is Tensor
        memory = tensor.data if plain else None
        new = cls(tensor, memory, None if memory is None else memory.clone(), _gradient_of(tensor))
        _tensors[id(tensor)] = new
        return new

    def trained(self) -> bool:
        # Explanations leave gradients of weights alone.
        return _gradient_of(self.tensor) != self.gradient

    def restore(self) -> None:
        if self.memory is None or self.values is None:
            return
        # Some layers bound their weights in forward, by `weight.data = renorm(weight.data, …)`.
        if self.tensor.data_ptr() != self.memory.data_ptr() or self.tensor.shape != self.memory.shape:
            self.tensor.data = self.memory
        # Written through the detached alias, values leave the version that autograd counts alone:
        # a graph that the caller holds can still be differentiated.
        if not torch.equal(self.memory, self.values):
            self.memory.copy_(self.values)


def _gradient_of(tensor: Tensor) -> tuple[int, int]:
    """Which gradient a weight holds, and how often that was written to."""
    gradient = tensor.grad if tensor.is_leaf else None
    known = gradient is not None and not gradient.is_inference()
    return id(gradient), gradient._version if gradient is not None and known else 0


def _replace_inference_tensors(container: dict[str, Any]) -> None:
    """Swap tensors made under inference_mode, which autograd refuses, for clones."""
    for name, tensor in list(container.items()):
        if isinstance(tensor, Tensor) and tensor.is_inference():
            new = tensor.clone()
            is_parameter = isinstance(tensor, nn.Parameter)
            container[name] = nn.Parameter(new, requires_grad=False) if is_parameter else new

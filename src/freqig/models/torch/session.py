"""What holds while a PyTorch model is explained: nothing of the caller's is disturbed, all runs in eval."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import _global_forward_pre_hooks, register_module_forward_pre_hook
from torch.utils._python_dispatch import _pop_mode

from .borrowed import Lease, interrupts_held, to_eval
from .convolution import is_compiled
from .draws import Draws
from .modules import check_initialized, find_modules, holds, submodules
from .standin import stand_down, stand_in
from .switches import IN_FULL_PRECISION, WITHOUT_CUDNN
from .twin import Twins

Function = Callable[..., Any]


class Use:
    """A model that may be called: with twins of its modules where that is possible, else with borrowed ones.

    Parameters
    ----------
    model : callable
        The caller's.
    device : torch.device
        Where it runs.

    Attributes
    ----------
    function : callable
        What is to be called.
    modules : list of torch.nn.Module
        Outermost modules in it that could be found.
    originals : list of torch.nn.Module
        The caller's modules that they stand for.
    """

    def __init__(self, model: Function, device: torch.device) -> None:
        self.originals = find_modules(model)
        check_initialized(self.originals)
        twins = Twins()
        self.device, self.function, self._made = device, twins.of(model), twins.made
        # Identities of twins hold only as long as what they were made of.
        self._twins = twins
        self.modules = find_modules(self.function)
        self._lease = Lease()
        self._standing: list[tuple[nn.Module, nn.Module]] = []
        self._watched = is_compiled(self.function) or any(
            is_compiled(sub) for module in self.modules for sub in submodules(module)
        )
        self._calls: list[tuple[str, torch.dtype]] = [
            (kind, torch.get_autocast_dtype(kind))
            for kind in dict.fromkeys(("cpu", device.type))
            if torch.is_autocast_enabled(kind)
        ]

    @contextmanager
    def session(self) -> Iterator[Use]:
        """Context in which `call` may be used."""
        # Twice, for an interruption may fall on the first.
        self._draws = Draws(self.device)
        before = _modes_of_thread()
        try:
            try:
                for module in self.modules:
                    self._take(module)
                    to_eval(module)
                with ExitStack() as contexts:
                    for context in self._contexts():
                        contexts.enter_context(context)
                    yield self
            finally:
                self._give_back(*before)
        finally:
            self._give_back(*before)

    def call(self, *arguments: Any) -> Any:
        """Call the model, in the caller's autocast if there is one."""
        if self._watched and not self._calls:
            return self.function(*arguments)
        with ExitStack() as contexts:
            for kind, dtype in self._calls:
                contexts.enter_context(torch.autocast(kind, dtype))
            if not self._watched:
                # Only the first call: what a model runs in one it runs in all.
                contexts.enter_context(self._draws.watching())
                contexts.enter_context(self._watching())
            return self.function(*arguments)

    def _contexts(self) -> Iterator[Any]:
        yield torch.inference_mode(False)
        yield torch.enable_grad()
        # The caller's autocast is meant for the model, and not for sums over nodes.
        yield from (torch.autocast(kind, enabled=False) for kind, _ in self._calls)
        if self.device.type == "cuda":
            yield IN_FULL_PRECISION.on()
            # PyTorch's own kernels have the backward pass in eval that those of cuDNN lack.
            yield WITHOUT_CUDNN.on() if holds(self.modules, nn.RNNBase) else nullcontext()

    def _give_back(self, grad: bool, functions: int, dispatches: int, hooks: Any) -> None:
        """Undo all that is left, also of contexts that were interrupted as they were entered or left."""
        while torch._C._len_torch_dispatch_stack() > dispatches:
            _pop_mode()
        while torch._C._len_torch_function_stack() > functions:
            torch._C._pop_torch_function_stack()
        # Hooks of saved tensors that measured memory: left behind, they would see every later graph.
        while (top := _top_hooks()) is not None and top != hooks:
            torch._C._autograd._pop_saved_tensors_default_hooks()
        torch._C._set_grad_enabled(grad)
        self._look_away()
        with interrupts_held():
            while self._standing:
                stand_down(*self._standing[-1])
                self._standing.pop()
        self._lease.give_back()
        self._draws.set_back()

    def _take(self, module: nn.Module) -> None:
        """Let twins answer for what of a tree is the caller's own; borrow what has none."""
        own = [sub for sub in submodules(module) if id(sub) not in self._made]
        check_initialized(own)
        twins = [self._twins.of(sub) for sub in own]
        with interrupts_held():
            for sub, twin in zip(own, twins, strict=True):
                # Noted first, for an interruption may fall between the two.
                self._standing.append((sub, twin))
                if twin is sub or not stand_in(sub, twin):
                    self._lease.take([sub])

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Take modules that nothing but their running reveals, such as those behind slots of a library."""
        self._known = {id(sub) for module in self.modules for sub in submodules(module)}
        self._thread = threading.get_ident()
        try:
            register_module_forward_pre_hook(self._meet)
            yield
        finally:
            self._look_away()
        self._watched = True

    def _meet(self, module: nn.Module, _: Any) -> None:
        unknown = id(module) not in self._known and id(module) not in self._made
        if threading.get_ident() == self._thread and unknown:
            self._known.update(id(sub) for sub in module.modules())
            self.modules.append(module)
            self._take(module)
            to_eval(module)

    def _look_away(self) -> None:
        # By what it is, since an interruption may have taken the handle.
        for key, hook in list(_global_forward_pre_hooks.items()):
            if hook == self._meet:
                _global_forward_pre_hooks.pop(key, None)


def _top_hooks() -> Any:
    return torch._C._autograd._top_saved_tensors_default_hooks(True)


def _modes_of_thread() -> tuple[bool, int, int, Any]:
    """Whether gradients are on, how many modes of functions and of operators are active, and hooks."""
    counts = torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()
    return torch.is_grad_enabled(), *counts, _top_hooks()

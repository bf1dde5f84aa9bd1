"""Random generators of the process: set back where the model draws from them, and only there."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

QUIET = ("tqdm", "IPython", "ipykernel")


class Draws:
    """Remembers the generators that a model may draw from: of PyTorch, NumPy and Python.

    A generator whose state has not changed is left alone. One that has may have served another thread,
    whose numbers would be drawn twice if it were set back. Where there is no other thread the model has
    drawn; else it has where an operator of PyTorch in its first call says that it draws. Calls of NumPy
    and Python do not say so, and those generators are left alone while other threads run.

    Parameters
    ----------
    device : torch.device
        Device of the model, whose generator is looked at beside that of the CPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._generators: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
            "torch": (torch.get_rng_state, torch.set_rng_state),
            "numpy": (np.random.get_state, np.random.set_state),
            "python": (random.getstate, random.setstate),
        }
        if device.type == "cuda":
            self._generators["torch of the device"] = (
                lambda: torch.cuda.get_rng_state(device),
                lambda state: torch.cuda.set_rng_state(state, device),
            )
        self._before = {name: read() for name, (read, _) in self._generators.items()}
        self._alone = _is_alone()
        self._drew = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Context of the call that shows what the model draws."""
        if self._alone:
            yield
            return
        kind = _SeenBesideCompiler if "torch._dynamo" in sys.modules else _Seen
        seen = kind()  # type: ignore[no-untyped-call]
        try:
            with seen:
                yield
        finally:
            self._drew = seen.drew

    def set_back(self) -> None:
        """Put the generators back from which the model has drawn; a second time it does nothing."""
        alone = self._alone and _is_alone()
        for name, (read, write) in self._generators.items():
            if (alone or (self._drew and name.startswith("torch"))) and not same_state(
                read(), self._before[name]
            ):
                write(self._before[name])
        self._generators = {}


class _Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes whether an operator of this thread draws from a generator of the process."""

    supports_higher_order_operators = True
    drew = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # To keep its compiler out of this, PyTorch imports it, for seconds, even where nobody uses it.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        draws = torch.Tag.nondeterministic_seeded in getattr(func, "tags", ())
        self.drew |= draws and kwargs.get("generator") is None
        return func(*args, **kwargs)


class _SeenBesideCompiler(_Seen):  # type: ignore[no-untyped-call]
    """The same where the compiler has been imported, and is to compile nothing of this."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return super().__torch_dispatch__(func, types, args, kwargs)


def _is_alone() -> bool:
    """Whether no other thread could draw; those of progress bars and notebooks never do."""
    others = [type(thread).__module__ for thread in threading.enumerate()]
    return sum(name.partition(".")[0] not in QUIET for name in others) == 1


def same_state(a: Any, b: Any) -> bool:
    """Whether two states of a generator, a tensor, or a tuple or dict of numbers and arrays, are the same."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return all(same_state(a[key], b.get(key)) for key in a)
    if isinstance(a, tuple) and any(isinstance(part, np.ndarray) for part in a):
        return all(map(same_state, a, b))
    # Hundreds of numbers in a tuple, which Python compares faster than anything else.
    return bool(a == b)

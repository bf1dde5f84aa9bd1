"""Modules that cannot be exchanged where they are: for one thread, a twin answers in their place.

A module behind a global name, or behind an object that nothing looks into, is called by whoever holds it.
While it is explained it has a class that looks all attributes up in its twin, for the thread that explains.
Every other thread finds the module as it is, and may train it meanwhile.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from torch import nn

_lock = threading.RLock()
_places: dict[int, _Place] = {}


def stand_in(module: nn.Module, twin: nn.Module) -> bool:
    """Let a twin answer for a module in this thread, until `stand_down`.

    Parameters
    ----------
    module, twin : torch.nn.Module
        The caller's, and the one that computes. Of several twins the last answers.

    Returns
    -------
    bool
        False where Python cannot give the module another class; then nothing has changed.
    """
    with _lock:
        place = _places.get(id(module)) or _Place(module)
        mine = place.twins.setdefault(threading.get_ident(), [])
        mine.append(twin)
        _places[id(module)] = place
        try:
            # Not by its own way of setting attributes, which is what changes.
            object.__setattr__(module, "__class__", _answering(place.before))
        except TypeError:
            stand_down(module, twin)
            return False
    return True


def stand_down(module: nn.Module, twin: nn.Module) -> None:
    """Undo `stand_in`, from whatever thread; a second time it does nothing."""
    with _lock:
        place = _places.get(id(module))
        if place is None:
            return
        for thread, twins in list(place.twins.items()):
            left = [one for one in twins if one is not twin]
            if left:
                place.twins[thread] = left
            else:
                place.twins.pop(thread, None)
        if not place.twins:
            object.__setattr__(module, "__class__", place.before)
            _places.pop(id(module), None)


class _Place:
    """A module whose twins answer: of which class it is, and the twins of each thread."""

    def __init__(self, module: nn.Module) -> None:
        # The module itself: as long as it is held, no other one has its identity.
        self.module = module
        self.before: Any = type(module)
        self.twins: dict[int, list[nn.Module]] = {}

    def twin(self) -> nn.Module | None:
        """The one that answers in this thread."""
        mine = self.twins.get(threading.get_ident())
        if mine:
            return mine[-1]
        if _here.belongs_to_pytorch:
            # It runs the way back, and what a checkpoint computes once more, for a thread that waits.
            return next((twins[-1] for twins in list(self.twins.values()) if twins), None)
        return None


class _Here(threading.local):
    """What is found out once in each thread."""

    def __init__(self) -> None:
        known = {thread.ident for thread in threading.enumerate() if not thread.name.startswith("Dummy-")}
        self.belongs_to_pytorch = threading.get_ident() not in known


_here = _Here()


def _twin_of(module: nn.Module) -> nn.Module | None:
    place = _places.get(id(module))
    return None if place is None else place.twin()


def _get(module: Any, name: str) -> Any:
    twin = _twin_of(module)
    if twin is not None:
        return getattr(twin, name)
    before = _before(type(module))
    return before if name == "__class__" else before.__getattribute__(module, name)


def _set(module: Any, name: str, value: Any) -> None:
    twin = _twin_of(module)
    if twin is not None:
        setattr(twin, name, value)
    else:
        _before(type(module)).__setattr__(module, name, value)


def _delete(module: Any, name: str) -> None:
    twin = _twin_of(module)
    if twin is not None:
        delattr(twin, name)
    else:
        _before(type(module)).__delattr__(module, name)


def _reduce(module: Any, protocol: Any) -> Any:
    # Copied or saved by another thread, it is one of its own class.
    reduced: Any = _before(type(module)).__reduce_ex__(module, protocol)
    if not isinstance(reduced, tuple):
        return reduced
    made, arguments, *rest = reduced
    return made, tuple(_before(one) if isinstance(one, type) else one for one in arguments), *rest


@functools.lru_cache(maxsize=512)
def _answering(cls: Any) -> type:
    """A class of the same layout whose attributes are those of a twin."""
    content = {
        "__slots__": (),
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__getattribute__": _get,
        "__setattr__": _set,
        "__delattr__": _delete,
        "__reduce_ex__": _reduce,
    }
    # Classes that keep a list of their subclasses need not hear of this one: neither their metaclass
    # does, nor, by a change of the base, their `__init_subclass__`.
    listed = any("__init_subclass__" in vars(base) for base in cls.__mro__[:-1])
    during: type = type.__new__(type(cls), cls.__name__, (nn.Module if listed else cls,), content)
    if listed:
        during.__bases__ = (cls,)
    return during


def _before(cls: Any) -> Any:
    """The class that a module has by itself.

    A look at an attribute may begin before the last twin goes and end after it, when the module has its own
    class again.
    """
    return cls.__mro__[1] if vars(cls).get("__getattribute__") is _get else cls

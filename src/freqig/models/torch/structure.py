"""What a model is beside its weights: layers, their settings, and code, in words that every process finds."""

from __future__ import annotations

import ast
import functools
import inspect
from textwrap import dedent
from typing import Any

import numpy as np
import torch
from torch import nn

from .modules import OF_ANY_MODULE, find_modules, submodules

PLAIN = (bool, int, float, str, np.generic, type(None))
GENERATED = (torch.fx.GraphModule, torch.jit.ScriptModule)
"""Modules whose code is in themselves."""


def structure_of(model: object) -> list[str]:
    """What tells a model from another with the same weights.

    Parameters
    ----------
    model : object
        A module or any callable.

    Returns
    -------
    list of str
        Its code, the layers of its modules with their settings, and the code of layers that are none of
        PyTorch's own. Comments and spaces are not in it.

    Examples
    --------
    >>> structure_of(nn.Sequential(nn.Flatten(), nn.ELU()))[1:]
    ["Sequential ['0', '1'] {}", "Flatten [] {'start_dim': 1, 'end_dim': -1}",
     "ELU [] {'alpha': 1.0, 'inplace': False}"]
    """
    layers = [layer for outer in find_modules(model) for layer in submodules(outer)]
    kinds = {kind for layer in layers for kind in type(layer).__mro__}
    generated = [str(getattr(layer, "code", "")) for layer in layers if isinstance(layer, GENERATED)]
    return [code_of(model), *map(_told, layers), *generated, *sorted(filter(None, map(code_of, kinds)))]


def _told(layer: nn.Module) -> str:
    """A layer in words, with attributes that are no tensors and no objects."""
    own = {
        name: getattr(value, "__qualname__", value)
        for name, value in vars(layer).items()
        if name not in OF_ANY_MODULE and not name.startswith("_") and _is_plain(value)
    }
    # One layer may stand in several places.
    return f"{type(layer).__qualname__} {list(layer._modules)} {own}"


def _is_plain(value: Any) -> bool:
    # A shape is a tuple, too, and what a layer remembers of its last call.
    if type(value) in (tuple, list):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN) or inspect.isroutine(value)


def code_of(value: Any) -> str:
    """Code of a function or class as it was written; empty where nobody knows, and of PyTorch's own."""
    while isinstance(value, functools.partial):
        value = value.func
    if not (inspect.isroutine(value) or isinstance(value, type)):
        value = type(value)
    if (value.__module__ or "").partition(".")[0] in ("torch", "builtins"):
        return ""
    try:
        text = dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return ""
    try:
        return ast.unparse(ast.parse(text))
    except SyntaxError:
        # A lambda amid a call.
        return text

"""What of modules, beside their weights, decides how they compute: what is known of them holds as long."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from inspect import getattr_static
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as of_every_module

from .modules import OF_ANY_MODULE, submodules

HOOKS = sorted(name for name in OF_ANY_MODULE if "hooks" in name)
GLOBAL_HOOKS = sorted(
    name for name in vars(of_every_module) if name.startswith("_global_") and "hooks" in name
)
SCALARS = (bool, int, float, str, type(None), torch.dtype, torch.device)


def signature(modules: Iterable[nn.Module]) -> Hashable:
    """Structure, mode, hooks, attributes, and shape, dtype and device of all weights, but not their values.

    Objects count by their identity, and hooks by the number of their handle. Nothing is held.

    Parameters
    ----------
    modules : iterable of torch.nn.Module
        With all their submodules.

    Examples
    --------
    >>> net = nn.Linear(3, 2)
    >>> before = signature([net])
    >>> before == signature([net]), before == signature([net.eval()]), before == signature([net.double()])
    (True, False, False)
    """
    every = [sub for module in modules for sub in submodules(module)]
    globally = [_keys(getattr(of_every_module, name)) for name in GLOBAL_HOOKS]
    return tuple(map(_of_one, every)), tuple(globally), torch.is_inference_mode_enabled()


def _of_one(module: nn.Module) -> Hashable:
    own = vars(module)
    plain = tuple((name, _told(value)) for name, value in own.items() if name not in OF_ANY_MODULE)
    tensors = tuple(
        (name, _told(t)) for group in (module._parameters, module._buffers) for name, t in group.items()
    )
    hooks = tuple(_keys(own.get(name)) for name in HOOKS)
    children = tuple((name, id(child)) for name, child in module._modules.items())
    # Scripted modules have a descriptor in its place, which fails when it is asked of the class.
    # Not `type`, which is another one while the module is explained in another thread.
    kind = module.__class__
    forward = getattr_static(kind, "forward", None)
    return id(module), kind, forward, getattr(module, "training", None), plain, tensors, hooks, children


def _told(value: Any) -> Hashable:
    if isinstance(value, Tensor):
        return tuple(value.shape), value.dtype, value.device
    if isinstance(value, SCALARS):
        # 1 and True are equal, and mean different things.
        return type(value), value
    if type(value) in (tuple, list) and len(value) <= 16:
        return type(value), tuple(map(_told, value))
    return id(value)


def _keys(hooks: Any) -> Hashable:
    return tuple(hooks) if isinstance(hooks, dict) else None

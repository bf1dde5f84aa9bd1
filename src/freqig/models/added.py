"""Models that other packages add: what their adapters return is held against what an adapter is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .._check import shown
from ..plugins import Plugin
from .base import Model
from .content import kind_of
from .frameworks import added_for, added_for_file
from .torch.model import TorchModel

RUNS_CODE = ("pickle", "TorchScript", "torch.export")
"""Kinds of files that can run code when they are loaded, whoever loads them."""


def adapt(model: Any, *, dtype: torch.dtype | None, device: torch.device | str | None) -> Model:
    """Make a model of an object of a class that another package adapts.

    Parameters
    ----------
    model : object
        Of such a class.
    dtype, device : optional
        Handed on.

    Raises
    ------
    TypeError
        If what the package returns is no model.
    """
    plugin = _there(added_for(model))
    return _checked(plugin, plugin.load()(model, dtype=dtype, device=device), dtype, device)


def load(path: str, *, dtype: torch.dtype | None, device: torch.device | str | None, trust: bool) -> Model:
    """Make a model of a file that another package loads.

    Parameters
    ----------
    path : str
        The file, or a folder.
    dtype, device : optional
        Handed on.
    trust : bool
        Whether code in the file may run; handed on, too.

    Raises
    ------
    PermissionError
        If the file can run code and was not said to be trusted.
    TypeError
        If what the package returns is no model.
    """
    plugin = _there(added_for_file(path))
    kind = kind_of(path) if Path(path).is_file() else None
    if kind in RUNS_CODE and not trust:
        raise PermissionError(
            f"{path} is a file of {kind}, and loading it can run code that is in the file: trust=True lets "
            f"{plugin.package} load it, for files whose origin you trust"
        )
    found = plugin.load()(path, dtype=dtype, device=device, trust=trust)
    return _checked(plugin, found, dtype, device)


def _checked(
    plugin: Plugin, found: Any, dtype: torch.dtype | None, device: torch.device | str | None
) -> Model:
    """What a package returned, as a model that says of which package its adapter is."""
    if isinstance(found, torch.nn.Module):
        found = TorchModel(found, dtype, device)
    if not isinstance(found, Model):
        raise TypeError(
            f"{plugin.entry.value} of {plugin.package} must return a freqig.models.Model or a "
            f"torch.nn.Module, got {shown(found)}"
        )
    missing = [name for name in ("dtype", "device", "description") if not hasattr(found, name)]
    if missing:
        raise TypeError(
            f"{plugin.entry.value} of {plugin.package} must return a model that has {', '.join(missing)}, as "
            f"freqig.models.Model says, got {shown(found)}"
        )
    found.description = {**found.description, "adapter": plugin.package}
    return found


def _there(plugin: Plugin | None) -> Plugin:
    if plugin is None:
        raise LookupError("no package adds an adapter for this model")
    return plugin

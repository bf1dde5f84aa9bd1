"""Model adapters, one framework a file; a framework is imported only in its own."""

from __future__ import annotations

from typing import Any

import torch

from .base import Model
from .torch_model import TorchModel

__all__ = ["Model", "TorchModel", "as_model"]


def as_model(
    model: Any,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Model:
    """Find the adapter for a model.

    Parameters
    ----------
    model : Model or torch.nn.Module or callable
        The model to explain.
    dtype : torch.dtype, optional
        Floating dtype to run the model in.
    device : torch.device or str, optional
        Device on which the model expects its input.

    Returns
    -------
    Model
        The adapter.

    Raises
    ------
    TypeError
        If `model` is not callable, or is a class.

    Examples
    --------
    >>> as_model(torch.nn.Linear(4, 2)).description["class"]
    'torch.nn.modules.linear.Linear'
    """
    if isinstance(model, Model):
        return model
    if callable(model) and not isinstance(model, type):
        return TorchModel(model, dtype, device)
    got = f"the class {model.__name__} itself" if isinstance(model, type) else type(model).__name__
    raise TypeError(
        f"model must be a torch.nn.Module or a callable from a batch of series to outputs, got {got}"
    )

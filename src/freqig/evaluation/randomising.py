"""Copies of a network whose weights are drawn anew, layer by layer from the output down."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

MOST_STAGES = 8
"""Networks of more layers are randomised several layers at a time."""

NEEDS = "needs a torch.nn.Module or a Keras model, whose weights can be drawn anew"


def cascade(model: Any, seed: int) -> Iterator[tuple[str, Any]]:
    """Copies of a network with ever more of its layers untrained, the last of them wholly.

    Parameters
    ----------
    model : torch.nn.Module or keras.Model
        The network, which stays as it is.
    seed : int
        Of the weights.

    Yields
    ------
    str, object
        Name of the lowest layer that was drawn anew, and the network.

    Raises
    ------
    TypeError
        If this is no network of PyTorch or Keras, or one without weights.
    """
    # With PyTorch below it a Keras model is a module, too, but one whose layers only Keras knows.
    if any(base.__module__.split(".")[0] == "keras" for base in type(model).__mro__):
        yield from _of_keras(model, seed)
    elif isinstance(model, nn.Module):
        yield from _of_torch(model, seed)
    else:
        raise TypeError(NEEDS)


def _stages(layers: list[Any]) -> list[list[Any]]:
    if not layers:
        raise TypeError("needs a network with weights")
    return [part.tolist() for part in np.array_split(np.arange(len(layers)), min(MOST_STAGES, len(layers)))]


def _of_torch(model: nn.Module, seed: int) -> Iterator[tuple[str, nn.Module]]:
    twin = copy.deepcopy(model)
    layers = [
        (name, layer)
        for name, layer in twin.named_modules()
        if next(layer.parameters(recurse=False), None) is not None
    ][::-1]
    for stage in _stages(layers):
        # The generator of the process is left as it was.
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed % 2**64)
            for i in stage:
                _draw(layers[i][1])
        yield layers[stage[-1]][0] or type(twin).__name__, twin


def _draw(layer: nn.Module) -> None:
    reset = getattr(layer, "reset_parameters", None) or getattr(layer, "_reset_parameters", None)
    if callable(reset):
        reset()
        return
    for parameter in layer.parameters(recurse=False):
        fan = parameter[0].numel() if parameter.ndim > 1 else parameter.numel()
        parameter.uniform_(-1, 1).mul_(max(1, fan) ** -0.5)


def _of_keras(model: Any, seed: int) -> Iterator[tuple[str, Any]]:
    # Whoever holds a Keras model has imported Keras.
    import keras

    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    layers = [layer for layer in twin.layers if layer.weights][::-1]
    generator = np.random.default_rng(seed)
    for stage in _stages(layers):
        for i in stage:
            layer = layers[i]
            layer.set_weights([_fresh(w.name, np.asarray(w), generator) for w in layer.weights])
        yield layers[stage[-1]].name, twin


def _fresh(name: str, values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A weight as before training: Glorot's range for matrices, scales one and shifts zero."""
    if not np.issubdtype(values.dtype, np.floating):
        return values
    if values.ndim < 2:
        return (
            np.ones_like(values) if name in ("gamma", "scale", "moving_variance") else np.zeros_like(values)
        )
    receptive = np.prod(values.shape[:-2])
    limit = np.sqrt(6 / (receptive * (values.shape[-2] + values.shape[-1])))
    return generator.uniform(-limit, limit, values.shape).astype(values.dtype)

"""Finds the adapter of a model by the dotted names of its class and its bases.

No framework is imported to ask what an object is: who holds one has imported its
framework already, and only the adapter found imports it here.
"""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from typing import Any

from .base import Model
from .onnx_read import is_onnx
from .torchfile import SUFFIXES

# (start of the dotted name of a class, module of its adapter); the first class of the
# __mro__ that fits decides, so a Keras model on torch is Keras's before it is torch's.
ADAPTERS: tuple[tuple[str, str], ...] = (
    ("keras.src.", "keras_"),
    ("tf_keras.src.", "keras_"),
    ("tensorflow.", "tensorflow_"),
    ("jaxlib.", "jax_"),
    ("equinox.", "jax_"),
    ("flax.", "jax_"),
    ("onnx.onnx_ml_pb2.ModelProto", "onnx_"),
    ("onnxruntime.", "refused"),
    ("sklearn.", "refused"),
    ("lightgbm.", "refused"),
    ("xgboost.", "refused"),
    ("catboost.", "refused"),
    ("torch.nn.modules.module.Module", "torch_"),
)


def find(model: Any, *, trust: bool = False) -> Model:
    """Make a `Model` of what a user passes as the model.

    Parameters
    ----------
    model : object or path
        A model of any supported framework, a callable on tensors, an adapter, or the
        path of a ``.onnx``, ``.keras``, TorchScript or ``torch.export`` file.
    trust : bool
        Allow loading files that can run code on loading.

    Returns
    -------
    Model

    Raises
    ------
    TypeError
        For something that is no model.
    ValueError, PermissionError, ImportError
        As the adapter found raises them.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, os.PathLike)):
        return _load(os.fspath(model), trust)
    name = adapter_name(model)
    if name is None:
        raise TypeError(
            "model must be a torch module, a callable, a model of Keras, TensorFlow, JAX or "
            f"ONNX, or the path of a model file, got {type(model).__qualname__}"
        )
    module = import_module(f".{name}", __package__)
    if name == "torch_":
        return module.TorchModel(model)
    return module.OnnxModel(model) if name == "onnx_" else module.adapt(model)


def adapter_name(model: Any) -> str | None:
    """Name the module in `freqig.models` that adapts ``model``, None for a non-model.

    Parameters
    ----------
    model : object

    Returns
    -------
    str or None

    Examples
    --------
    >>> adapter_name(abs), adapter_name(3)
    ('torch_', None)
    """
    for base in type(model).__mro__:
        dotted = f"{base.__module__}.{base.__qualname__}"
        for start, name in ADAPTERS:
            if dotted.startswith(start):
                return name
    if isinstance(model, partial):
        return adapter_name(model.func)
    # A bound method: flax_module.apply is JAX's, classifier.predict_proba is refused.
    owner = getattr(model, "__self__", None)
    if owner is not None and adapter_name(owner) == "refused":
        return "refused"
    if owner is not None and adapter_name(owner) == "jax_":
        return "jax_"
    return "torch_" if callable(model) else None


def _load(path: str, trust: bool) -> Model:
    lower = path.lower()
    if is_onnx(path):
        module = import_module(".onnx_", __package__)
    elif lower.endswith(".keras"):
        module = import_module(".keras_", __package__)
    elif lower.endswith(SUFFIXES):
        module = import_module(".torchfile", __package__)
    else:
        raise ValueError(
            f"unknown kind of model file: {path}; known are .onnx, .keras, {', '.join(SUFFIXES)}. "
            "HDF5 (.h5) files: open them in Keras and save as .keras; pickles are never loaded, "
            "trust=True does not change this"
        )
    return module.load(path, trust=trust)

"""Finds the adapter of a model by the dotted names of its class and its bases.

No framework is imported to ask what an object is: who holds one has imported its framework already,
and only the adapter found imports it here.
"""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import torch

from .._check import check_device
from .base import Model
from .modules import find_modules
from .torch_model import TorchModel
from .uses import packages_used

# Start of the dotted name of a class, and the module of its adapter. The first class of the __mro__
# that fits decides, so a Keras model on the torch backend is Keras's before it is torch's.
ADAPTERS = (
    ("keras.src.", "keras_model"),
    ("tf_keras.src.", "keras_model"),
    ("tensorflow.", "tensorflow_model"),
    ("jaxlib.", "jax_model"),
    ("equinox.", "jax_model"),
    ("flax.", "jax_model"),
    ("onnx.onnx_ml_pb2.ModelProto", "onnx_model"),
    ("onnxruntime.", "refused"),
    ("sklearn.", "refused"),
    ("lightgbm.", "refused"),
    ("xgboost.", "refused"),
    ("catboost.", "refused"),
    ("torch.nn.modules.module.Module", "torch_model"),
)
# Packages that tell with what a plain function computes.
PACKAGES = {
    "jax": "jax_model",
    "jaxlib": "jax_model",
    "equinox": "jax_model",
    "flax": "jax_model",
    "tensorflow": "tensorflow_model",
    "tf_keras": "tensorflow_model",
}
SUFFIXES = {
    ".onnx": "onnx_model",
    ".keras": "keras_model",
    ".pt": "torch_file",
    ".pth": "torch_file",
    ".pt2": "torch_file",
    ".ts": "torch_file",
}


def as_model(
    model: Any,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    trust: bool = False,
) -> Model:
    """Find the adapter for a model.

    Parameters
    ----------
    model : Model, torch.nn.Module, callable, other framework's model, str or os.PathLike
        The model to explain: of PyTorch, Keras, TensorFlow or JAX, an `onnx.ModelProto`, or the
        path of a file that ends in .onnx, .keras, .pt, .pth, .ts or .pt2.
    dtype : torch.dtype, optional
        Floating dtype to run the model in.
    device : torch.device or str, optional
        Device on which the model expects its input.
    trust : bool, default False
        Whether files that can run code when loaded may be loaded.

    Returns
    -------
    Model
        The adapter.

    Raises
    ------
    TypeError
        If `model` is no model, is a class, or has no gradients.
    FileNotFoundError, PermissionError, ValueError
        If a file is missing, may not be loaded, or cannot be explained.
    ImportError
        If a library is missing; the error names the extra to install.

    Examples
    --------
    >>> as_model(torch.nn.Linear(4, 2)).description["class"]
    'torch.nn.modules.linear.Linear'
    """
    device = check_device(device)
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, os.PathLike)):
        path = os.fspath(model)
        loaded: Model = import_module(f".{adapter_of_file(path)}", __package__).load(
            path, dtype=dtype, device=device, trust=trust
        )
        return loaded
    name = None if isinstance(model, type) else adapter_name(model)
    if name is None:
        got = f"the class {model.__name__} itself" if isinstance(model, type) else type(model).__name__
        raise TypeError(
            "model must be a torch.nn.Module, a callable from a batch of series to outputs, a model of "
            f"Keras, TensorFlow, JAX or ONNX, or the path of a model file, got {got}"
        )
    if name == "torch_model":
        return TorchModel(model, dtype, device)
    adapted: Model = import_module(f".{name}", __package__).adapt(model, dtype=dtype, device=device)
    return adapted


def adapter_name(model: Any) -> str | None:
    """Module in `freqig.models` that adapts a model; None for what is no model.

    Examples
    --------
    >>> adapter_name(abs), adapter_name(3)
    ('torch_model', None)
    """
    found = _by_class(model)
    if found is not None:
        return found
    if isinstance(model, partial):
        return adapter_name(model.func) if _by_class(model.func) else _by_content(model)
    owner = getattr(model, "__self__", None)
    if isinstance(model, MethodType) and _by_class(owner) == "refused":
        return "refused"
    return _by_content(model) if callable(model) else None


def _by_class(model: Any) -> str | None:
    for base in type(model).__mro__:
        dotted = f"{base.__module__}.{base.__qualname__}"
        for start, name in ADAPTERS:
            if dotted.startswith(start):
                return name
    return None


def _by_content(model: Any) -> str:
    """Adapter of a plain callable: another framework's only where nothing in it is PyTorch's."""
    if isinstance(model, (FunctionType, MethodType, partial)) or hasattr(model, "__dict__"):
        used = packages_used(model)
        names = {PACKAGES[package] for package in used & PACKAGES.keys()}
        if len(names) == 1 and "torch" not in used and not find_modules(model):
            return names.pop()
    return "torch_model"


def adapter_of_file(path: str) -> str:
    """Module in `freqig.models` that loads a file, by the end of its name.

    Raises
    ------
    ValueError
        If the end is not a known one.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> adapter_of_file("model.pkl")
    Traceback (most recent call last):
    ValueError: model must be ... a path that ends in .onnx, .keras, .pt, .pth, .pt2 or .ts, ...
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        *most, last = SUFFIXES
        raise ValueError(
            f"model must be an object, or a path that ends in {', '.join(most)} or {last}, got {path!r}. "
            "Save an HDF5 file (.h5) or a SavedModel folder as .keras in Keras, or load it and pass the "
            "model; pickles are never loaded, and trust=True does not change this"
        )
    if not Path(path).is_file():
        raise FileNotFoundError(f"model must be the path of a file, but there is none at {path!r}")
    return SUFFIXES[suffix]

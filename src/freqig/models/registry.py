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
from .content import kind_of
from .modules import find_modules
from .refused import adapt as refuse
from .refused import is_network
from .torch_model import TorchModel, dotted_name
from .uses import packages_used
from .wrappers import network_in

# Start of the dotted name of a class, and the module of its adapter. The first class of the __mro__
# that fits decides, so a Keras model on the torch backend is Keras's before it is torch's. What is a module
# and an estimator besides is a module.
ADAPTERS = (
    ("keras.src.", "keras_model"),
    ("tf_keras.src.", "keras_model"),
    ("tensorflow.", "tensorflow_model"),
    ("jaxlib.", "jax_model"),
    ("equinox.", "jax_model"),
    ("flax.", "jax_model"),
    ("onnx.onnx_ml_pb2.ModelProto", "onnx_model"),
    ("onnxruntime.", "refused"),
    ("skorch.", "wrapper"),
    ("fastai.learner.", "wrapper"),
    ("transformers.pipelines.", "wrapper"),
    ("sklearn.", "refused"),
    ("lightgbm.", "refused"),
    ("xgboost.", "refused"),
    ("catboost.", "refused"),
    ("torch.export.exported_program.ExportedProgram", "torch_file"),
    ("torch.fx.graph_module.GraphModule", "torch_file"),
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
CHOOSING = {"jax_model", "tensorflow_model"}
"""Adapters of frameworks that choose the device themselves, and say so."""

SUFFIXES = {
    ".onnx": "onnx_model",
    ".keras": "keras_model",
    ".pt": "torch_file",
    ".pth": "torch_file",
    ".pt2": "torch_file",
    ".ts": "torch_file",
}

# What is in a file decides before its name does.
CONTENTS = {
    "ONNX": "onnx_model",
    "Keras": "keras_model",
    "TorchScript": "torch_file",
    "torch.export": "torch_file",
    "pickle": "torch_file",
}
ELSEWHERE = {
    "HDF5": "load it in Keras, keras.saving.load_model(path, compile=False), and pass the model, or save it "
    "there as .keras; if it holds weights alone, build the model, model.load_weights(path), and pass that",
    "safetensors": "it holds weights alone. Build the class and load them, "
    "net.load_state_dict(safetensors.torch.load_file(path)), then pass net",
    "TensorFlow Lite": "it has no gradients. Pass the model that it was made of",
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
        The model to explain: of PyTorch, a program of `torch.export`, of Keras, TensorFlow or JAX, an
        `onnx.ModelProto`, or the path of a file of ONNX, Keras, TorchScript or `torch.export`. What a file
        is, its content says, whatever its name ends in.
        Of wrappers such as skorch's, the network in them.
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
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, os.PathLike)):
        path, device = os.fspath(model), check_device(device)
        loaded: Model = import_module(f".{adapter_of_file(path)}", __package__).load(
            path, dtype=dtype, device=device, trust=trust
        )
        return loaded
    name = None if isinstance(model, type) else adapter_name(model)
    if name is None:
        got = f"the class {model.__name__} itself" if isinstance(model, type) else type(model).__name__
        found = None if isinstance(model, type) else network_in(model, is_network)
        if found is not None:
            got += f" around one: pass the network in it, model{found[0]}"
        raise TypeError(
            "model must be a torch.nn.Module, a callable from a batch of series to outputs, a model of "
            f"Keras, TensorFlow, JAX or ONNX, or the path of a model file, got {got}"
        )
    if name not in CHOOSING:
        device = check_device(device)
    if name == "torch_model":
        return TorchModel(model, dtype, device)
    if name == "wrapper":
        return _unwrapped(model, dtype, device)
    adapted: Model = import_module(f".{name}", __package__).adapt(model, dtype=dtype, device=device)
    return adapted


def _unwrapped(model: Any, dtype: torch.dtype | None, device: torch.device | str | None) -> Model:
    """Adapter of the trained network in a wrapper whose kind is known."""
    where = next((name for name in ("module_", "model") if is_network(getattr(model, name, None))), None)
    if where is None:
        refuse(model)
    adapted = as_model(getattr(model, where), dtype=dtype, device=device)
    adapted.description["wrapper"] = dotted_name(model)
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
    if isinstance(model, MethodType) and _by_class(owner) in ("refused", "wrapper"):
        return "refused"
    return _by_content(model) if callable(model) else None


def _by_class(model: Any) -> str | None:
    for base in type(model).__mro__:
        dotted = f"{base.__module__}.{base.__qualname__}"
        for start, name in ADAPTERS:
            if dotted.startswith(start):
                return "torch_model" if name == "refused" and isinstance(model, torch.nn.Module) else name
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
    """Module in `freqig.models` that loads a file, by its content, else by the end of its name.

    Raises
    ------
    ValueError
        If neither is known, or the file holds what is not loaded.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> adapter_of_file("absent.onnx")
    Traceback (most recent call last):
    FileNotFoundError: model must be the path of a file, but there is none at 'absent.onnx'
    """
    if Path(path).is_dir():
        raise ValueError(
            f"model must be an object or the path of a file, but {path!r} is a folder: load a SavedModel "
            "with tf.saved_model.load, another folder with its own library, and pass what that returns"
        )
    if not Path(path).is_file():
        raise FileNotFoundError(f"model must be the path of a file, but there is none at {path!r}")
    suffix, kind = Path(path).suffix.lower(), kind_of(path)
    if kind in CONTENTS:
        return CONTENTS[kind]
    if kind in ELSEWHERE:
        raise ValueError(f"{path} is a file of {kind}: {ELSEWHERE[kind]}. trust=True does not change this")
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    *most, last = SUFFIXES
    raise ValueError(
        "model must be an object, or the path of a file of ONNX, Keras, TorchScript or torch.export, such as "
        f"end in {', '.join(most)} or {last}, got {path!r}, whose content is none of these: load the model "
        "with its own library and pass it. trust=True does not change this"
    )

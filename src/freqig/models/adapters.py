"""Finds the adapter of a model by the dotted names of its class and its bases.

No framework is imported to ask what an object is: who holds one has imported its framework already,
and only the adapter found imports it here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import torch

from .._paths import from_home
from .._tensor_check import check_device
from .base import Model
from .content import NOT_TRUST, kind_of
from .frameworks import ADDED, FRAMEWORKS, added_for_file, is_network, of_class, suffixes
from .refused import INSTEAD, METHODS
from .refused import adapt as refuse
from .torch.model import TorchModel, dotted_name
from .torch.modules import find_modules
from .uses import packages_used
from .wrappers import network_in

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
        is, its content says, whatever its name ends in. What other packages add, by entry points.
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
        path, device = str(from_home(os.fspath(model))), check_device(device)
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
            f"Keras, TensorFlow, JAX or ONNX, or the path of a model file, got {got}{_remedy(model)}"
        )
    if not any(framework.own_device for framework in FRAMEWORKS if framework.adapter == name):
        device = check_device(device)
    if name == "torch.model":
        return TorchModel(model, dtype, device)
    if name == "wrapper":
        return _unwrapped(model, dtype, device)
    adapted: Model = import_module(f".{name}", __package__).adapt(model, dtype=dtype, device=device)
    return adapted


def _remedy(model: Any) -> str:
    """What to do about what is often taken for a model."""
    if isinstance(model, type):
        return f": make one, {model.__name__}(...), and load its weights"
    if isinstance(model, Mapping):
        inside = next((f"[{key!r}]" for key in model if str(key).endswith("state_dict")), "")
        if inside or any(isinstance(value, torch.Tensor) for value in model.values()):
            return (
                ": weights without their network. Make that, net.load_state_dict("
                f"weights{inside}), and pass net"
            )
    if isinstance(model, bytes):
        return ": write it to a file and pass its path"
    if isinstance(model, (list, tuple)):
        return ": explain one model after the other, or pass a function that calls them all"
    if any(callable(getattr(model, name, None)) for name in METHODS):
        return f": its scores have no gradients. {INSTEAD}"
    return ""


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
    ('torch.model', None)
    """
    found = _by_class(model)
    if found is not None:
        return found
    if isinstance(model, partial):
        known = _by_class(model.func) not in (None, ADDED.adapter)
        return adapter_name(model.func) if known else _by_content(model)
    owner = getattr(model, "__self__", None)
    if isinstance(model, MethodType) and _by_class(owner) in ("refused", "wrapper"):
        return "refused"
    return _by_content(model) if callable(model) else None


def _by_class(model: Any) -> str | None:
    framework = of_class(model)
    if framework is None:
        return None
    # What is a module and an estimator besides is a module.
    refused = framework.adapter == "refused"
    return "torch.model" if refused and isinstance(model, torch.nn.Module) else framework.adapter


def _by_content(model: Any) -> str:
    """Adapter of a plain callable: another framework's only where nothing in it is PyTorch's."""
    if isinstance(model, (FunctionType, MethodType, partial)) or hasattr(model, "__dict__"):
        used = packages_used(model)
        names = {framework.adapter for framework in FRAMEWORKS if used & set(framework.packages)}
        if len(names) == 1 and not find_modules(model):
            return names.pop()
    return "torch.model"


def adapter_of_file(path: str) -> str:
    """Module in `freqig.models` that loads a file, by its content, else by the end of its name.

    An ending that another package declares is that package's, whatever the content.

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
    if Path(path).exists() and added_for_file(path) is not None:
        return ADDED.adapter
    if Path(path).is_dir():
        raise ValueError(
            f"model must be an object or the path of a file, but {path!r} is a folder: load a SavedModel "
            "with tf.saved_model.load, another folder with its own library, and pass what that returns"
        )
    if not Path(path).is_file():
        raise FileNotFoundError(f"model must be the path of a file, but there is none at {path!r}")
    suffix, kind = Path(path).suffix.lower(), kind_of(path)
    # What is in a file decides before its name does.
    by_content = [framework for framework in FRAMEWORKS if kind in framework.contents]
    if not by_content and kind in ELSEWHERE:
        raise ValueError(f"{path} is a file of {kind}: {ELSEWHERE[kind]}. {NOT_TRUST}")
    for framework in by_content or FRAMEWORKS:
        if by_content or suffix in framework.suffixes:
            return framework.adapter
    *most, last = suffixes()
    raise ValueError(
        "model must be an object, or the path of a file of ONNX, Keras, TorchScript or torch.export, such as "
        f"end in {', '.join(most)} or {last}, got {path!r}, whose content is none of these: load the model "
        f"with its own library and pass it. {NOT_TRUST}"
    )

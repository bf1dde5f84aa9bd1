"""The frameworks whose models are explained: an entry for each, and a file with its adapter."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..plugins import MODELS, Plugin, added


@dataclass(frozen=True)
class Framework:
    """What tells the models of a framework, and where their adapter is.

    Parameters
    ----------
    adapter : str
        Module in `freqig.models` with `adapt(model, *, dtype, device)` for objects, and `load(path, *,
        dtype, device, trust)` for files where there are any.
    classes : tuple of str
        How the dotted names of its classes begin.
    networks : tuple of str
        Those of them that are networks, of which wrappers of other packages may hold one.
    packages : tuple of str
        Top-level packages that tell with what a plain function computes.
    contents : tuple of str
        What its files are, as `freqig.models.content.kind_of` names it.
    suffixes : tuple of str
        How the names of its files end, where their content does not tell.
    own_device : bool
        Whether it chooses the device itself.
    """

    adapter: str
    classes: tuple[str, ...]
    networks: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    own_device: bool = False


# The first class of the __mro__ that fits decides, so a Keras model on the torch backend is Keras's before it
# is torch's. Of the entries that fit a class, the first counts.
FRAMEWORKS = (
    Framework(
        "keras.model",
        classes=("keras.src.", "tf_keras.src."),
        networks=("keras.src.models.", "tf_keras.src.models.", "tf_keras.src.engine."),
        contents=("Keras",),
        suffixes=(".keras",),
    ),
    Framework(
        "tensorflow_model",
        classes=("tensorflow.",),
        packages=("tensorflow", "tf_keras"),
        own_device=True,
    ),
    Framework(
        "jax_model",
        classes=("jaxlib.", "equinox.", "flax."),
        networks=("flax.nnx.",),
        packages=("jax", "jaxlib", "equinox", "flax"),
        own_device=True,
    ),
    Framework(
        "onnx.model",
        classes=("onnx.onnx_ml_pb2.ModelProto",),
        contents=("ONNX",),
        suffixes=(".onnx",),
    ),
    Framework("wrapper", classes=("skorch.", "fastai.learner.", "transformers.pipelines.")),
    Framework("refused", classes=("onnxruntime.", "sklearn.", "lightgbm.", "xgboost.", "catboost.")),
    Framework(
        "torch.file",
        classes=(
            "torch.export.exported_program.ExportedProgram",
            "torch.fx.graph_module.GraphModule",
        ),
        contents=("TorchScript", "torch.export", "pickle"),
        suffixes=(".pt", ".pth", ".pt2", ".ts"),
    ),
    Framework(
        "torch.model",
        classes=("torch.nn.modules.module.Module",),
        networks=("torch.nn.modules.module.Module",),
        packages=("torch",),
    ),
)

# Of other packages, which say by their entry points what it is for.
ADDED = Framework("added", classes=())

LIBRARIES = {"keras", "numpy", "scipy"} | {name for one in FRAMEWORKS for name in one.packages}
"""Packages whose functions are what they are; those of a caller are looked into."""


def of_class(model: object) -> Framework | None:
    """The framework of an object by its classes; None where it is of none.

    Examples
    --------
    >>> import torch
    >>> of_class(torch.nn.Identity()).adapter, of_class(3)
    ('torch.model', None)
    """
    for name in _class_names(model):
        if _added_for(name) is not None:
            return ADDED
        framework = _own(name)
        if framework is not None:
            return framework
    return None


def added_for(model: object) -> Plugin | None:
    """The adapter that another package adds for an object; None where there is none.

    Raises
    ------
    ValueError
        If freqig adapts its class itself, or two packages do.
    """
    found = (_added_for(name) for name in _class_names(model))
    return next((one for one in found if one is not None), None)


def added_for_file(path: str) -> Plugin | None:
    """The same for a file, by the end of its name."""
    name = os.fspath(path).lower()
    return added(
        MODELS, lambda end: end.startswith(".") and name.endswith(end), own=name.endswith(tuple(suffixes()))
    )


def suffixes() -> list[str]:
    """How the names of model files usually end."""
    return [suffix for framework in FRAMEWORKS for suffix in framework.suffixes]


def _own(name: str) -> Framework | None:
    return next((framework for framework in FRAMEWORKS if name.startswith(framework.classes)), None)


def _added_for(name: str) -> Plugin | None:
    """What a package adds for a class; what freqig only refuses may be adapted by others."""
    own, package = _own(name), name.partition(".")[0]
    adapted = own is not None and own.adapter != "refused"
    return added(
        MODELS,
        lambda start: name == start or name.startswith(f"{start}."),
        own=adapted or any(package in framework.packages for framework in FRAMEWORKS),
    )


def is_network(part: object) -> bool:
    """Whether an object is a network of a framework that gives gradients, by the names of its classes."""
    starts = tuple(start for framework in FRAMEWORKS for start in framework.networks)
    return any(name.startswith(starts) for name in _class_names(part))


def _class_names(model: object) -> list[str]:
    return [f"{base.__module__}.{base.__qualname__}" for base in type(model).__mro__]

"""Models of TensorFlow: ``tf.keras``, ``tf.function``, ``tf.Module``, loaded SavedModels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .base import Raw
from .foreign import ForeignModel, Pullback, leaves, rebuild


class TensorFlowModel(ForeignModel):
    """A function of TensorFlow tensors, differentiated by ``tf.GradientTape``.

    Parameters
    ----------
    function : callable
        Takes a tensor (P, \\*shape) and the further arguments, returns a tensor, tuple
        or dict of tensors with P first.
    dtype : torch.dtype
        Of the points handed to the function.
    name : str
        What the result's attributes call the model.
    """

    def __init__(self, function: Callable[..., Any], dtype: torch.dtype, name: str) -> None:
        import tensorflow as tf

        self.function = function
        self.dtype = dtype
        self.device = torch.device("cpu")
        self.description = {"framework": f"tensorflow {tf.__version__}", "class": name}

    def vjp(self, points: Tensor, extra: tuple) -> tuple[Raw, Pullback]:
        """Run the function and return its outputs and its pullback."""
        import tensorflow as tf

        arguments = [to_tf(e) if isinstance(e, Tensor) else e for e in extra]
        x = to_tf(points)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(x)
            raw = self.function(x, *arguments)
        outputs = leaves(raw)

        def pullback(cotangents: list[Tensor | None]) -> Tensor:
            pairs = [
                (o, tf.cast(to_tf(c), o.dtype))
                for o, c in zip(outputs, cotangents, strict=True)
                if c is not None
            ]
            gradient = tape.gradient(
                [o for o, _ in pairs],
                x,
                output_gradients=[c for _, c in pairs],
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            return to_torch(gradient)

        return rebuild(raw, iter([to_torch(o) for o in outputs])), pullback


def adapt(model: Any) -> TensorFlowModel:
    """Make a model of a ``tf.function``, ``tf.Module`` or loaded SavedModel.

    Parameters
    ----------
    model : object
        A ``tf.function``, concrete function, callable ``tf.Module``, or what
        ``tf.saved_model.load`` returned.

    Returns
    -------
    TensorFlowModel

    Raises
    ------
    ValueError
        For a SavedModel that can only be called through its signatures.
    """
    name = getattr(model, "__name__", type(model).__qualname__)
    if not callable(model):
        known = sorted(getattr(model, "signatures", {}))
        raise ValueError(
            f"model ({type(model).__qualname__}) cannot be called; pass one of its "
            f"signatures, model.signatures[...] with {known}, wrapped to one argument"
        )
    return TensorFlowModel(model, _dtype(model), name)


def _dtype(model: Any) -> torch.dtype:
    """Dtype of the declared input, else of the first floating variable, else float32."""
    signature = getattr(model, "input_signature", None) or ()
    described = [*signature, *getattr(model, "inputs", ()), *getattr(model, "variables", ())]
    for entry in described:
        found = getattr(torch, getattr(entry.dtype, "name", str(entry.dtype)), None)
        if isinstance(found, torch.dtype) and found.is_floating_point:
            return found
    return torch.float32


def to_tf(tensor: Tensor) -> Any:
    """Copy a tensor to TensorFlow."""
    import tensorflow as tf

    return tf.constant(tensor.detach().cpu().numpy())


def to_torch(tensor: Any) -> Tensor:
    """Copy a TensorFlow tensor; ``.numpy()`` alone may share its memory."""
    return torch.from_numpy(tensor.numpy().copy())

"""Models of TensorFlow: `tf.keras`, `tf.function`, `tf.Module`, loaded SavedModels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .foreign import ForeignModel, Pullback, check_device, leaves, rebuild
from .hints import Hints


class TensorFlowModel(ForeignModel):
    """A function of TensorFlow tensors, differentiated by `tf.GradientTape`.

    Parameters
    ----------
    function : callable
        Takes tensors (P, *shape) and the further arguments, returns a tensor, tuple or dict of
        tensors with P first.
    dtype : torch.dtype
        Dtype of the points handed to the function.
    name : str
        What the attributes of results call the model.
    owner : object, optional
        Holds the weights, as `variables`.
    """

    def __init__(
        self, function: Callable[..., Any], dtype: torch.dtype, name: str, owner: object = None
    ) -> None:
        import tensorflow as tf

        self.function = function
        self.dtype = dtype
        self.device = torch.device("cpu")
        self.description = {"framework": f"tensorflow {tf.__version__}", "class": name}
        self._owner = function if owner is None else owner

    def vjp(self, inputs: tuple[Tensor, ...], extra: tuple[Any, ...]) -> tuple[Any, Pullback]:
        import tensorflow as tf

        arguments = [to_tf(e) if isinstance(e, Tensor) else e for e in extra]
        x = [to_tf(one) for one in inputs]
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(x)
            raw = self.function(*x, *arguments)
        outputs = leaves(raw)

        def pullback(cotangents: list[Tensor | None]) -> list[Tensor]:
            pairs = [
                (output, tf.cast(to_tf(cotangent), output.dtype))
                for output, cotangent in zip(outputs, cotangents, strict=True)
                if cotangent is not None
            ]
            gradients = tape.gradient(
                [output for output, _ in pairs],
                x,
                output_gradients=[cotangent for _, cotangent in pairs],
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            return [to_torch(gradient) for gradient in gradients]

        return rebuild(raw, iter([to_torch(output) for output in outputs])), pullback

    def weights(self) -> Iterable[np.ndarray]:
        return [np.asarray(variable) for variable in getattr(self._owner, "variables", None) or ()]


def adapt(model: Any, dtype: torch.dtype | None, device: torch.device | str | None) -> TensorFlowModel:
    """Make a model of a function that computes with TensorFlow.

    Parameters
    ----------
    model : object
        A `tf.function`, concrete function, callable `tf.Module`, what `tf.saved_model.load`
        returned, or a plain function that computes with TensorFlow.
    dtype : torch.dtype, optional
        Dtype of the points; default: that of the declared input, else of the first variable.
    device : torch.device or str, optional
        Must be left out.

    Returns
    -------
    TensorFlowModel
        The adapter.

    Raises
    ------
    TypeError
        If the object can be called only through its signatures.
    ValueError
        If a device is given.
    """
    check_device(device, "TensorFlow")
    name = getattr(model, "__name__", type(model).__qualname__)
    if not callable(model):
        known = sorted(getattr(model, "signatures", {}))
        raise TypeError(
            f"model must be callable, but this {name} is not: wrap one of its signatures {known} as "
            "lambda x: model.signatures[...](x)[...]"
        )
    adapter = TensorFlowModel(model, dtype or declared_dtype(model), name)
    shape = _declared_shape(model)
    if shape is not None:
        adapter.hints = Hints(shape=shape)
        adapter.fix_batch(shape[0])
    return adapter


def declared_dtype(model: Any) -> torch.dtype:
    """Dtype of the declared input, else of the first floating variable, else float32."""
    for entry in (*_inputs(model), *(getattr(model, "variables", None) or ())):
        found = getattr(torch, getattr(entry.dtype, "name", str(entry.dtype)), None)
        if isinstance(found, torch.dtype) and found.is_floating_point:
            return found
    return torch.float32


def _declared_shape(model: Any) -> tuple[int | None, ...] | None:
    for entry in _inputs(model)[:1]:
        if entry.shape is not None and bool(getattr(entry.shape, "rank", 0)):
            return tuple(entry.shape)
    return None


def _inputs(model: Any) -> tuple[Any, ...]:
    signature = getattr(model, "input_signature", None)
    return tuple(signature or ()) or tuple(getattr(model, "inputs", None) or ())


def to_tf(tensor: Tensor) -> Any:
    """Copy a tensor to TensorFlow."""
    import tensorflow as tf

    return tf.constant(tensor.detach().cpu().numpy())


def to_torch(tensor: Any) -> Tensor:
    """Copy a TensorFlow tensor; its `numpy()` alone may share memory."""
    return torch.from_numpy(tensor.numpy().copy())

"""Models without gradients: refused, with what is needed instead."""

from __future__ import annotations

from typing import Any, NoReturn

_ADVICE = {
    "sklearn": "scikit-learn estimators give no gradients; freqig needs a differentiable model: "
    "train a network on the same data (torch, Keras, JAX), or, for a linear model or MLP, "
    "write its decision function in torch and pass that",
    "trees": "trees are piecewise constant: their gradient is zero almost everywhere, so no "
    "gradient method can explain them; use TreeSHAP on spectral features, or a differentiable "
    "model",
    "onnxruntime": "an onnxruntime session runs a model and has no gradients; pass the path of "
    "its .onnx file (or the ModelProto), which freqig converts and compares with onnxruntime",
}


def adapt(model: Any) -> NoReturn:
    """Refuse a model that has no gradients.

    Parameters
    ----------
    model : object

    Raises
    ------
    ValueError
        Always, with what is needed instead.
    """
    model = getattr(model, "__self__", model)  # of a bound method such as predict_proba
    bases = {c.__module__.split(".")[0] for c in type(model).__mro__}
    if bases & {"lightgbm", "xgboost", "catboost"} or _is_forest(model):
        reason = "trees"
    elif "onnxruntime" in bases:
        reason = "onnxruntime"
    else:
        reason = "sklearn"
    kind = f"{type(model).__module__.split('.')[0]}.{type(model).__qualname__}"
    raise ValueError(f"model ({kind}) is not differentiable: {_ADVICE[reason]}")


def _is_forest(model: Any) -> bool:
    packages = ("sklearn.tree", "sklearn.ensemble")
    return any(c.__module__.startswith(packages) for c in type(model).__mro__)

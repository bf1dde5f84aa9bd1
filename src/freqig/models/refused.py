"""Models without gradients: refused where gradients are needed, with what takes them instead."""

from __future__ import annotations

from typing import Any, NoReturn

from .frameworks import is_network
from .wrappers import network_in

ADVICE = {
    "sklearn": "scikit-learn estimators give no gradients, and freqig needs those of the output with "
    "respect to the signal: train a network on the same data (PyTorch, Keras, JAX), or write the decision "
    "function of a linear model or an MLP in PyTorch and pass that",
    "trees": "trees are piecewise constant, their gradient is zero almost everywhere, so no gradient "
    "method can explain them: use TreeSHAP on spectral features, or train a differentiable model",
    "wrapper": "there is no network in it yet: fit or initialize it first, then pass it, or its network",
    "onnxruntime": "an onnxruntime session runs a model and has no gradients: pass the path of its .onnx "
    "file, or the onnx.ModelProto, which freqig converts and compares with onnxruntime",
}
INSTEAD = (
    "Without gradients freqig.Shapley(model) explains it as it is, by bands, channels and stretches of time"
)
METHODS = ("predict_proba", "decision_function", "predict")
"""What scores series, of estimators, the first that there is."""
TREES = {"lightgbm", "xgboost", "catboost"}
WRAPPERS = {"skorch", "fastai", "transformers"}


def adapt(model: Any, **_: Any) -> NoReturn:
    """Refuse a model that has no gradients.

    Raises
    ------
    TypeError
        Always, with what is needed instead.
    """
    model = getattr(model, "__self__", model)  # of a bound method such as predict_proba
    bases = [kind.__module__ for kind in type(model).__mro__]
    packages = {base.partition(".")[0] for base in bases}
    if packages & TREES or any(base.startswith(("sklearn.tree", "sklearn.ensemble")) for base in bases):
        reason = "trees"
    else:
        reason = next((name for name in ("onnxruntime", "sklearn") if name in packages), "wrapper")
        reason = "wrapper" if packages & WRAPPERS else reason
    kind = f"{type(model).__module__.partition('.')[0]}.{type(model).__qualname__}"
    found = network_in(model, is_network)
    if found is not None:
        raise TypeError(
            f"model must be the network itself, got a {kind} around one, through which no gradients flow: "
            f"pass the network in it, model{found[0]}, and signals as a {type(found[1]).__name__} takes"
        )
    instead = "" if reason == "wrapper" else f". {INSTEAD}"
    raise TypeError(f"model must be differentiable, got a {kind}: {ADVICE[reason]}{instead}")

"""Layer-wise relevance propagation by Captum, through networks that are traced to layers with a rule each."""

from __future__ import annotations

import copy
import operator
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from ..models import TorchModel
from ..objective.paths import Paths

ELEMENTWISE = (
    *(nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Tanh, nn.Sigmoid),
    *(nn.Softplus, nn.Hardtanh, nn.PReLU, nn.Identity),
)
"""Layers that relevance passes as it is."""

WEIGHTED = (
    *(nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d),
    *(
        nn.MaxPool1d,
        nn.MaxPool2d,
        nn.AdaptiveMaxPool1d,
        nn.Flatten,
        nn.Unflatten,
        nn.ZeroPad1d,
        nn.ConstantPad1d,
    ),
)
"""Layers that share relevance out by what each input adds to an output."""

MODULES: dict[Any, Callable[..., nn.Module]] = {
    **dict.fromkeys((torch.relu, nn.functional.relu, "relu"), nn.ReLU),
    **dict.fromkeys((torch.tanh, nn.functional.tanh, "tanh"), nn.Tanh),
    **dict.fromkeys((torch.sigmoid, nn.functional.sigmoid, "sigmoid"), nn.Sigmoid),
    nn.functional.gelu: nn.GELU,
    nn.functional.silu: nn.SiLU,
    nn.functional.elu: nn.ELU,
    nn.functional.leaky_relu: nn.LeakyReLU,
    nn.functional.softplus: nn.Softplus,
}
"""Layers in place of functions of one tensor."""

SHAPES = {
    *(
        "flatten",
        "view",
        "reshape",
        "squeeze",
        "unsqueeze",
        "permute",
        "transpose",
        "contiguous",
        "size",
        "dim",
    ),
    *("clone"),
    *(torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze, torch.permute, torch.transpose, getattr),
}
"""Functions and methods that move values, and change none."""


class Mean(nn.Module):
    """A mean over axes, as a layer."""

    def __init__(self, *axes: Any, **named: Any) -> None:
        super().__init__()
        self.axes, self.named = axes, named

    def forward(self, x: Tensor) -> Tensor:
        """The mean."""
        return x.mean(*self.axes, **self.named)


def relevance(layers: nn.Module, paths: Paths, rows: Tensor, target: int, epsilon: float) -> Tensor:
    """Relevance of the values of some samples, shape (P, *shape).

    Parameters
    ----------
    layers : torch.nn.Module
        A copy of the caller's network that consists of layers, in which Captum leaves its marks.
    paths : Paths
        Of S samples, with what is explained of them.
    rows : torch.Tensor
        Samples, int64, shape (P,).
    target : int
        Which of the explained scalars.
    epsilon : float
        Added to the size of what relevance is divided by.
    """
    from captum.attr import LRP

    _attach_rules(layers, epsilon)
    model = TorchModel(layers, dtype=paths.x.dtype, device=paths.x.device)
    objective = replace(paths.objective, model=model, watch=None)
    with torch.inference_mode(False), torch.enable_grad(), warnings.catch_warnings():
        # Captum says that it sets hooks; they are in our copy.
        warnings.filterwarnings("ignore", "Setting .*hooks", UserWarning)
        points = paths.x[rows].detach().clone().requires_grad_()
        found = LRP(_Scalar(layers, objective, rows, target)).attribute(points)
    values: Tensor = found.detach()
    return values


class _Scalar(nn.Module):
    """The explained scalar of some samples, as Captum calls it."""

    def __init__(self, layers: nn.Module, objective: Any, rows: Tensor, target: int) -> None:
        super().__init__()
        self.layers = layers
        self.objective, self.rows, self.target = objective, rows, target

    def forward(self, points: Tensor) -> Tensor:
        """Explained scalars, shape (P,)."""
        values: Tensor = self.objective.differentiable(points, self.rows)[:, self.target]
        return values


def traced(network: nn.Module) -> fx.GraphModule:
    """A copy of a network, in eval, in which functions that have a rule are layers, too.

    Captum sees layers only, and takes what lies between them for something that moves values. The network
    itself is not touched.

    Raises
    ------
    TypeError
        If it cannot be traced, or has a layer or function without a rule.
    """
    from captum.attr._utils.custom_modules import Addition_Module

    try:
        # In a container, for a layer that is all of a network would be traced to functions.
        found = fx.symbolic_trace(nn.Sequential(copy.deepcopy(network)).eval())
    except Exception as error:
        raise TypeError(
            f"model must be a network that torch.fx can trace for freqig.methods.DFTLRP, got "
            f"{type(network).__name__}, which it cannot: {error}. Take a method that needs no rules, such as "
            "freqig.Explainer"
        ) from error
    for number, node in enumerate(list(found.graph.nodes)):
        if node.op == "call_module":
            layer = found.get_submodule(node.target)
            if isinstance(layer, (nn.Dropout, nn.Dropout1d, nn.Dropout2d)):
                node.replace_all_uses_with(node.args[0])
                found.graph.erase_node(node)
            elif not isinstance(layer, (*ELEMENTWISE, *WEIGHTED)):
                raise TypeError(_without_rule(f"the layer {node.target!r}, a {type(layer).__name__}"))
        elif node.op in ("call_function", "call_method"):
            made = _layer_for(node, Addition_Module)
            if made is None:
                continue
            name = f"layer_{number}"
            found.add_submodule(name, made)
            node.op, node.target = "call_module", name
            node.args = tuple(one for one in node.args if isinstance(one, fx.Node))
            node.kwargs = {}
    found.graph.lint()
    found.recompile()
    found.delete_all_unused_submodules()
    return found.eval().requires_grad_(False)


def _layer_for(node: fx.Node, addition: type[nn.Module]) -> nn.Module | None:
    """A layer that does what a node does; None where it moves values only."""
    if node.target in SHAPES:
        return None
    if node.target in MODULES and len(node.args) == 1:
        return MODULES[node.target]()
    if node.target in (torch.mean, "mean"):
        return Mean(*node.args[1:], **node.kwargs)
    tensors = all(isinstance(one, fx.Node) for one in node.args)
    if node.target in (operator.add, operator.iadd, torch.add, "add", "add_") and tensors:
        return addition()
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    raise TypeError(_without_rule(f"the function {name}"))


def _without_rule(what: str) -> str:
    return (
        f"model must consist of layers with a rule of relevance for freqig.methods.DFTLRP, got {what}: "
        "take a method that needs no rules, such as freqig.Explainer"
    )


def _attach_rules(layers: nn.Module, epsilon: float) -> None:
    """Rules of Captum for layers of which it knows none by itself."""
    from captum.attr._utils.lrp_rules import EpsilonRule, IdentityRule

    for layer in layers.modules():
        if list(layer.children()) or isinstance(layer, (nn.ReLU, nn.Tanh)):
            continue
        layer.rule = IdentityRule(epsilon) if isinstance(layer, ELEMENTWISE) else EpsilonRule(epsilon)

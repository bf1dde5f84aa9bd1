"""Which inputs a model of PyTorch cannot do without, by their names."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

import torch
from torch import nn


def needed_inputs(model: Any) -> tuple[str, ...]:
    """Names of the inputs of a module or callable that have no default; none where they are not known.

    Programs of TorchScript and `torch.export` say what they take by themselves.

    Examples
    --------
    >>> needed_inputs(lambda x, age, scale=1.0: x), needed_inputs(torch.nn.Bilinear(2, 3, 1))
    (('x', 'age'), ('input1', 'input2'))
    """
    if isinstance(model, torch.jit.ScriptModule):
        arguments = model._c._get_method("forward").schema.arguments[1:]
        return tuple(one.name for one in arguments if not one.has_default_value())
    graph = getattr(model, "graph", None)
    if isinstance(graph, torch.fx.Graph):
        # Behind the name of one stands its default.
        return tuple(str(node.target) for node in graph.nodes if node.op == "placeholder" and not node.args)
    try:
        known = signature(model.forward if isinstance(model, nn.Module) else model).parameters.values()
    except (TypeError, ValueError):
        return ()
    positional = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD
    return tuple(one.name for one in known if one.kind in positional and one.default is Parameter.empty)

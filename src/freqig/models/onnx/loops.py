"""Counts what the loops of a converted ONNX graph do in one call, however many trips the data ask for."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from torch import nn

from ..content import NOT_TRUST
from .limits import LimitError

MAX_STEPS = 2_000_000
LOOPS = {"LoopModule", "ScanModule"}
_steps: ContextVar[int] = ContextVar("_steps", default=0)


def bounded(net: nn.Module) -> nn.Module:
    """Let all loops of a net together carry out so many nodes in one call, and no more.

    Parameters
    ----------
    net : torch.nn.Module
        As onnx2fx makes it; hooks are set on it.

    Returns
    -------
    torch.nn.Module
        The same.

    Raises
    ------
    LimitError
        When the net is called, before one more trip is made.

    Examples
    --------
    >>> bounded(nn.Identity())
    Identity()
    """
    bodies: list[Any] = [one.body for one in net.modules() if type(one).__name__ in LOOPS]
    for body in bodies:
        body.register_forward_pre_hook(_Count(len(body.graph.nodes)))
    if bodies:
        net.register_forward_pre_hook(_restart)
    return net


def _restart(*_: Any) -> None:
    _steps.set(0)


class _Count:
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, body: nn.Module, inputs: Any) -> None:
        done = _steps.get() + self.steps
        if done > MAX_STEPS:
            raise LimitError(
                f"the loops of the ONNX model carry out more than {MAX_STEPS} nodes in one call; {NOT_TRUST}"
            )
        _steps.set(done)

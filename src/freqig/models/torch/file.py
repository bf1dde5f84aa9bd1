"""Programs of `torch.export`, in memory or in files, and files of TorchScript.

Loading either file can run code that is in the file, so both need `trust=True`. Weights alone do not: build
the class and load a state dict,

    net = MyNet()
    net.load_state_dict(torch.load("weights.pt", weights_only=True))
    freqig.Explainer(net, ...)
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..archives import check_members
from ..content import NOT_TRUST, kind_of
from ..fixed_batch import FixedBatch
from ..hints import Hints
from .model import TorchModel, dotted_name
from .pickles import advice

RECIPE = (
    "build its class and load the weights, net.load_state_dict(torch.load(path, weights_only=True)), "
    "then pass net"
)
# Members that are parsed as a whole, and the most that one may have: ten times what large networks do.
PARSED, MAX_PARSED = (".json", ".pkl", ".py", "version", "format", "byteorder"), 32 << 20


def adapt(
    model: Any, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> TorchModel:
    """Make a model of an `ExportedProgram`, or of the module that it gives.

    Parameters
    ----------
    model : torch.export.ExportedProgram or torch.fx.GraphModule
        A program that was exported for one batch size runs in calls of that size.
    dtype, device
        As `TorchModel` takes them.

    Returns
    -------
    TorchModel
        The adapter.
    """
    net = model if isinstance(model, nn.Module) else model.module()
    shape = _shape(net)
    batch = shape[0] if shape else None
    if batch is None and net is model:
        return TorchModel(net, dtype, device)
    adapted = TorchModel(_Exported(net if batch is None else FixedBatch(net, batch)), dtype, device)
    adapted.description["class"] = dotted_name(model)
    adapted.hints = Hints(shape=shape)
    if batch is not None:
        adapted.description["fixed_batch"] = batch
    return adapted


def load(
    path: str | PathLike[str],
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    trust: bool = False,
) -> TorchModel:
    """Load a TorchScript or `torch.export` file.

    Parameters
    ----------
    path : path
        The file.
    dtype, device
        As `TorchModel` takes them.
    trust : bool, default False
        Loading runs what is in the file: needed, for files whose origin you trust.

    Returns
    -------
    TorchModel
        The adapter.

    Raises
    ------
    PermissionError
        Without `trust`.
    ValueError
        For a file that holds no program (a state dict, a pickled module).
    """
    name = os.fspath(path)
    kind = kind_of(name)
    if kind not in ("TorchScript", "torch.export"):
        recipe = advice(name) if kind == "pickle" else RECIPE
        raise ValueError(
            f"{name} holds no program (TorchScript or torch.export) but weights or a pickled module: "
            f"{recipe}. {NOT_TRUST}"
        )
    if not trust:
        raise PermissionError(
            f"{name} is a {kind} program, and loading it can run code that is in the file: trust=True "
            f"loads it, for files whose origin you trust; otherwise {RECIPE}"
        )
    check_members(name, PARSED, MAX_PARSED)
    try:
        program = _load(name, kind, device)
    except Exception as error:
        line = (str(error).splitlines() or [""])[0]
        raise ValueError(
            f"{name} is a damaged {kind} program, or one of another version of PyTorch "
            f"({type(error).__name__}: {line}): save or download it again"
        ) from error
    make = TorchModel if kind == "TorchScript" else adapt
    model = make(program, dtype=dtype, device=device)
    model.description |= {"framework": f"{kind}, torch {torch.__version__}", "class": Path(name).name}
    return model


def _load(name: str, kind: str, device: torch.device | str | None) -> Any:
    """Load a program, which runs what is in the file."""
    if kind == "TorchScript":
        load_script: Callable[..., nn.Module] = torch.jit.load
        return load_script(name, map_location="cpu" if device is None else device).eval()
    # Given a path, PyTorch asks for one that ends in .pt2. Some versions warn of buffers of their own.
    with Path(name).open("rb") as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable", UserWarning)
        program = torch.export.load(file)
    if device is None:
        return program
    # Its module brings in much that nobody needs who loads no such file.
    from torch.export.passes import move_to_device_pass

    return move_to_device_pass(program, torch.device(device))


class _Exported(nn.Module):
    """An exported program, which keeps the mode in which it was exported and refuses another."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> Any:
        return self.net(*inputs)

    @property
    def graph(self) -> Any:
        """What the program computes."""
        net: Any = self.net.net if isinstance(self.net, FixedBatch) else self.net
        return net.graph

    def train(self, mode: bool = True) -> _Exported:
        self.training = mode
        return self


def _shape(net: Any) -> tuple[int | None, ...] | None:
    """Sizes of the first input of an exported program, None where the export left one free."""
    first = next((node for node in net.graph.nodes if node.op == "placeholder"), None)
    value = None if first is None else first.meta.get("val")
    # Graphs that were not exported say nothing of sizes.
    if not isinstance(value, Tensor) or not value.ndim:
        return None
    sizes: tuple[Any, ...] = tuple(value.shape)
    return tuple(size if isinstance(size, int) else None for size in sizes)

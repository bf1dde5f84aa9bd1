"""Saved PyTorch programs: TorchScript `.pt` and `torch.export` `.pt2`.

Loading either can run code that is in the file, so both need `trust=True`. Weights alone do not: build
the class and load a state dict,

    net = MyNet()
    net.load_state_dict(torch.load("weights.pt", weights_only=True))
    freqig.Explainer(net, ...)
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .fixed_batch import FixedBatch
from .torch_model import TorchModel

RECIPE = (
    "build its class and load the weights, net.load_state_dict(torch.load(path, weights_only=True)), "
    "then pass net"
)


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
    kind = _kind(name)
    if kind is None:
        raise ValueError(
            f"{name} holds no program (TorchScript or torch.export) but weights or a pickled module: "
            f"{RECIPE}. trust=True does not change this"
        )
    if not trust:
        raise PermissionError(
            f"{name} is a {kind} program, and loading it can run code that is in the file: trust=True "
            f"loads it, for files whose origin you trust; otherwise {RECIPE}"
        )
    if kind == "TorchScript":
        load_script: Callable[..., nn.Module] = torch.jit.load
        script = load_script(name, map_location="cpu" if device is None else device)
        model = TorchModel(script.eval(), dtype, device)
    else:
        program = torch.export.load(name)
        net, batch = program.module(), _batch(program)
        model = TorchModel(_Exported(net if batch is None else FixedBatch(net, batch)), dtype, device)
        if batch is not None:
            model.description["fixed_batch"] = batch
    model.description |= {"framework": f"{kind}, torch {torch.__version__}", "class": Path(name).name}
    return model


class _Exported(nn.Module):
    """An exported program, which keeps the mode in which it was exported and refuses another."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> Any:
        return self.net(*inputs)

    def train(self, mode: bool = True) -> _Exported:
        self.training = mode
        return self


def _kind(name: str) -> str | None:
    """Tell from the names in an archive, without loading anything, what a file is."""
    if not zipfile.is_zipfile(name):
        return None
    with zipfile.ZipFile(name) as archive:
        inside = [entry.split("/", 1)[-1] for entry in archive.namelist()]
    if any(entry.startswith("code/") for entry in inside):
        return "TorchScript"
    if any("archive_format" in entry or "serialized_exported_program" in entry for entry in inside):
        return "torch.export"
    return None


def _batch(program: Any) -> int | None:
    """First size of the first input of the user's, where the export fixed it."""
    wanted = next(iter(program.graph_signature.user_inputs))
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name == wanted:
            size = node.meta["val"].shape[0]
            return size if isinstance(size, int) else None
    raise ValueError("model must take a tensor first, but the exported program has no tensor input")

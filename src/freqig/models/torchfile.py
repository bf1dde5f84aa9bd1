"""Saved torch programs: TorchScript ``.pt`` and ``torch.export`` ``.pt2``.

Loading either can run code that is in the file, so both need ``trust=True``. Weights
alone do not: build the class and load a state dict,

    net = MyNet()
    net.load_state_dict(torch.load("weights.pt", weights_only=True))
    freqig.Explainer(net, ...)
"""

from __future__ import annotations

import os
import zipfile
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from .base import Raw
from .fixedbatch import FixedBatch
from .torch_ import TorchModel

SUFFIXES = (".pt", ".pth", ".pt2", ".ts")
_RECIPE = (
    "build its class and load the weights: "
    "net.load_state_dict(torch.load(path, weights_only=True)), then pass net"
)


def load(path: str | PathLike[str], *, trust: bool = False) -> TorchModel:
    """Load a TorchScript or ``torch.export`` file.

    Parameters
    ----------
    path : path
    trust : bool
        Loading runs what is in the file: needed, for files whose origin you trust.

    Returns
    -------
    TorchModel

    Raises
    ------
    PermissionError
        Without ``trust``.
    ValueError
        For a file that holds no program (a state dict, a pickled module).
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise FileNotFoundError(f"no such file: {name}")
    kind = _kind(name)
    if kind is None:
        raise ValueError(
            f"{name} holds no program (TorchScript or torch.export) but weights or a pickled "
            f"module; {_RECIPE}. trust=True does not change this"
        )
    if not trust:
        raise PermissionError(
            f"{name} is a {kind} program: loading it can run code that is in the file. "
            f"trust=True loads it, for files whose origin you trust; otherwise {_RECIPE}"
        )
    if kind == "TorchScript":
        script = torch.jit.load(name, map_location="cpu")
        return TorchModel(script.eval(), {"framework": f"TorchScript, torch {torch.__version__}"})
    program = torch.export.load(name)
    module, batch = program.module(), _batch(program)
    description: dict[str, str | int | float] = {
        "framework": f"torch.export, torch {torch.__version__}"
    }
    if batch is None:
        return TorchModel(_Exported(module), description)
    return TorchModel(_Exported(FixedBatch(module, batch)), description | {"export_batch": batch})


class _Exported(nn.Module):
    """An exported program, whose mode is the one it was exported in.

    ``torch.export`` modules refuse ``eval()`` and ``train()``.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> Raw:
        return self.net(*inputs)


def _kind(name: str) -> str | None:
    """Tell from the archive's names, without loading anything, what a file is."""
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
    raise ValueError("the exported program has no tensor input")

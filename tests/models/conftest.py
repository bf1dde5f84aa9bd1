"""What the tests of the adapters share."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from freqig.models.base import Model


def gradient(model: Model, points: Tensor, extra: tuple = ()) -> Tensor:
    """Gradient of the sum of squares of the outputs, as the core would ask for it."""

    def explained(raw: Tensor) -> Tensor:
        return raw.square().flatten(1).sum(1, keepdim=True)

    with model.session():
        return model.value_and_gradient(points, extra, explained)[1][:, 0]


def expected(net: Callable[[Tensor], Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and the same gradient straight from torch."""
    leaf = points.clone().requires_grad_()
    y = net(leaf)
    return y.detach(), torch.autograd.grad(y.square().sum(), leaf)[0]


class Recurrent(nn.Module):
    """The head that most recurrent classifiers have: the last step."""

    def __init__(self, both: bool = False) -> None:
        super().__init__()
        self.rnn = nn.LSTM(2, 6, batch_first=True, bidirectional=both)
        self.head = nn.Linear(12 if both else 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x.transpose(1, 2))[0][:, -1])


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., str]:
    """Export a module by the legacy exporter, with a free or a fixed batch."""

    def run(net: nn.Module, x: Tensor, free: bool = True, name: str = "net.onnx") -> str:
        pytest.importorskip("onnx")
        path = str(tmp_path / name)
        axes = {"x": {0: "batch"}, "y": {0: "batch"}} if free else None
        torch.onnx.export(
            net.eval(), (x,), path, dynamo=False, input_names=["x"], output_names=["y"],
            dynamic_axes=axes,
        )  # fmt: skip
        return path

    return run


@pytest.fixture
def in_process(tmp_path: Path) -> Callable[..., str]:
    """Run code in a process of its own: Keras has one backend a process."""

    def run(code: str, **environment: str) -> str:
        import os

        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run

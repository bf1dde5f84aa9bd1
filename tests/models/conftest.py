"""What the tests of the adapters share."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., str]:
    """Write a module as an ONNX file, with a free or a fixed batch."""

    def run(net: nn.Module, x: Tensor, free: bool = True, name: str = "net.onnx", **more: Any) -> str:
        pytest.importorskip("onnx")
        path = str(tmp_path / name)
        axes = {"x": {0: "batch"}, "y": {0: "batch"}} if free else None
        asked = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": axes} | more
        with warnings.catch_warnings():
            # This exporter is deprecated, but needs no further library, and its files are about.
            warnings.simplefilter("ignore")
            torch.onnx.export(net.eval(), (x,), path, dynamo=False, **asked)
        return path

    return run


@pytest.fixture
def in_process(tmp_path: Path) -> Callable[..., str]:
    """Run code in a process of its own: Keras has one backend per process."""

    def run(code: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""} | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def keras() -> Any:
    """Keras on the torch backend, which it keeps for the rest of the process."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("KERAS_BACKEND", "torch")
        library = pytest.importorskip("keras")
    if library.backend.backend() != "torch":
        pytest.skip(f"Keras runs on {library.backend.backend()} in this process")
    return library

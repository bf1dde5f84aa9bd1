"""Models of several inputs get one on the command line: the error says so, and what it advises works."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import freqig
from freqig.cli import main
from freqig.cli._wording import SELECTED
from freqig.models.joined import FURTHER

from ..helpers import noise

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning"),
]

COUNT, K, N = 4, 2, 50
X, AGE = noise(COUNT, K, N).astype(np.float32), noise(COUNT, 1, seed=1).astype(np.float32)


class Aged(nn.Module):
    """The power of a signal, weighted by age."""

    def forward(self, x: Tensor, age: Tensor) -> Tensor:
        return torch.cat([age * x.square().mean((1, 2)).unsqueeze(1), age], 1)


GIVEN = torch.zeros(2, K, N), torch.ones(2, 1)


def written_onnx(keras: Any) -> str:
    pytest.importorskip("onnx")
    asked = {"input_names": ["x", "age"], "output_names": ["y"]}
    axes = {name: {0: "batch"} for name in ("x", "age", "y")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Aged(), GIVEN, "net.onnx", dynamo=False, dynamic_axes=axes, **asked)
    return "net.onnx"


def written_script(keras: Any) -> str:
    torch.jit.trace(Aged(), GIVEN, check_trace=False).save("net.pt")
    return "net.pt"


def written_program(keras: Any, free: bool = True) -> str:
    batch = {0: torch.export.Dim("batch")} if free else None
    torch.export.save(torch.export.export(Aged(), GIVEN, dynamic_shapes=(batch, batch)), "net.pt2")
    return "net.pt2"


def written_fixed(keras: Any) -> str:
    return written_program(keras, free=False)


def written_python(keras: Any) -> str:
    text = f"import torch\nfrom torch import Tensor, nn\n\n{inspect.getsource(Aged)}\n\nmodel = Aged()\n"
    Path("net.py").write_text(text, encoding="utf-8")
    return "net.py:model"


def written_keras(keras: Any) -> str:
    layers = keras.layers
    x, age = keras.Input((N, K), name="x"), keras.Input((1,), name="age")
    power = layers.GlobalAveragePooling1D()(layers.Multiply()([x, x]))
    mean = layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(1 / K))(power)
    outputs = layers.Concatenate()([layers.Multiply()([age, mean]), age])
    keras.Model([x, age], outputs).save("net.keras")
    return "net.keras"


@pytest.mark.parametrize(
    "written",
    [written_onnx, written_script, written_program, written_fixed, written_python, written_keras],
    ids=lambda function: function.__name__.removeprefix("written_"),
)
def test_a_model_of_two_inputs_is_explained_in_python(
    written: Callable[[Any], str], keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    path = written(keras)
    for command in ("explain", "check"):
        done = CliRunner().invoke(main, [command, path, "x.npy", "--fs", "50", "--trust", "--target", "0"])
        (error,) = done.stderr.splitlines()
        assert (done.exit_code, done.stdout) == (1, "")
        assert "2 inputs" in error
        assert "got 1: a command gives it one. Explain it in Python" in error
    model = Aged() if ":" in path else path
    x = X.swapaxes(1, 2) if path == "net.keras" else X
    explainer = freqig.Explainer(model, fs=50, domains=freqig.Time(), trust=True)
    found = explainer(x, target=0, additional_forward_args=freqig.per_sample(AGE))
    np.testing.assert_allclose(found.waveform, AGE[:, :, None] * X**2 / (K * N), rtol=1e-3, atol=1e-6)


def test_the_command_line_knows_what_python_advises() -> None:
    assert FURTHER in SELECTED


def test_all_inputs_are_told_in_python() -> None:
    with pytest.raises(TypeError, match=f"the model takes 2 inputs, x, age, got 1: {FURTHER}"):
        freqig.Explainer(Aged())(X)
    # A failure of a model that has all of its inputs is its own.
    with pytest.raises(RuntimeError, match="size of tensor"):
        freqig.Explainer(Aged())(X, additional_forward_args=freqig.shared(torch.zeros(3, 7)))

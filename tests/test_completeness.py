"""Attributions sum to the change of the output, plus the gap, plus what closed it: whatever the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

from freqig import Explainer, baselines
from freqig.domains import RFFT, STFT, Polar, Segments, Time

from .helpers import noise
from .oracles.known_paths import kinks

FS = 32.0


def rough(inputs: int = 1, outputs: int = 3) -> nn.Module:
    """Kinks enough that intervals of the path are divided and their last gap is closed."""
    torch.manual_seed(3)
    layers = [nn.Conv1d(inputs, 12, 5), nn.ReLU(), nn.Conv1d(12, 8, 5), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(8 * 88, outputs)).double().eval()


class Pair(nn.Module):
    """Two inputs of different lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = rough(), rough()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.one(x) * 0.5 + self.two(y)


def assert_adds_up(result: xr.Dataset) -> None:
    """The equation, for every variable with attributions."""
    for name, variable in result.data_vars.items():
        if variable.attrs.get("kind") != "attribution":
            continue
        own = f"{name}_" if f"{name}_correction" in result else ""
        kept = [dim for dim in variable.dims if dim in ("sample", "target")]
        total = variable.fillna(0).sum([dim for dim in variable.dims if dim not in kept])
        told = result.output - result.baseline_output
        told = told + result[f"{own}completeness_gap"] + result[f"{own}correction"]
        scale = float(abs(variable).sum())
        np.testing.assert_allclose(total, told.transpose(*kept), atol=1e-12 * scale, err_msg=str(name))


WAYS: dict[str, dict[str, Any]] = {
    "adaptive": {},
    "fixed": {"n_steps": 9},
    "captum": {"engine": "captum", "n_steps": 9, "domains": [RFFT()]},
    "every class": {"target": "all"},
    "several baselines": {"baseline": baselines.data(noise(3, 1, 96, seed=5))},
    "every class from several baselines": {
        "baseline": baselines.data(noise(3, 1, 96, seed=5)),
        "target": "all",
    },
    "a baseline of its own": {"baseline": noise(1, 96, seed=6)},
    "a small budget": {"max_evaluations": 15},
}


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS.keys())
@pytest.mark.filterwarnings("ignore::freqig.errors.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::freqig.errors.CompletenessWarning")
def test_the_equation_holds(how: dict[str, Any]) -> None:
    how = {"domains": [RFFT(), Time(), STFT(1.0), Segments(1.0), Polar()], "tol": 0.003, **how}
    call = {key: how.pop(key) for key in ("baseline", "target") if key in how}
    result = Explainer(rough(), fs=FS, **how)(5 * noise(3, 1, 96), **call)
    assert result.correction.dims == result.completeness_gap.dims
    assert_adds_up(result)
    closed = abs(result.correction).max() > 0
    assert bool(closed) == ("n_steps" not in how)


@pytest.mark.filterwarnings("ignore::freqig.errors.ConvergenceWarning")
def test_the_equation_holds_for_several_inputs() -> None:
    explainer = Explainer(Pair(), fs=FS, domains=[RFFT(), Time()], tol=0.003)
    result = explainer((5 * noise(3, 1, 96), 5 * noise(3, 1, 96, seed=7)), target=0)
    parts = [name for name, v in result.data_vars.items() if v.attrs.get("kind") == "attribution"]
    told = result.output - result.baseline_output + result.completeness_gap + result.correction
    for name in ("rfft", "waveform"):
        total = sum(result[part].sum(result[part].dims[1:]) for part in parts if str(part).startswith(name))
        np.testing.assert_allclose(total, told, atol=1e-10)


def test_the_gap_is_that_before_the_correction() -> None:
    """With too few evaluations the sum is closed all the same; the gap says what there was to close."""
    case = kinks(40, 8, seed=5)
    path = case.solve(0.01, max_evaluations=15)
    products = (case.delta.unsqueeze(1) * path.mean_gradient).flatten(2)
    rest = products.sum(-1) - (path.output - path.baseline_output)
    closed = (path.correction != 0)[:, 0]
    assert closed.double().mean() > 0.5
    size = products.abs().sum(-1)
    # What is left is rounding, what is told is what the nodes left: as large as an error may be.
    assert (rest.abs() / size)[closed].max() < 1e-12
    gap = ((rest - path.correction).abs() / size)[closed]
    assert gap.median() > 1e-4
    assert path.converged is not None
    # Nothing that was closed by more than `tol` of the attributions is called converged.
    assert (gap[path.converged[closed]] <= 0.01).all()

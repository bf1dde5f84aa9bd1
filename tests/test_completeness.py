"""When a sample has converged, by the sentences of the README and of the guide to results."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from freqig import Explainer
from freqig.domains import RFFT, Time

from .helpers import FEW_NODES, noise

TOL, N = 0.01, 12


def within(result: xr.Dataset, tol: float) -> xr.DataArray:
    """Whether gaps are as small as is said, by what a result holds alone."""
    change = result.output - result.baseline_output
    size = abs(result.in_time).sum(["channel", "time"])
    rounding = 8 * np.finfo(np.float64).eps * np.maximum(abs(result.output), abs(result.baseline_output))
    left = tol * np.maximum(abs(change), 0.01 * size) + rounding
    before = np.where(result.correction != 0, np.maximum(tol * size + rounding, left), left)
    return (abs(result.completeness_gap + result.correction) <= left) & (
        abs(result.completeness_gap) <= before
    )


@pytest.mark.parametrize("cancelling", [0.0, 1.0], ids=["beside the change", "beside what cancels"])
@FEW_NODES
def test_fixed_nodes(cancelling: float) -> None:
    """Two nodes make an error of x⁸ alone, which grows from far below the limit to far above it."""
    x = np.zeros((60, 1, N))
    x[:, 0, :2] = 1.0
    x[:, 0, 2] = np.geomspace(1e-2, 1.0, 60)
    model = lambda v: v[:, 0, :1] - cancelling * v[:, 0, 1:2] + v[:, 0, 2:3] ** 8
    explainer = Explainer(model, domains=[Time("in_time"), RFFT()], n_steps=2, tol=TOL, dtype=torch.float64)
    result = explainer(x, target=0)
    expected = within(result, TOL)
    assert 5 < int(expected.sum()) < 55
    np.testing.assert_array_equal(result.converged, expected)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_adaptive_nodes() -> None:
    """Gaps of kinks are closed in part; no sample has converged whose gap is larger than is said."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(N, 16), nn.ReLU(), nn.Linear(16, 2)).double()
    explainer = Explainer(net, domains=[Time("in_time"), RFFT()], tol=5 * TOL, max_evaluations=24)
    result = explainer(noise(40, 1, N), target=0)
    done = result.converged.values
    assert 0 < done.sum() < len(done)
    assert (result.correction.values[done] != 0).any()
    assert within(result, 5 * TOL).values[done].all()
    assert (result.estimated_error.values[done] <= 5 * TOL).all()

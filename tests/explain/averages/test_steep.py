"""Steep places that few nodes meet, and jumps that none does: in closed form."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor

import freqig
from freqig.errors import FreqigWarning

N = 16
TOL = 0.01


@dataclass
class Steps:
    """Logistic steps of projections, K of them, and a linear part, explained from zero."""

    directions: np.ndarray
    places: np.ndarray
    widths: np.ndarray
    heights: np.ndarray
    linear: np.ndarray

    def __call__(self, x: Tensor) -> Tensor:
        directions, places, widths, heights, linear = map(torch.from_numpy, vars(self).values())
        steps = torch.sigmoid((x @ directions.T - places) / widths)
        return ((steps * heights).sum(-1) + x @ linear)[:, None]

    def explained(self, x: np.ndarray) -> np.ndarray:
        """Integrated Gradients: along the path a step rises as its projection does, which is linear."""
        along = x @ self.directions.T
        ends = [torch.from_numpy((at - self.places) / self.widths).sigmoid().numpy() for at in (along, 0)]
        slopes = self.heights * (ends[0] - ends[1]) / along
        return np.asarray(x * (slopes @ self.directions + self.linear))


def some(seed: int) -> tuple[Steps, np.ndarray]:
    """Steps a thousandth wide and less, or wider, which some of the paths of a group cross."""
    rng = np.random.default_rng(seed)
    k, samples = int(rng.choice([1, 2, 5])), int(rng.choice([40, 100, 256]))
    directions, widths = rng.normal(size=(k, N)), 10 ** rng.uniform(-4, -2, size=k)
    x = rng.normal(size=(samples, N)) + rng.normal(size=N) * rng.choice([0, 1, 2])
    places = np.quantile(x @ directions.T, rng.uniform(0.2, 0.8), axis=0) * rng.uniform(0.2, 0.9, size=k)
    heights = rng.choice([1.0, -1.0, 3.0], size=k)
    return Steps(directions, places, widths, heights, rng.normal(size=N) * 0.3 * rng.choice([0, 1])), x


def averaged(steps: Steps, x: np.ndarray) -> xr.Dataset:
    explainer = freqig.Explainer(steps, domains=freqig.Time(), dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FreqigWarning)
        return explainer.average(x, target=0, tol=TOL)


@pytest.mark.parametrize("seed", [14, 29, 31, 40, 46, 49, 57, 60, 63, 69, 74, 75])
def test_no_mean_is_believed_for_want_of_nodes(seed: int) -> None:
    """One node of all on a steep place says that there is one, and nothing of what the other samples have."""
    steps, x = some(seed)
    means = averaged(steps, x)
    each = steps.explained(x)
    error = np.abs(means.waveform.values - each.mean(0)).sum()
    scale = max(np.abs(each.mean(0)).sum(), 0.1 * np.abs(each).sum(1).mean())
    assert not means.converged or error <= TOL * scale


def test_a_steep_place_that_nodes_resolve_is_followed_to_the_end() -> None:
    rng = np.random.default_rng(0)
    x = 1 + 0.3 * rng.normal(size=(40, N))
    ones = np.ones(N) / N
    steps = Steps(ones[None], np.array([0.3]), np.array([0.001]), np.array([1.0]), ones)
    means = averaged(steps, x)
    assert bool(means.converged)
    assert means.n_evaluations > 64
    np.testing.assert_allclose(means.waveform, steps.explained(x).mean(0), rtol=0.01)


def test_a_jump_is_given_up_early() -> None:
    """No number of nodes meets it, and gaps that stay as they are say so."""
    rng = np.random.default_rng(0)
    x = 1 + 0.3 * rng.normal(size=(40, N))
    ones = np.ones(N) / N
    steps = Steps(ones[None], np.array([0.3]), np.array([1e-12]), np.array([1.0]), ones)
    means = averaged(steps, x)
    assert not bool(means.converged)
    assert means.n_evaluations == 64
    assert means.completeness_gap == pytest.approx(-1, abs=0.01)

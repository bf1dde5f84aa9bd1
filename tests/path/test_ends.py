"""F alone is bisected: jumps to the width at which places are told apart, steps to their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from freqig.chunks import Chunks
from freqig.path.ends import CONCENTRATED, bisect, blind_to_scale, pole
from freqig.path.gradients import Lines
from freqig.path.nodes import SIZES, SLOPES

from .paths import nodes_at, objective_of

X = torch.ones(3, 1, dtype=torch.float64)


def rises(function: object, edges: tuple[float, float] = (0.2, 0.3)) -> object:
    lines = Lines(objective_of(function, X), torch.zeros_like(X), X, Chunks(100))  # type: ignore[arg-type]
    sample = np.arange(3)
    both = np.tile(edges, (3, 1))
    values = lines.values(np.repeat(sample, 2), both.ravel()).reshape(3, 2, 1)
    return bisect(lines, sample, both, values, np.zeros(3, dtype=int), 1e-10)


@pytest.mark.parametrize("place", [0.2000001, 0.25, 0.2871])
def test_jumps_are_followed_to_the_end(place: float) -> None:
    found = rises(lambda x: 3.0 * (x[:, 0] > place))
    assert (found.share == 1).all()
    assert (found.edges[:, 0] <= place + 1e-15).all()
    assert (found.edges[:, 1] >= place).all()
    assert (np.diff(found.edges) <= 4e-10).all()
    assert np.allclose(found.rise, 3)
    # Each call of three halves twice: log₂(0.1 / 4e-10) is 28.
    assert max(map(len, found.visited)) <= 3 * 15


@pytest.mark.parametrize("width", [1e-3, 1e-6, 1e-8])
def test_steps_are_resolved_at_their_width(width: float) -> None:
    found = rises(lambda x: torch.sigmoid((x[:, 0] - 0.2345) / width))
    assert (found.share < CONCENTRATED).all()
    assert (np.diff(found.edges) > width).all()
    assert (np.diff(found.edges) < 100 * width).all()


def test_every_sample_has_its_own_end() -> None:
    jump = lambda x: (x[:, 0] > 0.23).double()
    step = lambda x: torch.sigmoid((x[:, 0] - 0.23) / 1e-4)
    lines = Lines(objective_of(lambda x: torch.stack([jump(x), step(x)], 1), X, 2), 0 * X, X, Chunks(7))
    edges = np.tile([0.2, 0.3], (2, 1))
    values = lines.values(np.array([0, 0, 1, 1]), edges.ravel()).reshape(2, 2, 2)
    found = bisect(lines, np.array([0, 1]), edges, values, np.array([0, 1]), 1e-10)
    assert (found.share >= CONCENTRATED).tolist() == [True, False]


@pytest.mark.parametrize(
    ("power", "is_pole"), [(0.0, False), (0.5, False), (0.8, False), (1.0, True), (1.5, True)]
)
def test_poles_are_what_cannot_be_integrated(power: float, is_pole: bool) -> None:
    """Sizes α^-p at nodes down to 1e-4: integrable for p < 1."""
    places = np.geomspace(1e-4, 0.9, 40)[None]
    nodes = nodes_at(places, torch.zeros(1, 40, 1, 1))
    trace = nodes.trace.copy()
    trace[SIZES, :, 1:-1, 0] = places**-power
    assert pole(places, trace).tolist() == [is_pole]


def test_blindness_is_slopes_of_nothing_beside_sizes() -> None:
    nodes = nodes_at(np.linspace(0.1, 0.9, 9)[None], torch.zeros(1, 9, 1, 1))
    trace = nodes.trace.copy()
    trace[SIZES, :, 1:-1], trace[SLOPES, :, 1:-1] = 1.0, 1e-9
    assert blind_to_scale(trace).all()
    trace[SLOPES, :, 1:-1] = 0.1
    assert not blind_to_scale(trace).any()

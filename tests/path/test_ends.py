"""F alone is bisected: jumps to the width at which places are told apart, steps to their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from freqig.chunks import Chunks
from freqig.path.ends import CONCENTRATED, Bisected, bisect, blind_to_scale, pole
from freqig.path.gradients import Lines
from freqig.path.nodes import SIZES, SLOPES

from .paths import nodes_at, objective_of

X = torch.ones(3, 1, dtype=torch.float64)


def rises(function: object, n_targets: int = 1, target: int = 0) -> Bisected:
    """What is found between 0.2 and 0.3 of the second sample."""
    objective = objective_of(function, X, n_targets)  # type: ignore[arg-type]
    lines, edges = Lines(objective, torch.zeros_like(X), X, Chunks(7)), np.array([0.2, 0.3])
    return bisect(lines, 1, edges, lines.values(np.array([1, 1]), edges), target, 1e-10)


@pytest.mark.parametrize("place", [0.2000001, 0.25, 0.2871])
def test_jumps_are_followed_to_the_end(place: float) -> None:
    found = rises(lambda x: 3.0 * (x[:, 0] > place))
    assert found.share == 1
    assert found.edges[0] <= place + 1e-15
    assert place <= found.edges[1] <= found.edges[0] + 4e-10
    assert np.allclose(found.rise, 3)
    # Each call of three halves twice: log₂(0.1 / 4e-10) is 28.
    assert len(found.visited) <= 3 * 15


@pytest.mark.parametrize("width", [1e-3, 1e-6, 1e-8])
def test_steps_are_resolved_at_their_width(width: float) -> None:
    found = rises(lambda x: torch.sigmoid((x[:, 0] - 0.2345) / width))
    assert found.share < CONCENTRATED
    assert width < found.edges[1] - found.edges[0] < 100 * width


@pytest.mark.parametrize(("target", "jumps"), [(0, True), (1, False)])
def test_the_target_is_followed(target: int, jumps: bool) -> None:
    jump = lambda x: (x[:, 0] > 0.23).double()
    step = lambda x: torch.sigmoid((x[:, 0] - 0.23) / 1e-4)
    found = rises(lambda x: torch.stack([jump(x), step(x)], 1), 2, target)
    assert (found.share >= CONCENTRATED) == jumps
    assert found.rise.shape == (2,)


@pytest.mark.parametrize(
    ("power", "is_pole"), [(0.0, False), (0.5, False), (0.8, False), (1.0, True), (1.5, True)]
)
def test_poles_are_what_cannot_be_integrated(power: float, is_pole: bool) -> None:
    """Sizes α^-p at nodes down to 1e-4: integrable for p < 1."""
    places = np.geomspace(1e-4, 0.9, 40)[None]
    nodes = nodes_at(places, torch.zeros(1, 40, 1, 1))
    trace = nodes.trace.copy()
    trace[SIZES, :, 1:-1, 0] = places**-power
    assert pole(places[0], trace[:, 0]) == is_pole


def test_blindness_is_slopes_of_nothing_beside_sizes() -> None:
    nodes = nodes_at(np.linspace(0.1, 0.9, 9)[None], torch.zeros(1, 9, 1, 1))
    trace = nodes.trace.copy()
    trace[SIZES, :, 1:-1], trace[SLOPES, :, 1:-1] = 1.0, 1e-9
    assert blind_to_scale(trace[:, 0])
    trace[SLOPES, :, 1:-1] = 0.1
    assert not blind_to_scale(trace[:, 0])

"""Places of many paths in full chunks: closed forms of F, slope, size and gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.chunks import Chunks
from freqig.path.gradients import Lines
from freqig.path.nodes import SIZES, SLOPES, VALUES

from ..helpers import noise
from .paths import objective_of

X, BASELINE = torch.tensor(noise(3, 6)), torch.tensor(noise(3, 6, seed=1))
SAMPLE, PLACE = np.array([0, 2, 2, 1, 0]), np.array([0.1, 0.5, 0.25, 0.9, 0.7])


def squares(x: Tensor) -> Tensor:
    return x.square().sum(1) / 2


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_the_gradient_of_a_square_is_the_point(chunk: int) -> None:
    lines = Lines(objective_of(squares, X), BASELINE, X - BASELINE, Chunks(chunk))
    trace, gradient = lines.gradients(SAMPLE, PLACE)
    delta = (X - BASELINE).numpy()[SAMPLE]
    points = BASELINE.numpy()[SAMPLE] + PLACE[:, None] * delta
    np.testing.assert_allclose(gradient[:, 0].numpy(), points, rtol=1e-12)
    np.testing.assert_allclose(trace[VALUES, :, 0], (points**2).sum(1) / 2)
    np.testing.assert_allclose(trace[SLOPES, :, 0], (points * delta).sum(1))
    np.testing.assert_allclose(trace[SIZES, :, 0], np.abs(points * delta).sum(1))
    np.testing.assert_allclose(lines.values(SAMPLE, PLACE)[:, 0], trace[VALUES, :, 0])


def test_what_is_not_finite_is_marked_and_not_handed_on() -> None:
    """Where x - x' is zero and the gradient infinite their product is nothing, and yet it is seen."""
    x = X.clone()
    x[:, 0] = BASELINE[:, 0]
    infinite = lambda x: squares(x) + (x[:, 0] - BASELINE[2, 0]).abs().sqrt()
    lines = Lines(objective_of(infinite, x), BASELINE, x - BASELINE, Chunks(4))
    trace, gradient = lines.gradients(SAMPLE, PLACE)
    assert np.array_equal(np.isnan(trace[SIZES, :, 0]), SAMPLE == 2)
    assert gradient.isfinite().all()
    assert (gradient[SAMPLE == 2] == 0).all()


def test_running_out_of_memory_repeats_a_chunk() -> None:
    calls = 0

    def sometimes(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if len(x) > 2:
            raise torch.OutOfMemoryError
        return squares(x)

    whole = Lines(objective_of(squares, X), BASELINE, X - BASELINE, Chunks(9)).gradients(SAMPLE, PLACE)
    parts = Lines(objective_of(sometimes, X), BASELINE, X - BASELINE, Chunks(4)).gradients(SAMPLE, PLACE)
    assert calls > 3
    assert np.array_equal(whole[0], parts[0])
    assert torch.equal(whole[1], parts[1])

"""The integral of FLEX written out: explicit DFT matrices, double weights, gradients by hand, no FFT."""

from __future__ import annotations

import numpy as np
import pytest

from freqig import attribute

from ..helpers import FEW_NODES, LENGTHS, Smooth, SmoothTruth, close, fourier, legendre, noise, scores_of

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def by_matrices(
    model: SmoothTruth, x: np.ndarray, baseline: np.ndarray, target: int, n_steps: int
) -> np.ndarray:
    """Integrated Gradients with respect to real and imaginary parts of the spectrum, shape (k, n_freq)."""
    n = x.shape[-1]
    real, imag, counts = fourier(n)
    # Series from spectrum: x = Re @ from_real + Im @ from_imag, each of shape (n_freq, n).
    from_real, from_imag = counts[:, None] / n * real, counts[:, None] / n * imag
    ends = [(series @ real.T, series @ imag.T) for series in (baseline, x)]
    (real_0, imag_0), (real_1, imag_1) = ends
    np.testing.assert_allclose(real_1 @ from_real + imag_1 @ from_imag, x, atol=1e-12)
    scores = np.zeros_like(real_0)
    for node, weight in zip(*legendre(n_steps), strict=True):
        point = real_0 + node * (real_1 - real_0), imag_0 + node * (imag_1 - imag_0)
        gradient = model.gradient(point[0] @ from_real + point[1] @ from_imag, target)
        scores += weight * (real_1 - real_0) * (gradient @ from_real.T)
        scores += weight * (imag_1 - imag_0) * (gradient @ from_imag.T)
    return scores


@FEW_NODES
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_baseline", [False, True], ids=["zero", "baseline"])
@pytest.mark.parametrize("n_steps", [1, 50])
def test_attribute_is_the_integral(n: int, channels: int, with_baseline: bool, n_steps: int) -> None:
    model, truth = Smooth(n, channels), SmoothTruth(n, channels)
    x = noise(4, channels, n)
    baseline = noise(4, channels, n, seed=1) if with_baseline else np.zeros_like(x)
    target = [2, 0, 1, 0]
    scores = attribute(x, model, target, baseline if with_baseline else None, n_steps)
    expected = [by_matrices(truth, *sample, n_steps) for sample in zip(x, baseline, target, strict=True)]
    assert scores.dtype == np.float64
    close(scores, np.stack(expected), 1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_single_series_are_the_integral(n: int) -> None:
    x, baseline = noise(n), noise(n, seed=1)
    expected = by_matrices(SmoothTruth(n), x[None], baseline[None], 1, 50)
    close(attribute(x, Smooth(n), 1, baseline), expected[0], 1e-12)
    close(attribute(x[None], Smooth(n), 1, baseline), expected[0], 1e-12)
    channels = np.stack([x, 2 * x + 1])
    expected = by_matrices(SmoothTruth(n, 2), channels, np.zeros((2, n)), 1, 50)
    close(attribute(channels, Smooth(n, 2), 1), expected, 1e-12)


@pytest.mark.parametrize(("start", "length"), [(0, 5), (4, 6), (7, 6), (12, 1), (0, 13)])
@pytest.mark.parametrize("with_baseline", [False, True], ids=["zero", "baseline"])
def test_segment_is_a_part_of_the_same_path(start: int, length: int, with_baseline: bool) -> None:
    n, stretch = 13, slice(start, start + length)
    truth, piece = SmoothTruth(n, 2), noise(2, length, seed=2)
    x = noise(2, n)
    baseline = noise(2, n, seed=1) if with_baseline else np.zeros((2, n))
    scores = attribute(
        x, Smooth(n, 2), 2, baseline if with_baseline else None, segment=piece, start_idx=start
    )
    replaced = x.copy()
    replaced[:, stretch] = piece
    mean_gradient = truth.mean_gradient(replaced, baseline, 2, 50)
    close(scores, scores_of((replaced - baseline)[:, stretch], mean_gradient[:, stretch]), 1e-12)

"""What holds for every model and every signal, tried on many."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from freqig import RFFT, Explainer, Time, attribute, chunks

from ..helpers import Smooth, close, noise

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

# Everything runs in float64, where only quadrature and rounding are left to differ.
RTOL = 1e-9


@dataclass(frozen=True)
class Case:
    """Smooth models of random weights, and series with baselines; n odd as often as even."""

    n: int
    channels: int
    samples: int
    seed: int

    @property
    def x(self) -> np.ndarray:
        return noise(self.samples, self.channels, self.n, seed=self.seed)

    @property
    def baseline(self) -> np.ndarray:
        return noise(self.samples, self.channels, self.n, seed=self.seed + 1)

    @property
    def model(self) -> Smooth:
        return Smooth(self.n, self.channels, seed=self.seed + 2)

    @property
    def other_model(self) -> Smooth:
        return Smooth(self.n, self.channels, seed=self.seed + 3)

    @property
    def target(self) -> list[int]:
        return np.random.default_rng(self.seed).integers(0, 3, self.samples).tolist()


cases = st.builds(
    Case,
    n=st.integers(1, 40),
    channels=st.integers(1, 3),
    samples=st.integers(1, 4),
    seed=st.integers(0, 2**16),
    # Several channels of a single value in time are refused, for they may be one of many values.
).filter(lambda case: case.n > 1 or case.channels == 1)
few = settings(max_examples=12)


def outputs(model: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor(x)).numpy()


@few
@given(cases)
def test_completeness(case: Case) -> None:
    """Σ attribution = F(x) - F(x'), whatever the channels and the parity of n."""
    scores = attribute(case.x, case.model, case.target, case.baseline)
    rows = np.arange(case.samples)
    difference = (outputs(case.model, case.x) - outputs(case.model, case.baseline))[rows, case.target]
    np.testing.assert_allclose(scores.sum((1, 2)), difference, rtol=RTOL, atol=RTOL)


@few
@given(cases, st.floats(-3, 3), st.floats(-3, 3))
def test_linearity_in_the_model(case: Case, a: float, b: float) -> None:
    first, second = case.model, case.other_model
    together = attribute(case.x, lambda x: a * first(x) + b * second(x), case.target, case.baseline)
    parts = [attribute(case.x, model, case.target, case.baseline) for model in (first, second)]
    np.testing.assert_allclose(together, a * parts[0] + b * parts[1], rtol=0, atol=RTOL)


@few
@given(cases, st.integers(0, 2))
def test_dummy_channel(case: Case, position: int) -> None:
    """A channel that the model ignores gets nothing, and the others what they get without it."""
    kept = [channel for channel in range(case.channels + 1) if channel != min(position, case.channels)]
    model = case.model
    wide = noise(case.samples, case.channels + 1, case.n, seed=case.seed + 4)
    wide[:, kept] = case.x
    scores = attribute(wide, lambda x: model(x[:, kept]), case.target)
    assert not scores[:, min(position, case.channels)].any()
    close(scores[:, kept], attribute(case.x, case.model, case.target), RTOL)


@few
@given(cases, st.data())
def test_dummy_frequency(case: Case, data: st.DataObject) -> None:
    """A frequency that the model filters out gets nothing."""
    k = data.draw(st.integers(0, case.n // 2))
    model = case.model

    def filtered(x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x)
        passes = torch.arange(spectrum.shape[-1]) != k
        return model(torch.fft.irfft(spectrum * passes, case.n))

    scores = attribute(case.x, filtered, case.target, case.baseline)
    np.testing.assert_allclose(scores[..., k], 0, atol=RTOL)


@few
@given(cases, st.integers(1, 3))
def test_implementation_invariance(case: Case, width: int) -> None:
    """A convolution, and the same as sums of shifted products, are one function."""
    width = min(width, case.n)
    layer = nn.Conv1d(case.channels, 2, width).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(noise(2, case.channels, width, seed=case.seed + 5)))

    def by_layer(x: Tensor) -> Tensor:
        return layer(x).tanh().mean(-1)

    def by_hand(x: Tensor) -> Tensor:
        x = x.reshape(len(x), case.channels, case.n)
        products = torch.einsum("pctw,ocw->pot", x.unfold(-1, width, 1), layer.weight)
        return (products + layer.bias[:, None]).tanh().mean(-1)

    first, second = (attribute(case.x, model, 1, case.baseline) for model in (by_layer, by_hand))
    np.testing.assert_allclose(first, second, rtol=0, atol=RTOL)


@few
@given(cases)
def test_batch_invariance(case: Case) -> None:
    """A series in a batch gets what it gets alone."""
    scores = attribute(case.x, case.model, case.target, case.baseline)
    for row, x, baseline, target in zip(scores, case.x, case.baseline, case.target, strict=True):
        alone = attribute(x, case.model, target, baseline)
        close(alone.reshape(row.shape), row, RTOL)


@few
@given(cases, st.integers(1, 70))
def test_chunk_invariance(case: Case, size: int) -> None:
    """However many points go to the model at once."""
    scores = attribute(case.x, case.model, case.target, case.baseline, 7)
    seen = []

    def model(x: Tensor) -> Tensor:
        seen.append(len(x))
        return case.model(x)

    with mock.patch.object(chunks, "MAX_POINTS", size):
        limited = attribute(case.x, model, case.target, case.baseline, 7)
    # No call has less than two points, nor have the checks before the path.
    assert max(seen) <= max(size, 3)
    close(limited, scores, RTOL)


@few
@given(cases, st.integers(-50, 50))
def test_time_shift(case: Case, shift: int) -> None:
    """Moving series and model round the circle together moves no score: phases cancel."""
    model = case.model
    moved = attribute(
        np.roll(case.x, shift, -1),
        lambda x: model(x.roll(-shift, -1)),
        case.target,
        np.roll(case.baseline, shift, -1),
    )
    close(moved, attribute(case.x, case.model, case.target, case.baseline), RTOL)


@few
@given(cases)
def test_exchange_of_the_ends(case: Case) -> None:
    """The way back takes the same points, and gives everything with the other sign."""
    there = attribute(case.x, case.model, case.target, case.baseline)
    close(-attribute(case.baseline, case.model, case.target, case.x), there, RTOL)


@few
@given(cases)
def test_sums_over_time_and_frequency_agree(case: Case) -> None:
    """Parseval's theorem: channel by channel, Σ_k attribution = Σ_t δ·ḡ."""
    explainer = Explainer(case.model, domains=[RFFT(), Time()], n_steps=9, tol=10)
    result = explainer(case.x, target=case.target, baseline=case.baseline)
    close(result.rfft.sum("frequency"), result.waveform.sum("time"), RTOL)
    scores = attribute(case.x, case.model, case.target, case.baseline)
    in_time = Explainer(case.model, domains=Time(), n_steps=50)
    result = in_time(case.x, target=case.target, baseline=case.baseline)
    close(scores.sum(-1), result.waveform.sum("time"), RTOL)


@few
@given(cases, st.data())
def test_segments_share_the_path(case: Case, data: st.DataObject) -> None:
    """Segments that cover the input add up, wherever they meet, channel by channel."""
    cuts = data.draw(st.sets(st.integers(1, case.n), max_size=3)) | {0, case.n}
    edges = sorted(cuts)
    parts = [
        attribute(
            case.x, case.model, case.target, case.baseline, segment=case.x[..., begin:end], start_idx=begin
        ).sum(-1)
        for begin, end in itertools.pairwise(edges)
    ]
    whole = attribute(case.x, case.model, case.target, case.baseline).sum(-1)
    np.testing.assert_allclose(sum(parts), whole, rtol=0, atol=RTOL)


@few
@given(st.integers(1, 40), st.integers(0, 2**16))
def test_mean_is_the_lowest_frequency(n: int, seed: int) -> None:
    """For the energy, which no frequency shares with another: n odd or even, the mean is at DC alone."""
    x = noise(n, seed=seed)
    anchor = Smooth(n)  # only says that the model runs in float64

    def energy(x: Tensor) -> Tensor:
        return x.square().sum(-1) + 0 * anchor.c[0]

    scores, centred = attribute(x, energy), attribute(x - x.mean(), energy)
    np.testing.assert_allclose(scores[0], n * x.mean() ** 2, atol=RTOL)
    np.testing.assert_allclose(centred, scores * (np.arange(len(scores)) > 0), atol=RTOL)

"""Baselines: what each keeps and removes, and that chance is reproducible and private."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import freqig
from freqig.baselines import (
    Baseline,
    band_removed,
    data,
    dc,
    noise,
    surrogate,
    zero,
)
from freqig.baselines.reading import describe_baseline, draw_baselines
from freqig.domains import RFFT

from ..helpers import SmoothTruth, close
from ..helpers import noise as normal

FS = 50.0
LENGTHS = (1, 2, 3, 16, 33)
EVERY = [
    pytest.param(make, id=name)
    for name, make in {
        "zero": lambda shape: zero(),
        "dc": lambda shape: dc(),
        "band_removed": lambda shape: band_removed(0, 30),
        "surrogate": lambda shape: surrogate(3, draws=2),
        "surrogate, together": lambda shape: surrogate(3, together=True),
        "noise": lambda shape: noise(draws=3),
        "data": lambda shape: data(normal(4, *shape)),
    }.items()
]
RANDOM = [surrogate(5, draws=2), surrogate(5, together=True), noise(-1, 5, draws=2), noise(2.0, 5)]


def signals(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(normal(*shape, seed=seed)) + 2.0


def power(x: Tensor) -> Tensor:
    return torch.fft.rfft(x.double()).abs()


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("axes", [(), (3,), (1, 2)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.int16])
def test_shapes_and_descriptions(make: Any, n: int, axes: tuple[int, ...], dtype: torch.dtype) -> None:
    x = (10 * signals(5, *axes, n)).to(dtype)
    kept, baseline = x.clone(), make((*axes, n))
    drawn = draw_baselines(baseline, x, -1, FS)
    assert drawn.shape[1:] == x.shape
    assert drawn.is_floating_point()
    assert bool(drawn.isfinite().all())
    assert torch.equal(x, kept)
    description = describe_baseline(baseline)
    assert json.loads(json.dumps(description)) == description
    assert description["name"] in dir(freqig.baselines)
    assert draw_baselines(baseline, x[:0], -1, FS).shape == (1, 0, *axes, n)


@pytest.mark.parametrize("n", LENGTHS)
def test_zero_and_mean(n: int) -> None:
    x = signals(4, 2, n)
    assert not zero().draw(x, None).any()
    expected = x.mean(-1, keepdim=True).expand_as(x)
    torch.testing.assert_close(dc().draw(x, None)[0], expected, rtol=0, atol=1e-14)
    spectrum = torch.fft.rfft(x - dc().draw(x, None)[0])
    assert float(spectrum[..., 0].abs().max()) <= 1e-12


@pytest.mark.parametrize("n", [100, 101])
def test_attributions_live_in_the_band_that_was_removed(n: int) -> None:
    """And sum to what the band did, for a model that is not linear."""
    x, truth = signals(2, n), SmoothTruth(n, 2)
    without = band_removed(8, 12.5).draw(x[None], FS)[0, 0]
    gradient = truth.mean_gradient(x.numpy(), without.numpy(), 1, 30)
    values = RFFT().attribution(x - without, torch.from_numpy(gradient)).numpy()
    frequencies = np.fft.rfftfreq(n, 1 / FS)
    inside = (frequencies >= 8) & (frequencies < 12.5)
    assert np.abs(values[:, ~inside]).max() <= 1e-14
    close(values[:, inside].sum(), truth(x.numpy())[1] - truth(without.numpy())[1], 1e-10)
    # Everything else is as it was; the edges are half-open.
    others = torch.fft.rfft(x - without)[:, inside] - torch.fft.rfft(x)[:, inside]
    assert float(others.abs().max()) <= 1e-12
    if n == 100:
        assert inside[frequencies == 8].all()
        assert not inside[frequencies == 12.5].any()


def test_nyquist_and_dc_can_be_removed() -> None:
    x = signals(1, 10)
    assert float(band_removed(0, 1).draw(x, 10.0).mean().abs()) <= 1e-14
    left = band_removed(5, 6).draw(x, 10.0)[0]
    alternating = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(5)
    assert float((left @ alternating).abs()) <= 1e-13
    torch.testing.assert_close(power(left)[..., :-1], power(x)[..., :-1], rtol=0, atol=1e-13)


@given(
    n=st.integers(1, 60),
    channels=st.integers(1, 3),
    seed=st.integers(0, 2**40),
    together=st.booleans(),
)
def test_surrogates_keep_magnitudes(n: int, channels: int, seed: int, together: bool) -> None:
    x = signals(2, channels, n, seed=seed % 1000)
    drawn = surrogate(seed, together=together, draws=2).draw(x, None)
    torch.testing.assert_close(power(drawn), power(x).expand(2, -1, -1, -1), rtol=0, atol=1e-12)
    torch.testing.assert_close(drawn.mean(-1), x.mean(-1).expand(2, -1, -1), rtol=0, atol=1e-13)
    if n > 4:
        assert not torch.allclose(drawn[0], drawn[1])
        assert not torch.allclose(drawn[0], x)


def test_surrogates_of_related_channels() -> None:
    x = signals(1, 3, 200)
    x[:, 2] = x[:, 0].roll(7, -1)

    def cross(signal: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(signal[0])
        return spectrum[0] * spectrum[1:].conj()

    kept = surrogate(1, together=True).draw(x, None)[0]
    broken = surrogate(1).draw(x, None)[0]
    torch.testing.assert_close(cross(kept), cross(x), rtol=0, atol=1e-10)
    assert float((cross(broken) - cross(x)).abs().max()) > 1
    # Phases are uniform on the circle: their mean vector is short.
    turns = torch.fft.rfft(surrogate(2).draw(x, None)[0]) / torch.fft.rfft(x)
    assert float(turns[..., 1:-1].mean().abs()) < 0.2


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0, 1.0])
def test_noise_follows_its_power_law(exponent: float) -> None:
    x = signals(400, 2, 256)
    drawn = noise(exponent, seed=1).draw(x, None)[0]
    torch.testing.assert_close(drawn.mean(-1), x.mean(-1), rtol=0, atol=1e-12)
    torch.testing.assert_close(drawn.std(-1), x.std(-1), rtol=0, atol=1e-12)
    mean_power = power(drawn).square().mean((0, 1))[2:]
    k = torch.arange(2, 129, dtype=torch.float64)
    slope, level = np.polyfit(k[:-1].log().numpy(), mean_power[:-1].log().numpy(), 1)
    assert abs(slope - exponent) < 0.05
    # The bin at Nyquist, which is real, has as much as its neighbours.
    assert abs(mean_power[-1].log() - level - slope * k[-1].log()) < 0.25


def test_noise_for_series_without_variance() -> None:
    for n in (1, 2, 9):
        constant = torch.full((2, n), 3.0)
        assert bool((noise().draw(constant, None) == 3).all())


@pytest.mark.parametrize("baseline", RANDOM)
def test_chance_is_private_and_reproducible(baseline: Any) -> None:
    x = signals(6, 2, 20)
    torch.manual_seed(0)
    # NumPy's global state is the one that must not move.
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    drawn = baseline.draw(x, None)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert torch.equal(baseline.draw(x, None), drawn)
    # A sample has its baseline whoever comes after it.
    assert torch.equal(baseline.draw(x[:2], None), drawn[:, :2])
    # And samples have different ones.
    same = x[:1].expand_as(x)
    different = baseline.draw(same, None)
    assert not torch.allclose(different[:, 0], different[:, 1])
    other = type(baseline)(**{**vars(baseline), "seed": 6})
    assert not torch.allclose(other.draw(x, None), drawn)
    # The same for signals in single precision, to their rounding.
    torch.testing.assert_close(baseline.draw(x.float(), None), drawn, rtol=0, atol=1e-5)


def test_data() -> None:
    samples = normal(4, 3, 20)
    x = signals(2, 3, 20)
    drawn = draw_baselines(data(samples), x, -1, None)
    assert drawn.shape == (4, 2, 3, 20)
    for i in range(2):
        np.testing.assert_array_equal(drawn[:, i], samples)
    # In the layout of the signals: here time comes before channels.
    moved = draw_baselines(data(samples.swapaxes(1, 2)), x, 1, None)
    np.testing.assert_array_equal(moved, drawn)
    first, second = (describe_baseline(data(values)) for values in (samples, samples + 1e-9))
    assert first["count"] == 4
    assert first["sha256"] != second["sha256"]
    # No copies: as many bytes as the samples, whatever the number of signals.
    assert drawn.untyped_storage().nbytes() == samples.nbytes


def test_values_and_none_as_before() -> None:
    x = signals(2, 3, 20)
    assert draw_baselines(None, x, -1, None).shape == (1, 2, 3, 20)
    given_values = normal(3, 20)
    drawn = draw_baselines(given_values, x, -1, None)
    np.testing.assert_array_equal(drawn[0, 1], given_values)
    assert describe_baseline(given_values) == {"name": "given"}


class Own(Baseline):
    def __init__(self, result: Any) -> None:
        self.result = result

    def draw(self, x: Tensor, fs: float | None) -> Any:
        return self.result(x)

    def describe(self) -> dict[str, Any]:
        return {"name": "own"}


def test_own_baselines() -> None:
    x = signals(2, 3, 20)
    assert torch.equal(draw_baselines(Own(lambda x: x.flip(-1)[None]), x, -1, None)[0], x.flip(-1))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: zero, TypeError, r"not what makes one: write zero\(\), with parentheses"),
        (lambda x: "zero", TypeError, "baseline must be numeric"),
        (lambda x: band_removed(8, 12), ValueError, "pass fs="),
        (lambda x: data(x[:, :2]), ValueError, r"samples of baselines\.data must have the shape .* 3, 20"),
        (lambda x: data(x[:0]), ValueError, "must be at least one, got none"),
        (lambda x: data(x[0, 0]), ValueError, "samples must have a batch axis first"),
        (lambda x: data(x * torch.nan), ValueError, "samples must be finite"),
        (lambda x: Own(lambda x: x), ValueError, r"shape \(baselines, 2, 3, 20\), got \(2, 3, 20\)"),
        (lambda x: Own(lambda x: x.numpy()), ValueError, "must return a tensor"),
        (lambda x: Own(lambda x: x[None] / 0), ValueError, "baseline must be finite"),
        (lambda x: band_removed(12, 8), ValueError, "low must be below high, got 12 and 8 Hz"),
        (lambda x: band_removed(-1, 8), ValueError, "low must be finite"),
        (lambda x: surrogate(-1), ValueError, "seed must be at least 0, got -1"),
        (lambda x: surrogate(draws=0), ValueError, "draws must be at least 1"),
        (lambda x: noise(np.inf), ValueError, "power must be finite"),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    x = signals(2, 3, 20)
    with pytest.raises(error, match=message):
        draw_baselines(make(x), x, -1, None)


def test_a_band_between_two_frequencies_is_refused() -> None:
    with pytest.raises(ValueError, match=r"20 samples at fs=50 Hz know multiples of 2\.5 Hz up to 25 Hz"):
        band_removed(8, 9).draw(signals(1, 20), FS)

"""The cepstrum: closed forms, explicit sums, echoes and pitches, and the baseline that it holds for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from freqig import RFFT, Cepstrum, Explainer, baselines

from ..helpers import noise
from .every import tensor

pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

FS = 2000.0
FLAT = baselines.flat_log_spectrum()
EPS = np.finfo(np.float32).eps


def counts(n: int) -> np.ndarray:
    return np.array([1.0 if 2 * k % n == 0 else 2.0 for k in range(n // 2 + 1)])


def cosines(n: int) -> np.ndarray:
    """∂ log|X_k| / ∂ quefrency m: each but the ends stands for two, shape (k, m)."""
    k = np.arange(n // 2 + 1)
    return counts(n) * np.cos(2 * np.pi * k[:, None] * k / n)


def voice(pitch: float, n: int = 1000, fs: float = FS, seed: int = 0) -> np.ndarray:
    """Harmonics of a pitch, of falling strength and any phase, in a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / fs
    orders = np.arange(1, int(fs / 2 / pitch))
    waves = np.cos(2 * np.pi * pitch * orders[:, None] * t + rng.uniform(0, 2 * np.pi, (len(orders), 1)))
    return (waves / orders[:, None]).sum(0) + 0.02 * rng.standard_normal(n)


def explain(model: Any, x: np.ndarray, baseline: Any = FLAT, **how: Any) -> Any:
    return Explainer(model, fs=FS, domains=Cepstrum(), dtype=torch.float64, **how)(
        x, target=0, baseline=baseline
    )


def of_log_spectrum(w: np.ndarray) -> Any:
    """F = Σ w_k log|X_k|, linear in the cepstrum."""
    weights = torch.from_numpy(w)
    return lambda x: (torch.fft.rfft(x).abs().log() * weights).flatten(1).sum(1, keepdim=True)


@pytest.mark.parametrize("n", [2, 3, 16, 33])
def test_a_model_of_the_log_spectrum_in_closed_form(n: int) -> None:
    x, w = noise(3, n), noise(n // 2 + 1, seed=1)
    result = explain(of_log_spectrum(w), x)
    log = np.log(np.abs(np.fft.rfft(x)))
    mean = (counts(n) * log).sum(-1, keepdims=True) / n
    change = np.linalg.solve(cosines(n), (log - mean).T).T
    np.testing.assert_allclose(result.cepstrum, change * (w @ cosines(n)), atol=1e-9)
    np.testing.assert_allclose(result.cepstrum[:, 0], 0, atol=1e-9)
    np.testing.assert_allclose(
        result.cepstrum.sum("cepstrum_quefrency"), ((log - mean) * w).sum(-1), atol=1e-9
    )
    np.testing.assert_array_equal(result.cepstrum_quefrency, np.arange(n // 2 + 1) / FS)
    assert result.cepstrum_quefrency.attrs["units"] == "s"


@pytest.mark.parametrize("n", [1, 2, 3, 16, 33])
def test_the_baseline_is_flat_and_in_phase(n: int) -> None:
    x = noise(3, 2, n)
    flat = np.fft.rfft(FLAT.draw(torch.from_numpy(x), None)[0].numpy())
    X = np.fft.rfft(x)
    level = np.exp((counts(n) * np.log(np.abs(X))).sum(-1, keepdims=True) / n)
    np.testing.assert_allclose(flat, level * X / np.abs(X), atol=1e-12)


@pytest.mark.parametrize("pitch", [80.0, 125.0, 200.0])
def test_what_hears_a_pitch_is_found_at_its_period(pitch: float) -> None:
    """The cepstral pitch detector of Noll (1967), as a model: one quefrency, and no others."""
    period = round(FS / pitch)
    x = voice(pitch)[None]

    def model(x: torch.Tensor) -> torch.Tensor:
        log = torch.fft.rfft(x).abs().log()
        return torch.fft.irfft(log.to(torch.complex128), x.shape[-1])[..., period][:, None]

    result = explain(model, x)
    found = result.cepstrum[0]
    assert float(found.cepstrum_quefrency[found.values.argmax()]) == pytest.approx(1 / pitch)
    assert float(found.max() / found.sum()) == pytest.approx(1)


def test_an_echo_stands_at_its_delay_whatever_the_model_looks_at() -> None:
    """Bogert's example: |1 + a exp(-iωd)| swings along the spectrum; a sum of powers sees it everywhere."""
    n, delay = 512, 60
    x = noise(1, n)
    echo = np.stack([x[0], np.roll(x[0], delay)]).T @ [1, 0.8]
    power = lambda x: x.square().sum(-1, keepdim=True)
    ratio = [abs(explain(power, one).cepstrum[0, delay].values) for one in (echo[None], x)]
    assert ratio[0] > 10 * ratio[1]


def test_bins_that_are_rounding_are_held_and_counted() -> None:
    """Two tones on bins: all others hold rounding, keep it, and get nothing for it."""
    n = 200
    t = np.arange(n)
    x = np.cos(2 * np.pi * 10 * t / n) + 0.1 * np.cos(2 * np.pi * 30 * t / n)
    flat = np.fft.rfft(FLAT.draw(torch.from_numpy(x)[None], None)[0, 0].numpy())
    level = np.sqrt(1 * 0.1) * n / 2
    np.testing.assert_allclose(np.abs(flat[[10, 30]]), level)
    others = np.delete(np.arange(101), [10, 30])
    assert np.abs(flat[others]).max() < 1e-10
    power = lambda x: x.square().sum(-1, keepdim=True)
    result = explain(power, np.stack([x, x + 0.1 * noise(n)]))
    assert result.cepstrum_n_held.values.tolist() == [99, 0]
    total = result.cepstrum.sum("cepstrum_quefrency")
    np.testing.assert_allclose(total, result.output - result.baseline_output, rtol=1e-3)
    assert "held" in result.cepstrum_n_held.attrs["long_name"]
    # The floor is where it is said to be.
    for factor, n_held in ((0.5, 100), (2.0, 99)):
        low = x + 2 / n * factor * EPS * (n / 2) * np.cos(2 * np.pi * 50 * t / n)
        low -= 0.1 * np.cos(2 * np.pi * 30 * t / n)
        bound = Cepstrum().bind((n,), FS)
        assert bound.counts(bound.analyze(torch.from_numpy(low)[None]))["n_held"].item() == n_held


@given(
    n=st.integers(1, 120),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    kind=st.sampled_from(["noise", "tone", "click", "constant", "steps"]),
    seed=st.integers(0, 999),
)
def test_the_flat_baseline_always_fits(n: int, scale: float, offset: float, kind: str, seed: int) -> None:
    """Drawn in float64 and explained in float32 too, with many bins or few at the floor."""
    rng, t = np.random.default_rng(seed), np.arange(n)
    shapes = {
        "noise": rng.normal(size=n),
        "tone": np.sin(2 * np.pi * rng.integers(1, n + 1) * t / n),
        "click": (t == rng.integers(0, n)).astype(float),
        "constant": np.ones(n),
        "steps": np.sign(rng.normal(size=n)),
    }
    x = torch.from_numpy(scale * (shapes[kind] + offset))[None]
    if not x.any():
        x = x + 1
    flat = FLAT.draw(x, None)[0]
    for dtype in (torch.float32, torch.float64):
        ends = x.to(dtype), flat.to(dtype)
        domain = Cepstrum().prepare(*ends)
        for signal, c in zip(ends, domain.coordinates(*ends), strict=True):
            error = (domain.synthesize(c, n) - signal).abs().max()
            largest = max(float(end.abs().max()) for end in ends)
            # Bins at the floor are off by eps of the largest bin, which may be n times the largest sample.
            assert float(error) <= (200 + 30 * n) * torch.finfo(dtype).eps * largest


@pytest.mark.parametrize(
    "baseline",
    [baselines.zero(), baselines.dc(), baselines.surrogate(), baselines.noise(), noise(1, 64)],
    ids=["zero", "dc", "surrogate", "noise", "array"],
)
def test_another_baseline_is_an_error(baseline: Any) -> None:
    with pytest.raises(ValueError, match=r"pass baseline=freqig.baselines.flat_log_spectrum\(\)"):
        explain(lambda x: x.sum(-1, keepdim=True), noise(1, 64), baseline)


@pytest.mark.parametrize("n", [64, 65])
@pytest.mark.parametrize("baseline", [np.zeros, lambda shape: np.full(shape, 1e-9)], ids=["zero", "faint"])
def test_silence_is_no_flat_spectrum_where_most_bins_are_at_the_floor(baseline: Any, n: int) -> None:
    tones = np.array([1, 0.5, 0.1]) @ np.cos(2 * np.pi * np.arange(n) * np.array([[5], [9], [12]]) / n)
    with pytest.raises(ValueError, match=r"pass baseline=freqig.baselines.flat_log_spectrum\(\)"):
        explain(lambda x: x.sum(-1, keepdim=True), tones[None], baseline((1, n)))
    explain(lambda x: x.square().sum(-1, keepdim=True), tones[None])


def test_a_flat_spectrum_of_other_phases_or_another_level_is_an_error() -> None:
    x = noise(1, 64)
    flat = FLAT.draw(torch.from_numpy(x), None)[0]
    for other in (2 * flat, -flat, flat.flip(-1), flat.roll(1, -1)):
        with pytest.raises(ValueError, match="must have a flat log spectrum and the phases of x"):
            explain(lambda x: x.sum(-1, keepdim=True), x, other.numpy())


def test_silence_is_an_error_and_a_silent_channel_is_not() -> None:
    model = lambda x: x.flatten(1).square().sum(1, keepdim=True)
    x = noise(3, 2, 64)
    x[1, 0] = 0
    result = explain(model, x)
    assert not result.cepstrum[1, 0].any()
    assert result.cepstrum_n_held.values.tolist() == [0, 33, 0]
    x[1] = 0
    with pytest.raises(ValueError, match=r"x must not be zero throughout .* got sample 1 \(1 such samples\)"):
        explain(model, x)
    with pytest.raises(ValueError, match="x must not be zero throughout for domain 'cepstrum'"):
        explain(model, x, x.copy())


def test_it_follows_a_path_of_its_own() -> None:
    x = tensor(2, 64)
    with pytest.raises(TypeError, match="must be explained along a path of its own"):
        Cepstrum().analyze_pair(x, x)
    with pytest.raises(ValueError, match="must give series"):
        _ = Cepstrum() >> RFFT()
    none = explain(lambda x: x.sum(-1, keepdim=True), noise(0, 64))
    assert none.cepstrum.shape == (0, 33)
    assert none.cepstrum_n_held.shape == (0,)

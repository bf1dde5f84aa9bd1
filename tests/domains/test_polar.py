"""Polar coordinates: closed forms, Captum on F ∘ S, the same path as RFFT where it must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from freqig.baselines import band_removed, surrogate
from freqig.domains import RFFT, NonlinearDomain, Polar, Spatial
from freqig.domains.polar import NEGLIGIBLE

from ..helpers import Smooth, SmoothTruth, close, noise
from ..own_path import explained
from .every import tensor

LENGTHS = (1, 2, 3, 8, 13, 16)


def counts(n: int) -> np.ndarray:
    return np.array([1.0 if 2 * k % n == 0 else 2.0 for k in range(n // 2 + 1)])


@pytest.mark.parametrize("n", LENGTHS)
def test_energy_is_all_amplitude(n: int) -> None:
    """F = |x|² / 2 does not see phases: Parseval's difference of powers, and nothing for phases."""
    x, baseline = noise(3, 2, n), noise(3, 2, n, seed=1)
    own = explained(lambda x: x.square().sum((1, 2)) / 2, *map(torch.from_numpy, (x, baseline)))
    power = np.abs(np.fft.rfft(x)) ** 2 - np.abs(np.fft.rfft(baseline)) ** 2
    values = own.attributions[:, 0].numpy()
    close(values[:, :, 0], counts(n) / (2 * n) * power, 1e-12)
    np.testing.assert_allclose(values[:, :, 1], 0, atol=1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_linear_model_in_closed_form(n: int) -> None:
    """F = w·x: with G = RFFT(w), F = Σ w_k/n |G_k| r_k cos(φ_k - arg G_k), integrated by hand."""
    x, baseline, w = noise(2, n), noise(2, n, seed=1), noise(n, seed=2)
    weights = torch.from_numpy(w)
    own = explained(lambda x: x @ weights, *map(torch.from_numpy, (x, baseline)))
    X, X0, G = (np.fft.rfft(signal) for signal in (x, baseline, w))
    theta = np.angle(X0 / G)
    turn = np.angle(X / X0)
    scale = counts(n) / n * np.abs(G)
    # The integral of cos(θ + α·turn) over α, for turns that are not zero.
    mean = (np.sin(theta + turn) - np.sin(theta)) / np.where(turn == 0, np.inf, turn)
    amplitude = (np.abs(X) - np.abs(X0)) * scale * mean
    total = counts(n) / n * (np.conj(G) * (X - X0)).real
    for k in {0, n // 2} if n % 2 == 0 else {0}:
        amplitude[:, k] = total[:, k]
    close(own.attributions[:, 0, 0].numpy(), amplitude, 1e-12)
    close(own.attributions[:, 0, 1].numpy(), total - amplitude, 1e-12)
    assert own.attributions.shape == (2, 1, 2, n // 2 + 1)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_from_zero_it_is_the_rfft(n: int, dtype: torch.dtype, tolerance: float) -> None:
    x = tensor(3, 2, n, dtype=dtype)
    own = explained(Smooth(n, 2, dtype=dtype), x, torch.zeros_like(x), [1])
    truth = SmoothTruth(n, 2)
    for one, values in zip(x.double().numpy(), own.attributions[:, 0], strict=True):
        gradient = truth.mean_gradient(one, np.zeros_like(one), 1, 40)
        expected = RFFT().attribution(*map(torch.from_numpy, (one, gradient)))
        close(values[:, 0].numpy(), expected.numpy(), 5 * tolerance)
        assert bool((values[:, 1] == 0).all())


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_completeness(n: int, dtype: torch.dtype, tolerance: float) -> None:
    x, baseline = tensor(4, 3, n, dtype=dtype), tensor(4, 3, n, seed=1, dtype=dtype)
    model = Smooth(n, 3, dtype=dtype)
    own = explained(model, x, baseline, [0, 2], n_steps=60)
    with torch.no_grad():
        difference = (model(x) - model(baseline))[:, [0, 2]].double()
    sums = own.attributions.double().flatten(2)
    scale = sums.abs().sum(-1)
    assert bool(((sums.sum(-1) - difference).abs() <= tolerance * scale).all())
    torch.testing.assert_close(
        own.sums.gap, sums.sum(-1) - difference, rtol=0, atol=3 * tolerance * float(scale.max())
    )
    assert bool(own.sums.converged.all())
    assert own.path.n_evaluations.tolist() == [60] * 4


@pytest.mark.parametrize("n", [2, 7, 12])
def test_equals_captum_in_polar_coordinates(n: int) -> None:
    x, baseline = tensor(2, 2, n), tensor(2, 2, n, seed=1)
    model, polar = Smooth(n, 2), Polar()
    c1, c0 = polar.coordinates(x, baseline)
    captum = IntegratedGradients(lambda c: model(polar.synthesize(c, n))[:, 1]).attribute(
        c1, c0, n_steps=40, method="gausslegendre"
    )
    # Captum's nodes and weights are rounded to float32.
    close(explained(model, x, baseline, [1]).attributions[:, 0].numpy(), captum.numpy(), 2e-6)


def test_the_shorter_way_round() -> None:
    """From 170° to -170° are 20°, not -340°."""
    n, k = 16, 3
    t = torch.arange(n, dtype=torch.float64)

    def wave(degrees: float) -> Tensor:
        return torch.cos(2 * torch.pi * k * t / n + np.deg2rad(degrees))

    for start, end, turn in ((170, -170, 20), (-170, 170, -20), (10, 60, 50), (0, -179, -179)):
        c1, c0 = Polar().coordinates(wave(end), wave(start))
        assert float((c1 - c0)[1, k]) == pytest.approx(np.deg2rad(turn), abs=1e-12)
    # Opposite phases: half a turn, always in the positive direction.
    for sign in (1, -1):
        spectrum = torch.zeros(n // 2 + 1, dtype=torch.complex128)
        spectrum[k] = sign * n / 2
        x = torch.fft.irfft(spectrum, n)
        c1, c0 = Polar().coordinates(x, -x)
        assert float((c1 - c0)[1, k]) == pytest.approx(np.pi, abs=1e-12)


@given(n=st.integers(1, 40), batch=st.lists(st.integers(1, 3), max_size=2), seed=st.integers(0, 2**32 - 1))
def test_ends_of_the_path(n: int, batch: list[int], seed: int) -> None:
    x, baseline = tensor(*batch, n, seed=seed), tensor(*batch, n, seed=seed % 999 + 1)
    polar = Polar()
    c1, c0 = polar.coordinates(x, baseline)
    for end, signal in ((c1, x), (c0, baseline), (polar.analyze(x), x)):
        torch.testing.assert_close(polar.synthesize(end, n), signal, rtol=0, atol=1e-13)
    turns = (c1 - c0)[..., 1, :]
    assert float(turns.min()) > -np.pi - 1e-12
    assert float(turns.max()) <= np.pi + 1e-12
    real = [0, n // 2] if n % 2 == 0 else [0]
    assert not turns[..., real].any()
    torch.testing.assert_close(c1[..., 0, 0], x.sum(-1), rtol=0, atol=1e-12)


def test_bins_of_rounding_level_have_no_phase() -> None:
    """A tone against a silent, or nearly silent, bin: the phase of one side serves both."""
    n = 64
    t = torch.arange(n, dtype=torch.float64)
    tone = torch.cos(2 * torch.pi * 5 * t / n + 1.0)
    other = torch.cos(2 * torch.pi * 9 * t / n - 2.0)
    for x, baseline in ((tone + other, other), (other, tone + other), (tone, other), (tone, 1e9 * other)):
        c1, c0 = Polar().coordinates(x, baseline)
        assert float((c1 - c0)[1].abs().max()) <= 1e-6
    # Above the threshold a phase is a phase.
    weak = other + 2 * NEGLIGIBLE * torch.cos(2 * torch.pi * 5 * t / n + 1.5)
    c1, c0 = Polar().coordinates(tone + other, weak)
    assert float((c1 - c0)[1, 5]) == pytest.approx(-0.5, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("level", [1e-7, 1e-9, 1e-12])
@pytest.mark.parametrize("n", [40, 33])
def test_an_end_that_is_zero_up_to_rounding_is_zero(dtype: torch.dtype, level: float, n: int) -> None:
    """No phase share, and the amplitudes that zero gives, whichever end it is and whatever its unit."""
    x, rounding = tensor(2, 3, n, dtype=dtype), level * tensor(2, 3, n, seed=1, dtype=dtype)
    # Channels of one sample in units of their own.
    units = torch.tensor([1e6, 1.0, 1e-12], dtype=dtype).unsqueeze(1)
    model = Smooth(n, 3, dtype=dtype)

    def shares(end: Tensor, start: Tensor) -> Tensor:
        return explained(lambda x: model(x / units), end * units, start * units, [1]).attributions[:, 0]

    for almost, zero in (
        (shares(x, rounding), shares(x, 0 * x)),
        (shares(rounding, x), shares(0 * x, x)),
    ):
        assert float(almost[:, :, 1].abs().sum()) == 0
        close(almost[:, :, 0].double().numpy(), zero[:, :, 0].double().numpy(), 1e-5)


@pytest.mark.parametrize(
    ("dtype", "scales"),
    [(torch.float64, (1e-200, 1e-12, 1e150, 1e300)), (torch.float32, (1e-30, 1e-12, 1e12, 1e34))],
)
def test_the_unit_of_a_signal_does_not_matter(dtype: torch.dtype, scales: tuple[float, ...]) -> None:
    """Turns are the same, and amplitudes in proportion, for x·c and x'·c."""
    x, baseline = tensor(3, 2, 24, dtype=dtype), tensor(3, 2, 24, seed=1, dtype=dtype)
    # Bins on both sides of what is negligible.
    baseline[0] *= 1e-5
    baseline[1] *= 1e-8
    c1, c0 = Polar().coordinates(x, baseline)
    assert bool((c1 - c0)[0, :, 1].any())
    assert not (c1 - c0)[1, :, 1].any()
    for scale in scales:
        unit = torch.tensor([[scale], [1.0]], dtype=dtype)
        d1, d0 = Polar().coordinates(x * scale, baseline * scale)
        torch.testing.assert_close((d1 - d0)[:, :, 1], (c1 - c0)[:, :, 1], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close((d1 - d0) / unit, c1 - c0, rtol=1e-5, atol=1e-5)


def test_an_offset_does_not_hide_what_stands_on_it() -> None:
    """A pressure of 1e5 with waves of 0.01: no bin but DC is near a millionth of DC, and phases count."""
    t = torch.arange(50, dtype=torch.float64)
    wave, later = (torch.cos(2 * torch.pi * 4 * t / 50 + shift) for shift in (0.0, 1.0))
    c1, c0 = Polar().coordinates(1e5 + 0.01 * later, 1e5 + 0.01 * wave)
    turns = (c1 - c0)[1]
    assert float(turns[4]) == pytest.approx(1.0, abs=1e-6)
    assert float(turns.abs().sum()) == pytest.approx(1.0, abs=1e-6)
    # What float32 makes of such an offset is rounding, of which nothing turns.
    x = (1e5 + tensor(50)).float()
    c1, c0 = Polar().coordinates(torch.nextafter(x, 2 * x) - x + 1e5, torch.full_like(x, 1e5))
    assert not (c1 - c0)[1].any()


def test_dc_and_nyquist_are_signed() -> None:
    """From -3 to 3 through zero, as linear coordinates have it, and no half turn."""
    for x in (torch.full((8,), 3.0), torch.tensor([3.0, -3.0]).repeat(4)):
        c1, c0 = Polar().coordinates(x, -x)
        k = int(c1[0].abs().argmax())
        assert k in (0, 4)
        assert (float(c1[0, k]), float(c0[0, k])) == (24.0, -24.0)
        assert not (c1 - c0)[1].any()


def test_which_part_a_model_listens_to() -> None:
    """A surrogate changes phases only; a band without its amplitude changes that only."""
    n, fs = 200, 100.0
    x = tensor(3, 2, n)
    model = Smooth(n, 2)
    (turned,) = surrogate(seed=3).draw(x, fs)
    values = explained(model, x, turned, [1]).attributions[:, 0]
    # Nyquist may change its sign, which is amplitude.
    assert float(values[:, :, 0, :-1].abs().sum()) <= 1e-11 * float(values.abs().sum())
    (without,) = band_removed(8, 12).draw(x, fs)
    values = explained(model, x, without, [1]).attributions[:, 0]
    frequencies = np.fft.rfftfreq(n, 1 / fs)
    inside = torch.from_numpy((frequencies >= 8) & (frequencies < 12))
    assert float(values[..., 1, :].abs().sum()) <= 1e-10 * float(values.abs().sum())
    assert float(values[..., ~inside].abs().sum()) <= 1e-10 * float(values.abs().sum())


def test_labels_and_refusals() -> None:
    polar = Polar()
    coords = polar.coords(8, 4.0)
    assert polar.dims(coords) == ("polar_part", "polar_frequency")
    assert coords["part"] == ["amplitude", "phase"]
    assert Polar(name="turns").dims(coords) == ("turns_part", "turns_frequency")
    assert isinstance(polar, NonlinearDomain)
    with pytest.raises(TypeError, match="'polar' must be explained along a path of its own"):
        polar.attribution(torch.ones(8), torch.ones(8))
    with pytest.raises(ValueError, match="must be linear domains"):
        Spatial(np.eye(2)) >> Polar()

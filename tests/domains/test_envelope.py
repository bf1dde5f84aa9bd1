"""The envelope of a band, its carrier held: closed forms, explicit sums, the baselines it holds for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from freqig import RFFT, STFT, Envelope, Explainer, Time, baselines, resynthesize
from freqig.domains import ICA

from ..helpers import noise

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

FS, N = 1000.0, 500
TIME = np.arange(N) / FS
LOW, HIGH = 150.0, 250.0


def knocking(rate: float = 20.0, depth: float = 0.8) -> np.ndarray:
    """A carrier of 200 Hz whose amplitude moves at a rate, beside a tone and an offset outside the band."""
    amplitude = 1 + depth * np.cos(2 * np.pi * rate * TIME)
    return amplitude * np.cos(2 * np.pi * 200 * TIME) + 0.7 * np.sin(2 * np.pi * 30 * TIME) + 3


def hilbert_by_matrix(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """The analytic signal of a band, one sum over frequencies after another."""
    n = x.shape[-1]
    t = np.arange(n)
    z = np.zeros(x.shape, dtype=complex)
    for k in range(n // 2 + 1):
        if not low - 1e-6 <= k * FS / n < high - 1e-6:
            continue
        wave = np.exp(2j * np.pi * k * t / n)
        coefficient = (x @ wave.conj()) / n
        z += (1 if 2 * k % n == 0 else 2) * coefficient[..., None] * wave
    return z


def explain(model: Any, x: np.ndarray, domains: Any, baseline: Any = None, **how: Any) -> Any:
    explainer = Explainer(model, fs=FS, domains=domains, dtype=torch.float64, **how)
    flat = baselines.flat_envelope(LOW, HIGH)
    return explainer(x, target=0, baseline=flat if baseline is None else baseline)


def linear(w: np.ndarray) -> Any:
    weights = torch.from_numpy(w)
    return lambda x: (x * weights).flatten(1).sum(1, keepdim=True)


@pytest.mark.parametrize("n", [1, 2, 7, 64, 65])
@pytest.mark.parametrize("edges", [(150.0, 250.0), (0.0, 500.0), (0.0, 100.0)])
def test_envelope_and_carrier_are_those_of_the_explicit_sum(n: int, edges: tuple[float, float]) -> None:
    x = noise(3, n)
    rows, carrier = Envelope(*edges).bind((3, n), FS).analyze(torch.from_numpy(x))
    z = hilbert_by_matrix(x, *edges)
    size = np.abs(z)
    known = size > 1e-6 * size.max(-1, keepdims=True)
    np.testing.assert_allclose(rows[:, 0], np.where(known, size, 0), atol=1e-12)
    # Near the least envelope that counts a carrier has lost digits.
    np.testing.assert_allclose(carrier * rows[:, 0], np.where(known, z.real, 0), atol=1e-12)
    np.testing.assert_allclose(rows[:, 0] * carrier + rows[:, 1], x, atol=1e-12)


def test_a_linear_model_in_closed_form() -> None:
    """F = w·x: the envelope at a time does (e - ē) c w there, and no path enters."""
    x, w = knocking()[None] + 0.1 * noise(1, N), noise(N)
    result = explain(linear(w), x, [Envelope(LOW, HIGH), Time()])
    z = hilbert_by_matrix(x, LOW, HIGH)
    e, c = np.abs(z), z.real / np.abs(z)
    expected = (e - e.mean()) * c * w
    np.testing.assert_allclose(result.envelope.sel(envelope_row="envelope"), expected, atol=1e-9)
    np.testing.assert_allclose(result.envelope.sel(envelope_row="rest"), 0, atol=1e-9)
    np.testing.assert_allclose(result.waveform, expected, atol=1e-9)
    np.testing.assert_allclose(result.envelope.sum(), result.output - result.baseline_output, rtol=1e-9)


def test_the_envelope_spectrum_of_a_linear_model_in_closed_form() -> None:
    x, w = knocking()[None] + 0.1 * noise(1, N), noise(N)
    result = explain(linear(w), x, Envelope(LOW, HIGH) >> RFFT())
    z = hilbert_by_matrix(x, LOW, HIGH)
    e, c = np.abs(z), z.real / np.abs(z)
    weights = np.where(2 * np.arange(N // 2 + 1) % N == 0, 1, 2) / N
    expected = weights * (np.fft.rfft(e - e.mean()).conj() * np.fft.rfft(c * w)).real
    np.testing.assert_allclose(result.envelope_rfft.sel(envelope_row="envelope"), expected, atol=1e-8)
    assert result.envelope_rfft.dims == ("sample", "envelope_row", "frequency")
    assert result.frequency.attrs["units"] == "Hz"


@pytest.mark.parametrize("rate", [6.0, 20.0, 44.0])
def test_what_hears_how_often_a_bearing_knocks_is_found_at_that_rate(rate: float) -> None:
    """A model of the envelope's own spectrum, by its squares: nothing else gets anything."""
    x = knocking(rate)[None]
    frequency = torch.fft.rfftfreq(N, 1 / FS, dtype=torch.float64)
    band = (frequency >= LOW) & (frequency < HIGH)
    wave = torch.polar(torch.ones(1).double(), torch.tensor(2 * np.pi * rate * TIME))

    def model(x: torch.Tensor) -> torch.Tensor:
        power = torch.fft.irfft(torch.fft.rfft(x) * band, N).square()
        return (power * wave).sum(-1).abs().square()[:, None] / N**2

    result = explain(model, x, Envelope(LOW, HIGH) >> RFFT())
    found = result.envelope_rfft.sel(envelope_row="envelope")[0]
    at = abs(found.frequency - rate) < 0.5
    assert float(found.where(at).sum() / found.sum()) == pytest.approx(1, abs=0.01)
    # A spectrum of the signal shows the side bands of 200 Hz, and not the rate.
    plain = explain(model, x, RFFT()).rfft[0]
    assert float(abs(plain.where(abs(plain.frequency - rate) < 0.5)).sum()) < 1e-9


def test_where_there_is_no_envelope_the_signal_is_kept() -> None:
    """A burst of whole cycles, silence elsewhere up to rounding: there δ is zero, and so is the envelope."""
    x = np.zeros(N)
    x[100:200] = np.cos(2 * np.pi * 200 * TIME[:100]) * np.hanning(100)
    # Without a filter that rings: the band is all frequencies.
    flat = baselines.flat_envelope(0, FS / 2).draw(torch.from_numpy(x)[None], FS)[0]
    bound = Envelope(0, FS / 2).bind((N,), FS)
    rows, carrier = bound.prepare(torch.from_numpy(x)[None], flat).analyze_pair(
        torch.from_numpy(x)[None], flat
    )
    silent = carrier[0] == 0
    assert bool((flat[0][silent] == torch.from_numpy(x)[silent]).all())
    assert not rows[0, 0][silent].any()
    whole, _ = bound.analyze(torch.from_numpy(x))
    assert bool((whole[1][silent] == torch.from_numpy(x)[silent]).all())
    quiet = torch.zeros(1, N, dtype=torch.float64)
    rows, _ = bound.prepare(quiet, quiet).analyze_pair(quiet, quiet)
    assert not rows.any()


def test_channels_and_samples_have_carriers_of_their_own() -> None:
    """All in one call, or each by itself, in blocks of one target or of all."""
    x = noise(3, 2, N)
    w = noise(2, N)
    weights = torch.from_numpy(np.stack([w, -2 * w]) / 30)
    model = lambda x: torch.einsum("pcn,tcn->pt", x, weights).tanh()
    domains = [Envelope(LOW, HIGH), Envelope(LOW, HIGH, name="spectrum") >> STFT(0.1)]
    flat = baselines.flat_envelope(LOW, HIGH)
    explainer = Explainer(model, fs=FS, domains=domains, dtype=torch.float64)
    together = explainer(x, target="all", baseline=flat)
    for i in range(3):
        alone = explainer(x[i : i + 1], target=1, baseline=flat)
        for name in ("envelope", "spectrum_stft"):
            ours = together[name].isel(sample=i, target=1).values
            np.testing.assert_allclose(ours, alone[name][0], rtol=1e-3, atol=1e-3 * abs(ours).max())
    total = together.envelope.sum(("channel", "envelope_row", "time"))
    np.testing.assert_allclose(total, together.output - together.baseline_output, rtol=1e-3)


@given(
    n=st.integers(8, 200),
    low=st.integers(0, 300).map(float),
    width=st.integers(50, 200).map(float),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    offset=st.sampled_from([0.0, 1.0, 1e3]),
    single=st.booleans(),
    seed=st.integers(0, 999),
)
def test_the_flat_baseline_always_fits(
    n: int, low: float, width: float, scale: float, offset: float, single: bool, seed: int
) -> None:
    """Drawn in float64 and explained in float32 too, wherever the band vanishes."""
    x = torch.from_numpy(scale * (noise(2, n, seed=seed) + offset))
    edges = low, low + width
    k = np.fft.rfftfreq(n, 1 / FS)
    assume(((k >= edges[0]) & (k < edges[1])).any())
    flat = baselines.flat_envelope(*edges).draw(x, FS)[0]
    dtype = torch.float32 if single else torch.float64
    ends = x.to(dtype), flat.to(dtype)
    domain = Envelope(*edges).bind((n,), FS).prepare(*ends)
    back = domain.synthesize(domain.analyze_pair(*ends), n)
    assert float((back - (ends[0] - ends[1])).abs().max()) <= 4 * torch.finfo(dtype).eps * float(
        x.abs().max()
    )


def test_a_band_that_was_removed_is_a_flat_envelope_of_zero() -> None:
    x, w = knocking()[None], noise(N)
    result = explain(linear(w), x, Envelope(LOW, HIGH), baselines.band_removed(LOW, HIGH))
    z = hilbert_by_matrix(x, LOW, HIGH)
    np.testing.assert_allclose(result.envelope.sel(envelope_row="envelope"), z.real * w, atol=1e-9)


@pytest.mark.parametrize(
    "baseline",
    [
        baselines.zero(),
        baselines.dc(),
        baselines.surrogate(),
        baselines.noise(),
        baselines.band_removed(100, 250),
        baselines.flat_envelope(150, 300),
        np.zeros(N),
    ],
    ids=["zero", "dc", "surrogate", "noise", "another band", "other edges", "array"],
)
def test_a_baseline_that_leaves_the_carrier_is_an_error(baseline: Any) -> None:
    calls = []

    def model(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return x.sum(-1, keepdim=True)

    x = knocking()[None] + 0.1 * noise(1, N)
    for domain in (Envelope(LOW, HIGH), Envelope(LOW, HIGH) >> RFFT()):
        with pytest.raises(ValueError, match=r"pass baseline=freqig.baselines.flat_envelope\(150.0, 250.0\)"):
            explain(model, x, domain, baseline)
    assert calls == []


@pytest.mark.parametrize("make", [Envelope, baselines.flat_envelope])
@pytest.mark.parametrize(
    ("edges", "error", "message"),
    [
        ((20, 20), ValueError, "low must be below high, got 20 and 20 Hz"),
        ((30, 20), ValueError, "low must be below high"),
        ((-1, 20), ValueError, "low must be finite"),
        ((1, np.inf), ValueError, "high must be finite"),
    ],
)
def test_edges_are_checked(make: Any, edges: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(*edges)


def test_the_rate_is_checked_against_the_band() -> None:
    x, flat = knocking()[None], baselines.flat_envelope(LOW, HIGH)
    model = lambda x: x.sum(-1, keepdim=True)
    for baseline in (flat, None):
        with pytest.raises(ValueError, match="the sampling rate must be known: pass fs="):
            Explainer(model, domains=Envelope(LOW, HIGH))(x, baseline=baseline)
        with pytest.raises(ValueError, match=r"high of .* must be at most 200 Hz, half of .*, got 250 Hz"):
            Explainer(model, fs=400.0, domains=Envelope(LOW, HIGH))(x, baseline=baseline)
    with pytest.raises(ValueError, match="low and high of flat_envelope must have a frequency between them"):
        Explainer(model, fs=FS, domains=Envelope(200.5, 201))(x, baseline=baselines.flat_envelope(200.5, 201))
    with pytest.raises(ValueError, match="must be bound"):
        Envelope(LOW, HIGH).analyze(torch.ones(4))


def test_it_stands_first() -> None:
    with pytest.raises(ValueError, match="must stand left of all >>"):
        _ = ICA(np.eye(2)) >> Envelope(1, 2)


def test_what_it_is_can_be_read_from_its_name() -> None:
    domain = Envelope(0.123456789, 2e3, name="knocks")
    assert repr(eval(repr(domain), {"Envelope": Envelope})) == repr(domain)


def test_the_part_that_decided_is_heard_again() -> None:
    """All that counts of the envelope spectrum, put back on the carrier; settings say what the domain was."""
    x = knocking(20.0)[None]
    model = lambda x: x.pow(4).sum(-1, keepdim=True)
    result = explain(model, x, Envelope(LOW, HIGH) >> RFFT())
    part = resynthesize(result, keep=abs(result.envelope_rfft) >= 0, name="envelope_rfft")
    np.testing.assert_allclose(part, x, atol=1e-9)
    nothing = resynthesize(result, keep=abs(result.envelope_rfft) < 0, name="envelope_rfft")
    flat = baselines.flat_envelope(LOW, HIGH).draw(torch.from_numpy(x), FS)[0]
    np.testing.assert_allclose(nothing, flat, atol=1e-9)

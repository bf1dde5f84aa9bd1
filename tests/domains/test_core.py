"""Spectrum and series against their definitions, and domains that a user writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from freqig import RFFT, Domain, Explainer, Time

from ..helpers import LENGTHS, Smooth, SmoothTruth, close, fourier, noise, scores_of

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 14


def tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(noise(*shape, seed=seed))


# --- closed forms --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_spectrum_is_the_closed_form(n: int, shape: tuple[int, ...]) -> None:
    """w_k / n · Re(conj(RFFT(δ)_k) · RFFT(ḡ)_k), by sums of sines and cosines."""
    delta, gradient = noise(*shape, n), noise(*shape, n, seed=1)
    scores = RFFT().attribution(torch.from_numpy(delta), torch.from_numpy(gradient))
    close(scores, scores_of(delta, gradient), 1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_series_is_the_product(n: int) -> None:
    delta, gradient = noise(2, 3, n), noise(2, 3, n, seed=1)
    scores = Time().attribution(torch.from_numpy(delta), torch.from_numpy(gradient))
    np.testing.assert_allclose(scores, delta * gradient, rtol=1e-14)


@given(
    domain=st.sampled_from([RFFT(), Time()]),
    n=st.integers(1, 40),
    channels=st.integers(1, 3),
    seed=st.integers(0, 2**31),
)
def test_adjoint_identity(domain: Domain, n: int, channels: int, seed: int) -> None:
    """⟨synthesize c, g⟩ = Re ⟨c, adjoint g⟩ for coefficients that belong to no signal too."""
    rng = np.random.default_rng(seed)
    shape = domain.analyze(torch.zeros(channels, n)).shape
    c = rng.normal(size=shape)
    if domain.analyze(torch.zeros(channels, n)).is_complex():
        c = c + 1j * rng.normal(size=shape)
    g = rng.normal(size=(channels, n))
    (adjoint,) = domain.adjoint(torch.from_numpy(c), torch.from_numpy(g))
    left = (domain.synthesize(torch.from_numpy(c), n).numpy() * g).sum()
    right = (np.conj(c) * adjoint.numpy()).sum().real
    assert left == pytest.approx(right, abs=1e-10)


@given(n=st.integers(1, 40), seed=st.integers(0, 2**31))
def test_adjoint_of_the_spectrum_is_the_transposed_matrix(n: int, seed: int) -> None:
    real, imag, counts = fourier(n)
    g = np.random.default_rng(seed).normal(size=n)
    (adjoint,) = RFFT().adjoint(torch.zeros(n // 2 + 1, dtype=torch.complex128), torch.from_numpy(g))
    np.testing.assert_allclose(adjoint.real, counts / n * (real @ g), atol=1e-13)
    inner = np.ones(n // 2 + 1, dtype=bool)
    inner[[0, *([n // 2] if n % 2 == 0 else [])]] = False
    np.testing.assert_allclose(adjoint.imag[inner], (counts / n * (imag @ g))[inner], atol=1e-13)


@pytest.mark.parametrize("domain", [RFFT(), Time()], ids=repr)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_in_every_mode_of_autograd(domain: Domain, mode: Any) -> None:
    delta, gradient = tensor(2, N), tensor(2, N, seed=1)
    expected = domain.attribution(delta, gradient)
    with mode():
        scores = domain.attribution(delta, gradient)
    assert not scores.requires_grad
    torch.testing.assert_close(scores, expected, rtol=0, atol=0)


@pytest.mark.parametrize("domain", [RFFT(), Time()], ids=repr)
def test_arguments_are_left_alone(domain: Domain) -> None:
    delta, gradient = tensor(2, N), tensor(2, N, seed=1)
    domain.attribution(delta, gradient)
    torch.testing.assert_close(delta, tensor(2, N), rtol=0, atol=0)
    torch.testing.assert_close(gradient, tensor(2, N, seed=1), rtol=0, atol=0)
    assert not delta.requires_grad


@pytest.mark.parametrize("n", LENGTHS)
def test_coordinates(n: int) -> None:
    frequencies, unit = RFFT().coords(n, 30.0)["frequency"]
    assert unit == "Hz"
    np.testing.assert_allclose(frequencies, [30 * k / n for k in range(n // 2 + 1)])
    times, unit = Time().coords(n, 30.0)["time"]
    assert unit == "s"
    np.testing.assert_allclose(times, [i / 30 for i in range(n)])
    assert RFFT().coords(n, None)["frequency"][1] == "cycles/sample"
    assert Time().coords(n, None)["time"][1] == "samples"


def test_names() -> None:
    assert (RFFT().name, Time().name, RFFT("other").name) == ("rfft", "waveform", "other")
    assert repr(RFFT("other")) == "RFFT(name='other')"


# --- domains that a user writes ------------------------------------------------------------------


class Halves(Domain):
    """Even and odd part of a series about its middle: a part of its own, and time as it is."""

    shared = ("channel", "time")

    def analyze(self, x: Tensor) -> Tensor:
        return torch.stack([x + x.flip(-1), x - x.flip(-1)], -2) / 2

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return c.sum(-2)

    def coords(self, n: int, fs: float | None) -> Any:
        return {"part": ["even", "odd"], "time": np.arange(n) / (fs or 1)}


class Analytic(Domain):
    """The full complex spectrum, which knows nothing of one-sided weights."""

    def analyze(self, x: Tensor) -> Tensor:
        return torch.fft.fft(x)

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return torch.fft.ifft(c).real

    def coords(self, n: int, fs: float | None) -> Any:
        return {"frequency": (np.fft.fftfreq(n, 1 / (fs or 1)), "Hz")}


class Mixing(Domain):
    """Sum and difference of two channels: a domain that takes the place of channel and time."""

    consumes = ("channel", "time")

    def analyze(self, x: Tensor) -> Tensor:
        return torch.stack([x[..., 0, :] + x[..., 1, :], x[..., 0, :] - x[..., 1, :]], -2) / 2

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return torch.stack([c[..., 0, :] + c[..., 1, :], c[..., 0, :] - c[..., 1, :]], -2)

    def coords(self, n: int, fs: float | None) -> Any:
        return {"source": ["mean", "difference"], "time": (np.arange(n) / (fs or 1), "s")}


class Scales(Domain):
    """Haar steps of two lengths: coefficients of different numbers, put side by side."""

    def analyze(self, x: Tensor) -> tuple[Tensor, ...]:
        pairs = x.unflatten(-1, (-1, 2))
        return pairs.mean(-1), (pairs[..., 0] - pairs[..., 1]) / 2

    def synthesize(self, c: tuple[Tensor, ...], n: int) -> Tensor:
        mean, half = c
        return torch.stack([mean + half, mean - half], -1).flatten(-2)

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        return torch.cat(parts, -1)

    def coords(self, n: int, fs: float | None) -> Any:
        return {"coefficient": np.arange(n)}


def explained(domain: Domain, **settings: Any) -> tuple[xr.Dataset, np.ndarray, np.ndarray]:
    """Result of an own domain, with δ and mean gradient of its path."""
    x, baseline = noise(3, 2, N), noise(3, 2, N, seed=1)
    model, truth = Smooth(N, 2), SmoothTruth(N, 2)
    result = Explainer(model, domains=[domain, RFFT()], n_steps=50, fs=7.0, **settings)(
        x, baseline=baseline, target=1
    )
    mean = [truth.mean_gradient(one, start, 1, 50) for one, start in zip(x, baseline, strict=True)]
    return result, x - baseline, np.stack(mean)


def test_an_own_domain() -> None:
    result, delta, gradient = explained(Halves())
    assert result.halves.dims == ("sample", "channel", "halves_part", "time")
    assert result.halves_part.values.tolist() == ["even", "odd"]
    assert result.halves.attrs["kind"] == "attribution"
    parts = np.stack([delta + delta[..., ::-1], delta - delta[..., ::-1]], -2) / 2
    close(result.halves, parts * gradient[..., None, :], 1e-12)
    close(result.halves.sum(("halves_part", "time")), result.rfft.sum("frequency"), 1e-12)


def test_an_own_domain_with_complex_coefficients() -> None:
    """Both halves of the full spectrum share what the one-sided spectrum has at once."""
    result, _, _ = explained(Analytic())
    assert result.analytic.dims == ("sample", "channel", "analytic_frequency")
    assert result.analytic_frequency.attrs["units"] == "Hz"
    both = result.analytic.values
    folded = both[..., : N // 2 + 1].copy()
    folded[..., 1 : N // 2] += both[..., : N // 2 : -1]
    close(folded, result.rfft, 1e-12)


def test_an_own_domain_over_channels() -> None:
    result, delta, gradient = explained(Mixing())
    assert result.mixing.dims == ("sample", "mixing_source", "mixing_time")
    rows = np.stack([delta[:, 0] + delta[:, 1], delta[:, 0] - delta[:, 1]], 1) / 2
    slopes = np.stack([gradient[:, 0] + gradient[:, 1], gradient[:, 0] - gradient[:, 1]], 1)
    close(result.mixing, rows * slopes, 1e-12)


def test_an_own_domain_with_several_tensors() -> None:
    result, delta, gradient = explained(Scales())
    assert result.scales.dims == ("sample", "channel", "scales_coefficient")
    first, second = delta[..., ::2], delta[..., 1::2]
    g_first, g_second = gradient[..., ::2], gradient[..., 1::2]
    expected = [(first + second) / 2 * (g_first + g_second), (first - second) / 2 * (g_first - g_second)]
    close(result.scales, np.concatenate(expected, -1), 1e-12)


def test_several_tensors_must_be_put_together() -> None:
    class Unassembled(Scales):
        def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
            return Domain.assemble(self, parts)

    with pytest.raises(TypeError, match=r"'unassembled'.*assemble"):
        explained(Unassembled())


def test_own_names() -> None:
    class Renamed(Halves):
        name = "symmetry"

    assert Renamed().name == "symmetry"
    assert Halves("other").name == "other"
    result, _, _ = explained(Renamed())
    assert result.symmetry.dims == ("sample", "channel", "symmetry_part", "time")


def test_a_domain_that_does_not_invert_is_an_error() -> None:
    class Forgetful(Halves):
        def synthesize(self, c: Tensor, n: int) -> Tensor:
            return c[..., 0, :]

    with pytest.raises(ValueError, match="forgetful"):
        explained(Forgetful())


@pytest.mark.parametrize("domain", [Halves(), Analytic(), Scales()], ids=repr)
def test_own_domains_can_be_stored(domain: Domain, tmp_path: Any) -> None:
    result, _, _ = explained(domain)
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as stored:
        xr.testing.assert_identical(stored.load(), result)


def test_incomplete_domains_cannot_be_made() -> None:
    class Half(Domain):
        def analyze(self, x: Tensor) -> Tensor:
            return x

    with pytest.raises(TypeError, match="abstract"):
        Half()  # type: ignore[abstract]

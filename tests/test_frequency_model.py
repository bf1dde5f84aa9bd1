"""The inverse real FFT as a layer, and the methods of Captum that work on the spectrum through it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import (
    DeepLift,
    DeepLiftShap,
    FeatureAblation,
    GradientShap,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Saliency,
)
from torch import Tensor, nn

from freqig import Explainer, FrequencyModel, InverseRFFT, attribute

from .helpers import LENGTHS, Smooth, SmoothTruth, close, fourier, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 13
REPRESENTATIONS = ("complex", "magnitude")

# What DeepLift says of its hooks.
HOOKS = pytest.mark.filterwarnings("ignore:Setting forward, backward hooks:UserWarning")


def tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.tensor(noise(*shape, seed=seed))


# --- the layer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_inverts_the_spectrum(n: int, shape: tuple[int, ...], representation: Any) -> None:
    layer = InverseRFFT(n, representation)
    x = tensor(*shape, n)
    spectrum = layer.spectrum(x)
    n_freq = n // 2 + 1
    assert spectrum.shape == ((*shape, n_freq, 2) if representation == "complex" else (*shape, n_freq))
    assert not spectrum.is_complex()
    phase = () if representation == "complex" else (layer.phase(x),)
    torch.testing.assert_close(layer(spectrum, *phase), x)


@pytest.mark.parametrize("n", LENGTHS)
def test_spectrum_is_the_one_sided_transform(n: int) -> None:
    real, imag, _ = fourier(n)
    x = noise(2, n)
    cosines, sines = x @ real.T, x @ imag.T
    given = torch.from_numpy(x)
    np.testing.assert_allclose(InverseRFFT(n).spectrum(given), np.stack([cosines, sines], -1), atol=1e-12)
    polar = InverseRFFT(n, "magnitude")
    np.testing.assert_allclose(polar.spectrum(given), np.hypot(cosines, sines), atol=1e-12)
    np.testing.assert_allclose(polar.spectrum(given) * polar.phase(given).cos(), cosines, atol=1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_is_linear_with_the_matrix_of_the_inverse(n: int) -> None:
    """Any spectrum, also one that no series has: imaginary parts of DC and Nyquist do nothing."""
    real, imag, counts = fourier(n)
    spectrum = noise(4, n // 2 + 1, 2)
    series = ((spectrum[..., 0] * counts) @ real + (spectrum[..., 1] * counts) @ imag) / n
    np.testing.assert_allclose(InverseRFFT(n)(torch.from_numpy(spectrum)), series, atol=1e-12)


def test_layers_are_modules() -> None:
    net = Smooth(N)
    model = FrequencyModel(net, N)
    assert isinstance(model, nn.Module)
    assert isinstance(model.inverse, InverseRFFT)
    assert list(model.inverse.parameters()) == []
    assert {id(p) for p in model.parameters()} == {id(p) for p in net.parameters()}
    assert not model.eval().model.training
    again = copy.deepcopy(model).float()
    assert again(again.inverse.spectrum(torch.ones(2, N))).dtype == torch.float32
    assert torch.autograd.gradcheck(model.inverse, tensor(2, N // 2 + 1, 2).requires_grad_())


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_model_of_the_spectrum_is_the_model_of_the_series(representation: Any) -> None:
    x = tensor(3, 2, N)
    net = Smooth(N, 2)
    model = FrequencyModel(lambda series, factor: net(series) * factor, N, representation)
    spectrum = model.inverse.spectrum(x)
    phase = () if representation == "complex" else (model.inverse.phase(x),)
    torch.testing.assert_close(model(spectrum, *phase, 2.0), 2 * net(x))


@pytest.mark.parametrize("n", [0, -1])
def test_series_have_samples(n: int) -> None:
    with pytest.raises(ValueError, match="n must be at least 1"):
        InverseRFFT(n)


def test_length_is_an_integer() -> None:
    with pytest.raises(TypeError):
        InverseRFFT(2.5)  # type: ignore[arg-type]


def test_unknown_representation() -> None:
    with pytest.raises((ValueError, TypeError)):
        InverseRFFT(5, "polar")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("representation", "shape"),
    [("complex", (7, 2)), ("complex", (5,)), ("complex", (5, 1)), ("magnitude", (5, 2)), ("magnitude", (4,))],
)
def test_spectra_of_another_length(representation: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="spectrum must end in axes"):
        InverseRFFT(9, representation)(tensor(*shape), tensor(*shape))


def test_series_of_another_length() -> None:
    """Series of 8 and 9 samples have five frequencies each, so a mix-up would pass unseen."""
    layer = InverseRFFT(9)
    for call in (layer.spectrum, layer.phase):
        with pytest.raises(ValueError, match="9 time samples"):
            call(tensor(2, 8))


def test_magnitudes_need_their_phases() -> None:
    layer = InverseRFFT(9, "magnitude")
    with pytest.raises(ValueError, match="phase"):
        layer(tensor(2, 5))
    with pytest.raises(ValueError, match="phase"):
        FrequencyModel(Smooth(9), 9, "magnitude")(tensor(2, 5))


# --- methods of Captum ---------------------------------------------------------------------------


class Rectifier(nn.Module):
    """A ReLU network of series of two channels, one module for each non-linearity."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv1d(2, 4, 3), nn.Conv1d(4, 4, 3), nn.Linear(4 * (N - 4), 3)
        self.act1, self.act2 = nn.ReLU(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act2(self.second(self.act1(self.first(x)))).flatten(1))


class Spectral:
    """A model of the spectrum with input, baseline, further arguments, and the outputs at both ends."""

    def __init__(self, representation: Any, net: nn.Module, with_baseline: bool = True) -> None:
        self.x = tensor(3, 2, N)
        baseline = tensor(3, 2, N, seed=1) * with_baseline
        self.model = FrequencyModel(net, N, representation)
        inverse = self.model.inverse
        self.spectrum = inverse.spectrum(self.x).requires_grad_()
        self.baseline = inverse.spectrum(baseline)
        self.extra = None if representation == "complex" else (inverse.phase(self.x),)
        self.output = self.model(self.spectrum, *(self.extra or ())).detach()
        self.baseline_output = self.model(self.baseline, *(self.extra or ())).detach()
        assert torch.allclose(self.output, net(self.x))

    def difference(self, target: int) -> np.ndarray:
        return (self.output - self.baseline_output)[:, target].numpy()


@pytest.fixture(params=REPRESENTATIONS)
def spectral(request: pytest.FixtureRequest) -> Spectral:
    return Spectral(request.param, seeded(Rectifier).double())


def total(attributions: Tensor) -> np.ndarray:
    return attributions.detach().flatten(1).sum(1).numpy()


@HOOKS
def test_deep_lift_is_complete(spectral: Spectral) -> None:
    for target in range(3):
        scores = DeepLift(spectral.model).attribute(
            spectral.spectrum, spectral.baseline, target=target, additional_forward_args=spectral.extra
        )
        assert scores.shape == spectral.spectrum.shape
        close(total(scores), spectral.difference(target), 1e-10)


@HOOKS
def test_deep_lift_equals_that_of_the_series() -> None:
    """Its multipliers pass linear layers unchanged, so one pass gives both, projected by the FFT."""
    spectral = Spectral("complex", seeded(Rectifier).double())
    in_time = DeepLift(spectral.model.model).attribute(
        spectral.x.requires_grad_(), spectral.model.inverse(spectral.baseline), target=1
    )
    in_frequency = DeepLift(spectral.model).attribute(spectral.spectrum, spectral.baseline, target=1)
    close(in_frequency.detach().sum((2, 3)), in_time.detach().sum(2), 1e-10)


@HOOKS
def test_deep_lift_shap_is_complete(spectral: Spectral) -> None:
    scores = DeepLiftShap(spectral.model).attribute(
        spectral.spectrum, spectral.baseline[:2], target=0, additional_forward_args=spectral.extra
    )
    phase = () if spectral.extra is None else spectral.extra
    mean = torch.stack(
        [spectral.model(row.expand_as(spectral.spectrum), *phase)[:, 0] for row in spectral.baseline[:2]]
    ).mean(0)
    close(total(scores), (spectral.output[:, 0] - mean).detach(), 1e-10)


def test_gradient_shap_of_a_linear_model_is_complete() -> None:
    """Its gradient is the same everywhere, so the random place on the path does not matter."""
    for representation in REPRESENTATIONS:
        net = nn.Sequential(nn.Flatten(), seeded(nn.Linear, 2 * N, 3)).double()
        spectral = Spectral(representation, net)
        scores = GradientShap(spectral.model).attribute(
            spectral.spectrum,
            spectral.baseline[:1],
            n_samples=4,
            stdevs=0.0,
            target=2,
            additional_forward_args=spectral.extra,
        )
        phase = () if spectral.extra is None else spectral.extra
        start = spectral.model(spectral.baseline[:1].expand_as(spectral.spectrum), *phase)[:, 2]
        close(total(scores), (spectral.output[:, 2] - start).detach(), 1e-10)


def test_gradient_shap_approaches_integrated_gradients(spectral: Spectral) -> None:
    """Its mean over random places on the path: the average of 8,000 is within 5 % of the norm."""
    torch.manual_seed(0)
    one = spectral.baseline[:1]
    scores = GradientShap(spectral.model).attribute(
        spectral.spectrum, one, n_samples=8000, stdevs=0.0, target=1, additional_forward_args=spectral.extra
    )
    expected = IntegratedGradients(spectral.model).attribute(
        spectral.spectrum, one, n_steps=200, target=1, additional_forward_args=spectral.extra
    )
    assert bool((scores - expected).norm() < 0.05 * expected.norm())


@pytest.mark.parametrize("nt_type", ["smoothgrad", "smoothgrad_sq", "vargrad"])
def test_noise_tunnel_without_noise(spectral: Spectral, nt_type: str) -> None:
    method = IntegratedGradients(spectral.model)
    arguments = {"baselines": spectral.baseline, "target": 1, "additional_forward_args": spectral.extra}
    plain = method.attribute(spectral.spectrum, **arguments)
    scores = NoiseTunnel(method).attribute(
        spectral.spectrum, nt_type=nt_type, nt_samples=3, stdevs=0.0, **arguments
    )
    expected = {"smoothgrad": plain, "smoothgrad_sq": plain**2, "vargrad": 0 * plain}[nt_type]
    assert bool((scores - expected).abs().max() < 1e-12)


def test_noise_tunnel_of_a_linear_model() -> None:
    """IG of a linear model is linear in its input, so noise of mean zero leaves it, but for its mean."""
    net = nn.Sequential(nn.Flatten(), seeded(nn.Linear, 2 * N, 3)).double()
    spectral = Spectral("complex", net, with_baseline=False)
    method = IntegratedGradients(spectral.model)
    plain = method.attribute(spectral.spectrum, target=1)
    torch.manual_seed(0)
    scores = NoiseTunnel(method).attribute(spectral.spectrum, nt_samples=400, stdevs=0.1, target=1, n_steps=2)
    slope = torch.autograd.grad(spectral.model(spectral.spectrum)[:, 1].sum(), spectral.spectrum)[0]
    # Five standard errors of the mean of the noise, times the slope.
    assert bool(((scores - plain).abs() <= 5 * 0.1 / 20 * slope.abs() + 1e-15).all())
    assert bool((scores != plain).any())


def test_saliency_is_the_transform_of_the_gradient() -> None:
    """∂F/∂Re c = w/n · Re RFFT(∇F), the same for the imaginary part; a magnitude takes it along its phase."""
    net, truth = Smooth(N), SmoothTruth(N)
    x = noise(3, N)
    real, imag, counts = fourier(N)
    gradient = np.stack([truth.gradient(one, 1) for one in x])
    slopes = np.stack([gradient @ real.T, gradient @ imag.T], -1) * counts[:, None] / N
    model = FrequencyModel(net, N)
    spectrum = model.inverse.spectrum(torch.from_numpy(x)).requires_grad_()
    signed = Saliency(model).attribute(spectrum, target=1, abs=False)
    close(signed, slopes, 1e-12)
    close(Saliency(model).attribute(spectrum, target=1), np.abs(slopes), 1e-12)

    polar = FrequencyModel(net, N, "magnitude")
    magnitude = polar.inverse.spectrum(torch.from_numpy(x)).requires_grad_()
    phase = polar.inverse.phase(torch.from_numpy(x))
    along = slopes[..., 0] * phase.cos().numpy() + slopes[..., 1] * phase.sin().numpy()
    scores = Saliency(polar).attribute(magnitude, target=1, abs=False, additional_forward_args=(phase,))
    close(scores, along, 1e-12)


@pytest.mark.parametrize("n", [12, N])
@pytest.mark.parametrize("n_steps", [5, 50])
def test_magnitude_with_fixed_phase_is_flex_for_a_zero_baseline(n: int, n_steps: int) -> None:
    x = noise(3, 2, n)
    net = Smooth(n, 2)
    model = FrequencyModel(net, n, "magnitude")
    given = torch.from_numpy(x)
    scores = IntegratedGradients(model).attribute(
        model.inverse.spectrum(given),
        target=1,
        n_steps=n_steps,
        method="gausslegendre",
        additional_forward_args=(model.inverse.phase(given),),
    )
    flex = Explainer(net, n_steps=n_steps, tol=10.0)(x, target=1).rfft
    # Captum computes nodes and weights in float32.
    close(scores.detach(), flex, 1e-6)


def test_magnitude_with_fixed_phase_for_another_baseline() -> None:
    """It starts at |X'| with the phase of the input, not at x': FLEX of that baseline."""
    x, baseline = noise(3, 2, N), noise(3, 2, N, seed=1)
    net = Smooth(N, 2)
    model = FrequencyModel(net, N, "magnitude")
    phase = model.inverse.phase(torch.from_numpy(x))
    start = model.inverse.spectrum(torch.from_numpy(baseline))
    scores = IntegratedGradients(model).attribute(
        model.inverse.spectrum(torch.from_numpy(x)), start, target=1, additional_forward_args=(phase,)
    )
    matched = np.fft.irfft(np.abs(np.fft.rfft(baseline)) * np.exp(1j * np.angle(np.fft.rfft(x))), N)
    close(scores.detach(), attribute(x, net, 1, matched), 1e-6)
    # The other baseline gives something else altogether.
    other = attribute(x, net, 1, baseline)
    assert np.abs(scores.detach().numpy() - other).max() > 0.1 * np.abs(other).max()


METHODS: dict[str, Callable[[Spectral], Tensor]] = {
    "input times gradient": lambda s: InputXGradient(s.model).attribute(
        s.spectrum, target=0, additional_forward_args=s.extra
    ),
    "feature ablation": lambda s: FeatureAblation(s.model).attribute(
        s.spectrum, target=0, additional_forward_args=s.extra, perturbations_per_eval=7
    ),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_other_methods_of_a_linear_model(method: Callable[[Spectral], Tensor], representation: Any) -> None:
    """All agree there: a coefficient's share is its slope times its value, that is FLEX."""
    net = nn.Sequential(nn.Flatten(), seeded(nn.Linear, 2 * N, 3)).double()
    spectral = Spectral(representation, net)
    scores = method(spectral).detach()
    shares = scores.sum(-1) if representation == "complex" else scores
    close(shares, attribute(spectral.x, net, 0), 1e-10)

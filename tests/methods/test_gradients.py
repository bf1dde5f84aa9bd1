"""Methods that are gradients, paths or relevance, against closed forms, Captum and explicit matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LRP, InputXGradient
from tests.helpers import Smooth, SmoothTruth, legendre, scores_of, seeded
from torch import Tensor, nn

import freqig
from freqig import methods

from .common import BASELINES, FS, OTHERS, N, attribution, made, network, signals

# Random networks find in noise what they find in zeros.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

# Gradient × input, SmoothGrad, expected gradients.


def test_gradient_times_input_is_captum_s_behind_the_inverse_transform() -> None:
    net = network()
    layer = freqig.FrequencyModel(net, N)
    spectrum = layer.inverse.spectrum(torch.from_numpy(signals())).requires_grad_()
    expected = InputXGradient(layer).attribute(spectrum, target=2).sum(-1).detach()
    found = made("GradientTimesInput", net)(signals(), target=2)
    np.testing.assert_allclose(found.rfft, expected, atol=1e-12)
    assert (found.n_evaluations == 1).all()


@pytest.mark.parametrize("n", [6, 7])
def test_the_gradient_is_that_at_the_input_whatever_the_baseline(n: int) -> None:
    truth, x, start = SmoothTruth(n), np.linspace(-1, 1, n), np.cos(np.arange(n))
    found = made("GradientTimesInput", Smooth(n), baseline=start)(x[None], target=1)
    np.testing.assert_allclose(found.rfft[0], scores_of(x - start, truth.gradient(x, 1)), atol=1e-12)


def test_smoothgrad_of_a_quadratic_is_its_gradient_at_the_mean_of_the_noise() -> None:
    # ∇ Σx² = 2x: the mean over noise is 2(x + mean noise), whose deviation is known.
    x = np.sin(np.arange(N))[None]
    found = made("SmoothGrad", lambda x: x.square().sum(1), draws=400, noise=0.2)(x, target=0)
    ratio = attribution(found) / scores_of(x, 2 * x)
    strong = np.abs(np.fft.rfft(x)) > 2
    np.testing.assert_allclose(ratio[strong], 1, atol=0.1)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
def test_noise_is_a_share_of_the_range_of_each_channel(scale: float) -> None:
    # Captum's noise has a deviation of 1, whatever the unit is.
    seen = list[Tensor]()

    def model(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return (x / scale).flatten(1).tanh().sum(1)

    x = signals(1) * np.array([1.0, 100.0])[:, None] * scale
    made("SmoothGrad", model, draws=200, noise=0.1, dtype=torch.float64)(x, target=0)
    noise = torch.cat([points for points in seen if len(points) > 50]) - torch.from_numpy(x)
    wanted = 0.1 * np.ptp(x, axis=-1)[0]
    np.testing.assert_allclose(noise.std((0, 2)), wanted, rtol=0.1)


def test_without_noise_it_is_gradient_times_input() -> None:
    smooth, plain = made("SmoothGrad", network(), noise=0), made("GradientTimesInput", network())
    np.testing.assert_allclose(smooth(signals()).rfft, plain(signals()).rfft, atol=1e-12)


def test_expected_gradients_average_products_and_not_their_factors() -> None:
    # F = Σx²: the attribution from x' is (x - x')(x + x') at the mean place. Mean gradient times mean
    # difference is another number wherever baselines differ.
    x = signals(1)[:, 0]
    model = lambda x: x.square().sum(1)
    found = made("ExpectedGradients", model, draws=200, baseline=freqig.baselines.data(OTHERS[:, 0]))
    expected = np.mean([scores_of(x - b, x + b) for b in OTHERS[:, 0]], 0)
    result = found(x, target=0)
    np.testing.assert_allclose(result.rfft, expected, atol=0.02 * abs(expected).max())
    wrong = scores_of(x - OTHERS[:, 0].mean(0), x + OTHERS[:, 0].mean(0))
    assert abs(wrong - expected).max() > 0.2 * abs(expected).max()
    assert (result.n_evaluations == 3 * 200).all()


def test_expected_gradients_come_to_what_the_explainer_integrates() -> None:
    exact = freqig.Explainer(network(), fs=FS, tol=1e-4)(signals(), baseline=BASELINES)
    errors = [
        float(
            abs(
                made("ExpectedGradients", network(), draws=draws, baseline=BASELINES)(signals()).rfft
                - exact.rfft
            ).mean()
        )
        for draws in (1, 16)
    ]
    assert errors[1] < 0.2 * errors[0]


# The path of bands.


def test_bands_of_a_product_go_to_the_one_that_enters_last() -> None:
    t = np.arange(64) / 64
    x = (np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 20 * t))[None]

    def product(x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x).abs() / 32
        return spectrum[:, 5] * spectrum[:, 20]

    for order, last, first in (("rising", 20, 5), ("falling", 5, 20)):
        found = made("SpectralGradients", product, fs=64, bands=2, order=order, dtype=torch.float64)(
            x, target=0
        )
        assert float(found.rfft.sel(frequency=last)[0]) == pytest.approx(1)
        assert abs(float(found.rfft.sel(frequency=first)[0])) < 1e-9


def test_the_path_of_bands_against_a_sum_over_its_nodes() -> None:
    n, truth = 9, SmoothTruth(9)
    x, start = np.cos(np.arange(n)), np.linspace(-1, 1, n)
    spectrum, band = np.fft.rfft(x - start), np.array([0, 0, 1, 1, 2])
    nodes, weights = legendre(3)
    expected = np.zeros(5)
    for b in range(3):
        for node, weight in zip(nodes, weights, strict=True):
            at = start + np.fft.irfft(spectrum * ((band < b) + node * (band == b)), n)
            expected += weight * scores_of(x - start, truth.gradient(at, 0)) * (band == b)
    found = made("SpectralGradients", Smooth(n), baseline=start)(x[None], target=0)
    np.testing.assert_allclose(np.arange(5) * 3 // 5, [0, 0, 1, 1, 2])
    np.testing.assert_allclose(found.rfft[0], expected, atol=1e-12)


def test_one_band_is_integrated_gradients() -> None:
    one = made("SpectralGradients", network(), bands=1, n_steps=12)(signals())
    straight = freqig.Explainer(network(), fs=FS, n_steps=12, tol=1.0)(signals())
    np.testing.assert_allclose(one.rfft, straight.rfft, atol=1e-12)


# Relevance.


def matrix(n: int) -> np.ndarray:
    """x = matrix @ (real parts, imaginary parts) of a spectrum, by definition, shape (n, 2 · bins)."""
    k, t = np.arange(n // 2 + 1), np.arange(n)[:, None]
    weights = np.where((k == 0) | (2 * k == n), 1, 2) / n
    angle = 2 * np.pi * k * t / n
    return np.concatenate([weights * np.cos(angle), -weights * np.sin(angle)], 1)


@pytest.mark.parametrize("n", [8, 9])
def test_relevance_goes_through_the_matrix_that_gives_the_signal_back(n: int) -> None:
    net = nn.Sequential(seeded(nn.Linear, n, 6), nn.ReLU(), seeded(nn.Linear, 6, 2)).double()
    x = np.random.default_rng(0).normal(size=(2, n))
    spectrum = np.fft.rfft(x)
    parts = np.concatenate([spectrum.real, spectrum.imag], 1)
    inverse = matrix(n)
    np.testing.assert_allclose(parts @ inverse.T, x, atol=1e-12)
    found = made("DFTLRP", net, domains=(freqig.RFFT(), freqig.Time()))(x, target=1)
    relevance = attribution(found, "waveform")
    # The z-rule through one more linear layer.
    shared = parts * ((relevance / x) @ inverse)
    np.testing.assert_allclose(found.rfft, shared[:, : n // 2 + 1] + shared[:, n // 2 + 1 :], atol=1e-12)
    np.testing.assert_allclose(found.rfft.sum("frequency"), relevance.sum(1), atol=1e-12)
    # With a row of ones for Nyquist, at n // 2 of odd lengths too, nothing is given back, and no sum kept.
    published = inverse.copy()
    published[:, n // 2] = 1 / n
    published[:, -1] = 0
    assert abs(parts @ published.T - x).max() > 0.1
    wrong = parts * ((relevance / x) @ published)
    assert abs(wrong.sum(1) - relevance.sum(1)).max() > 1e-3


def test_relevance_in_time_is_that_of_captum_where_captum_knows_the_layers() -> None:
    net = nn.Sequential(seeded(nn.Linear, N, 8), nn.ReLU(), seeded(nn.Linear, 8, 3)).double()
    x = torch.from_numpy(signals()[:, 0])
    expected = LRP(net).attribute(x.clone().requires_grad_(), target=1).detach()
    found = made("DFTLRP", net, domains=freqig.Time(), epsilon=1e-9)(x, target=1)
    np.testing.assert_allclose(found.waveform, expected, atol=1e-7)


class Functional(nn.Module):
    """Functions between layers, a sum of two branches, a mean: what hooks of layers do not see."""

    def __init__(self) -> None:
        super().__init__()
        self.first = seeded(nn.Conv1d, 2, 4, 3, padding=1, bias=False)
        self.second = seeded(nn.Conv1d, 4, 4, 3, padding=1, bias=False)
        self.drop = nn.Dropout(0.5)
        self.last = seeded(nn.Linear, 4, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        h = h + nn.functional.relu(self.second(h))
        return self.last(self.drop(h).mean(-1))


def test_functions_between_layers_have_their_rules_too() -> None:
    # Without biases the z-rule of a network of ReLUs is gradient × input.
    net = Functional().double()
    found = made("DFTLRP", net, epsilon=1e-9)(signals(), target="all")
    plain = made("GradientTimesInput", net)(signals(), target="all")
    np.testing.assert_allclose(found.rfft, plain.rfft, atol=1e-6)
    np.testing.assert_allclose(found.rfft.sum(("channel", "frequency")), found.output, atol=1e-6)


@pytest.mark.parametrize("activation", [nn.GELU, nn.ELU, nn.SiLU, nn.Tanh])
def test_activations_pass_relevance_on(activation: type[nn.Module]) -> None:
    layers = (
        nn.Flatten(),
        seeded(nn.Linear, 2 * N, 6, bias=False),
        activation(),
        seeded(nn.Linear, 6, 3, bias=False),
    )
    found = made("DFTLRP", nn.Sequential(*layers).double())(signals(), target=0)
    np.testing.assert_allclose(found.rfft.sum(("channel", "frequency")), found.output, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "asked", "message"),
    [
        (
            nn.Sequential(nn.Flatten(), nn.LayerNorm(2 * N), nn.Linear(2 * N, 3)),
            {},
            "the layer '0.1', a LayerNorm",
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(2 * N, 3)), {"output": "log_prob"}, "output must be 'logit'"),
        (nn.Sequential(nn.Flatten(), nn.Linear(2 * N, 3)), {"baseline": OTHERS[0]}, "baseline must be zero"),
    ],
)
def test_what_has_no_relevance_is_refused(model: nn.Module, asked: dict[str, object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        made("DFTLRP", model, dtype=torch.float32, **asked)(signals(), target=0)


def test_functions_without_a_rule_are_named() -> None:
    class Products(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x * x).flatten(1).sum(1, keepdim=True)

    with pytest.raises(TypeError, match="the function mul"):
        methods.DFTLRP(Products(), dtype=torch.float64)(signals(), target=0)

"""`attribute` against Captum's Integrated Gradients over an inverse real FFT written here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from freqig import Explainer, attribute

from ..helpers import FEW_NODES, SmallCNN, close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

# Captum computes the weights of its rule in float32.
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-6}
NUMPY = {torch.float32: np.float32, torch.float64: np.float64}


class AfterInverse(nn.Module):
    """The model, called with real and imaginary parts of one-sided spectra."""

    def __init__(self, model: nn.Module, n: int) -> None:
        super().__init__()
        self.model, self.n = model, n

    def forward(self, spectrum: Tensor, *extra: Any) -> Tensor:
        series = torch.fft.irfft(torch.complex(spectrum[..., 0], spectrum[..., 1]), n=self.n)
        return self.model(series, *extra)


class AfterPolarInverse(AfterInverse):
    """The model, called with magnitudes, the phases being a further argument."""

    def forward(self, magnitude: Tensor, phase: Tensor) -> Tensor:
        return super().forward(torch.stack([magnitude * phase.cos(), magnitude * phase.sin()], -1))


def by_captum(
    model: nn.Module,
    x: np.ndarray,
    baseline: np.ndarray,
    target: Any,
    dtype: torch.dtype,
    n_steps: int = 50,
    extra: Any = None,
) -> np.ndarray:
    spectrum, start = (
        torch.view_as_real(torch.fft.rfft(torch.tensor(values, dtype=dtype))) for values in (x, baseline)
    )
    scores = IntegratedGradients(AfterInverse(model, x.shape[-1])).attribute(
        spectrum,
        baselines=start,
        target=target,
        n_steps=n_steps,
        method="gausslegendre",
        additional_forward_args=extra,
    )
    return scores.sum(-1).detach().numpy()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("n", "channels"), [(6, 1), (7, 3), (64, 3), (65, 1)])
@pytest.mark.parametrize("with_baseline", [False, True], ids=["zero", "baseline"])
@pytest.mark.parametrize("activation", [nn.Tanh, nn.GELU])
def test_attribute_equals_captum(
    dtype: torch.dtype, n: int, channels: int, with_baseline: bool, activation: type[nn.Module]
) -> None:
    model = seeded(SmallCNN, channels, activation=activation).to(dtype).eval()
    x = noise(4, channels, n).astype(NUMPY[dtype])
    baseline = noise(4, channels, n, seed=1).astype(NUMPY[dtype]) if with_baseline else np.zeros_like(x)
    target = [0, 1, 1, 0]
    scores = attribute(x, model, target=target, baseline=baseline if with_baseline else None)
    assert scores.dtype == x.dtype
    close(scores, by_captum(model, x, baseline, target, dtype), TOLERANCE[dtype])


@pytest.mark.parametrize("n", [32, 33])
def test_single_series_and_default_baseline_equal_captum(n: int) -> None:
    model = seeded(SmallCNN).double()
    x = noise(n)
    expected = by_captum(model, x[None, None], np.zeros((1, 1, n)), 1, torch.float64)
    close(attribute(x, model, target=1), expected[0, 0], 1e-6)
    close(attribute(x[None], model, target=1), expected[0, 0], 1e-6)


@FEW_NODES
@pytest.mark.parametrize("n", [32, 33])
def test_kinks_on_the_path_do_not_matter(n: int) -> None:
    """Both take the same nodes, so they agree even where the gradient jumps between them."""
    model = seeded(SmallCNN, 2, activation=nn.ReLU).double()
    x, baseline = noise(3, 2, n), noise(3, 2, n, seed=1)
    expected = by_captum(model, x, baseline, [1, 0, 1], torch.float64, n_steps=7)
    close(attribute(x, model, target=[1, 0, 1], baseline=baseline, n_steps=7), expected, 1e-6)


def test_recurrent_network_equals_captum() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(2, 5, batch_first=True)
            self.head = nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.lstm(x.transpose(1, 2))[0][:, -1])

    model = seeded(Recurrent).double()
    x = noise(2, 2, 21)
    close(attribute(x, model, target=2), by_captum(model, x, np.zeros_like(x), 2, torch.float64), 1e-6)


def test_outputs_with_more_axes_equal_captum() -> None:
    """A tuple is one index for all samples, as Captum reads it; a list of tuples one per sample."""
    model = nn.Sequential(nn.Conv1d(2, 4, 5, padding=2), nn.Tanh(), nn.Conv1d(4, 3, 3, padding=1)).double()
    x = noise(2, 2, 16)
    for target in ((2, 5), [(2, 5), (0, 15)]):
        expected = by_captum(model, x, np.zeros_like(x), target, torch.float64)
        close(attribute(x, model, target=target), expected, 1e-6)


def test_additional_arguments_equal_captum() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cnn = SmallCNN(2)

        def forward(self, x: Tensor, gain: Tensor, offset: float) -> Tensor:
            return self.cnn(x * gain[:, None, None] + offset)

    model = seeded(Gated).double()
    x, extra = noise(3, 2, 16), (torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 0.3)
    expected = by_captum(model, x, np.zeros_like(x), 1, torch.float64, extra=extra)
    close(attribute(x, model, target=1, additional_forward_args=extra), expected, 1e-6)


@pytest.mark.parametrize("n", [32, 33])
def test_polar_coordinates_with_fixed_phase_are_the_same_from_zero(n: int) -> None:
    """What the original computes, and what its users know: equal for the zero baseline."""
    model = seeded(SmallCNN).double()
    x = torch.tensor(noise(1, 1, n))
    spectrum = torch.fft.rfft(x)
    expected = IntegratedGradients(AfterPolarInverse(model, n)).attribute(
        spectrum.abs(), target=0, additional_forward_args=(spectrum.angle(),), n_steps=50
    )
    close(attribute(x, model, target=0), expected.detach().numpy(), 1e-6)


def test_sums_over_frequency_equal_captum_in_time() -> None:
    """Integrated Gradients of the series itself, channel by channel."""
    model = seeded(SmallCNN, 3).double()
    x = torch.tensor(noise(4, 3, 31))
    in_time = IntegratedGradients(model).attribute(x, target=1, n_steps=50).detach().numpy()
    close(attribute(x, model, target=1).sum(-1), in_time.sum(-1), 1e-6)
    result = Explainer(model, n_steps=50)(x, target=1)
    close(result.rfft.sum("frequency").values, in_time.sum(-1), 1e-6)

"""Models of several inputs: one path for all, and attributions that sum over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import RFFT, STFT, Explainer, Polar, Time
from freqig.models import Model

GENERATOR = np.random.default_rng(5)
EEG, MOTION = GENERATOR.normal(size=(4, 2, 50)), GENERATOR.normal(size=(4, 31))


class TwoStreams(nn.Module):
    """A product of two streams, so that neither can be explained without the other."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv = nn.Conv1d(2, 4, 5, dtype=torch.float64)
            self.dense = nn.Linear(31, 3, dtype=torch.float64)

    def forward(self, eeg: Tensor, motion: Tensor, gain: Tensor | float = 1.0) -> Tensor:
        return gain * self.dense(motion) * self.conv(eeg).tanh().mean((1, 2)).unsqueeze(1)


def test_attributions_sum_over_all_inputs() -> None:
    result = Explainer(TwoStreams(), fs=10, domains=[RFFT(), Time(), STFT(1.0)], n_steps=40)((EEG, MOTION))
    difference = result.output - result.baseline_output
    for name in ("rfft", "waveform", "stft"):
        total = sum(
            result[f"{name}_{i}"].sum([d for d in result[f"{name}_{i}"].dims if d != "sample"])
            for i in (0, 1)
        )
        np.testing.assert_allclose(total, difference, rtol=0, atol=1e-11)


def test_labels_tell_the_inputs_apart() -> None:
    result = Explainer(TwoStreams(), fs=10)((EEG, MOTION))
    assert result.rfft_0.dims == ("sample", "channel_0", "frequency_0")
    assert result.rfft_1.dims == ("sample", "frequency_1")
    np.testing.assert_array_equal(result.signal_0, EEG)
    np.testing.assert_array_equal(result.signal_1, MOTION)
    assert result.frequency_1.attrs["units"] == "Hz"
    assert result.frequency_1[-1] == pytest.approx(15 / 3.1)


def test_equal_to_one_path_written_out() -> None:
    model, target = TwoStreams(), 1
    baseline = np.full((31,), 0.5)
    result = Explainer(model, domains=Time(), n_steps=60)(
        (EEG, MOTION), target=target, baseline=(None, baseline)
    )
    nodes, weights = np.polynomial.legendre.leggauss(60)
    ends = [torch.as_tensor(EEG), torch.as_tensor(MOTION)]
    starts = [torch.zeros_like(ends[0]), torch.as_tensor(baseline).expand_as(ends[1])]
    sums = [torch.zeros_like(end) for end in ends]
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        points = [(s + node * (e - s)).requires_grad_() for s, e in zip(starts, ends, strict=True)]
        gradients = torch.autograd.grad(model(*points)[:, target].sum(), points)
        sums = [total + weight * gradient for total, gradient in zip(sums, gradients, strict=True)]
    for i, (start, end, mean) in enumerate(zip(starts, ends, sums, strict=True)):
        np.testing.assert_allclose(result[f"waveform_{i}"], (end - start) * mean, rtol=0, atol=1e-12)


def test_time_axis_and_further_arguments() -> None:
    model = TwoStreams()

    def channels_last(eeg: Tensor, motion: Tensor, gain: Tensor) -> Tensor:
        return model(eeg.movedim(1, 2), motion.squeeze(2), gain)

    gain = torch.arange(1.0, 5.0, dtype=torch.float64).unsqueeze(1)
    swapped = (np.moveaxis(EEG, 2, 1), MOTION[:, :, None])
    found = Explainer(channels_last, time_axis=1, n_steps=20)(swapped, target=0, additional_forward_args=gain)
    plain = Explainer(model, n_steps=20)((EEG, MOTION), target=0)
    np.testing.assert_allclose(
        found.rfft_0, gain.numpy()[:, :, None] * plain.rfft_0.values, rtol=0, atol=1e-12
    )


def test_inputs_with_and_without_channels_have_one_time_axis() -> None:
    model = TwoStreams()
    found = Explainer(lambda eeg, motion: model(eeg.movedim(1, 2), motion), time_axis=1, n_steps=20)(
        (np.moveaxis(EEG, 2, 1), MOTION), target=0
    )
    plain = Explainer(model, n_steps=20)((EEG, MOTION), target=0)
    for name in ("rfft_0", "rfft_1"):
        np.testing.assert_allclose(found[name], plain[name], rtol=0, atol=1e-12)


def test_a_kind_of_model_that_takes_one_input_says_so() -> None:
    class Own(Model):
        dtype, device = torch.float64, torch.device("cpu")

        def outputs(self, points: Tensor, extra: tuple[Any, ...]) -> Tensor:
            return points

        def value_and_gradient(
            self, points: Tensor, extra: tuple[Any, ...], explained: Any
        ) -> tuple[Tensor, Tensor]:
            raise AssertionError

    with pytest.raises(
        TypeError, match="x must be one input for models of class Own, got 2: give the others"
    ):
        Explainer(Own())((EEG, MOTION))


def test_wrong_inputs() -> None:
    explainer = Explainer(TwoStreams())
    with pytest.raises(ValueError, match=r"one batch size, got \[4, 3\]"):
        explainer((EEG, MOTION[:3]))
    with pytest.raises(ValueError, match="baseline must be a tuple of 2"):
        explainer((EEG, MOTION), baseline=EEG)
    with pytest.raises(ValueError, match="must be linear"):
        Explainer(TwoStreams(), domains=Polar())((EEG, MOTION))
    with pytest.raises(ValueError, match=r"x\[1\] must be finite"):
        explainer((EEG, np.where(MOTION > 2, np.nan, MOTION)))


@pytest.mark.parametrize("weight", [0.0, 1e-6, 1e-3])
def test_an_input_that_hardly_matters_is_known_as_well_as_the_whole_is(weight: float) -> None:
    """Beside an input that decides, rounding alone makes up what is known of one that does not."""

    def model(first: Tensor, second: Tensor) -> Tensor:
        return (weight * first.tanh().sum(-1) + second.square().sum(-1))[:, None]

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(3, 64)), rng.normal(size=(3, 32))
    result = Explainer(model, fs=64)(inputs, target=0)
    assert result.converged.all()
    assert (result.estimated_error < 0.01).all()
    size = np.square(inputs[1]).sum(1)
    np.testing.assert_allclose(result.rfft_1.sum("frequency_1"), size, rtol=1e-5)
    own = weight * np.tanh(inputs[0]).sum(1)
    np.testing.assert_allclose(result.rfft_0.sum("frequency_0"), own, rtol=0, atol=1e-5 * size.max())


def test_an_input_that_needs_nodes_gets_them() -> None:
    """Where one input saturates, and makes up half of the attributions, its errors count as theirs."""

    def model(first: Tensor, second: Tensor) -> Tensor:
        return (torch.tanh(20 * first).sum(-1) + second.sum(-1))[:, None]

    first = np.abs(np.random.default_rng(0).normal(size=(3, 16))) + 0.5
    result = Explainer(model, fs=16, tol=1e-3, dtype=torch.float64)((first, first), target=0)
    assert result.converged.all()
    exact = np.tanh(20 * first).sum(1)
    np.testing.assert_allclose(result.rfft_0.sum("frequency_0"), exact, rtol=2e-3)

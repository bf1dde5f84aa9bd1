"""In which layout a model gets its series, and that no layout is taken for another one."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import attribute

from .helpers import Recorder, SmallCNN, Smooth, close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 24


class OnlyPlain(nn.Module):
    """Takes (batch, n) and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Smooth(N)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 2:
            raise ValueError(f"plain series only, got {x.ndim} axes")
        return self.inner(x)


class OnlyChannels(OnlyPlain):
    """Takes (batch, 1, n) and nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 3 or x.shape[1] != 1:
            raise ValueError(f"one channel only, got shape {tuple(x.shape)}")
        return self.inner(x)


@pytest.mark.parametrize(
    ("model", "axes"),
    [(OnlyPlain(), (N,)), (OnlyChannels(), (1, N)), (Smooth(N), (N,))],
    ids=["(batch, n)", "(batch, 1, n)", "either"],
)
@pytest.mark.parametrize("shape", [(N,), (1, N), (1, 1, N), (2, 1, N), (5, 1, N)], ids=str)
def test_series_reach_the_model_in_its_layout(
    model: nn.Module, axes: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    recorder = Recorder(model)
    x = noise(*shape)
    scores = attribute(x, recorder, target=1)
    assert recorder.last_axes == axes
    assert scores.shape == (*(shape[:-1] if len(shape) == 3 else ()), N // 2 + 1)
    # The same function behind all three, so the layout must not show in the scores.
    close(scores, attribute(x, Smooth(N), target=1), 1e-12)


@pytest.mark.parametrize("shape", [(3, N), (4, 3, N)], ids=str)
def test_several_channels_go_over_as_they_are(shape: tuple[int, ...]) -> None:
    recorder = Recorder(Smooth(N, channels=3))
    assert attribute(noise(*shape), recorder, target=0).shape == (*shape[:-1], N // 2 + 1)
    assert {axes[1:] for axes in recorder.shapes} == {(3, N)}


def check_one_channel(model: nn.Module) -> None:
    """Scores of a plain series add up to the difference of outputs that (batch, 1, n) gives."""
    recorder, x, baseline = Recorder(model), noise(N), noise(N, seed=1)
    total = attribute(x, recorder, target=0, baseline=baseline).sum()
    assert recorder.last_axes == (1, N)
    with torch.no_grad():
        first, second = model.eval()(torch.tensor(np.stack([x, baseline]))[:, None])[:, 0].tolist()
    assert total == pytest.approx(first - second, rel=1e-3, abs=1e-6)


def test_conv1d_that_would_take_one_unbatched_series() -> None:
    """Conv1d reads (1, n) as one series of one channel: a probe of one sample succeeds wrongly."""
    model = seeded(SmallCNN).double()
    assert model(torch.zeros(1, N, dtype=torch.float64)).shape == (2,), "the trap is no longer there"
    check_one_channel(model)


def test_conv1d_that_would_take_two_points_for_two_channels() -> None:
    """Two series of one channel are one of two to this network, and its two classes two rows."""
    model = seeded(SmallCNN, channels=2, outputs=2).double()
    assert model(torch.zeros(2, N, dtype=torch.float64)).shape == (2,), "the trap is no longer there"
    with pytest.raises(RuntimeError, match=r"(?s)shape \(3, 24\).*\(batch, 1, n\).*shape \(2, 1, 24\)"):
        attribute(noise(N), model, target=0)


@pytest.mark.parametrize("reverse", [False, True])
def test_recurrent_layer_that_would_take_the_batch_for_time(reverse: bool) -> None:
    """An LSTM reads (2, n) as one unbatched sequence of two steps: rows see the rows before them."""

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(N, 4, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            if reverse:
                return self.lstm(x.flip(-2))[0].flip(-2).reshape(x.shape[0], -1)
            return self.lstm(x)[0].reshape(x.shape[0], -1)

    check_one_channel(seeded(Recurrent).double())


def test_attention_that_would_take_the_batch_for_time() -> None:
    class Attentive(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(N, 2, 16, activation="gelu", batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x).flatten(1)

    check_one_channel(seeded(Attentive).double())


def test_normalisation_over_channels() -> None:
    """BatchNorm1d reads (batch, n) as n channels, and refuses it."""
    model = nn.Sequential(nn.BatchNorm1d(1), nn.Flatten(), seeded(nn.Linear, N, 2), nn.Tanh()).double()
    model[0].running_mean.fill_(0.3)
    check_one_channel(model)


@pytest.mark.parametrize("value", [0.0, -2.5])
def test_layout_does_not_depend_on_the_series(value: float) -> None:
    """x = x' leaves no path of which distinct points could be taken; the probe makes its own."""
    x = np.full(N, value)
    for model, axes in ((OnlyChannels(), (1, N)), (OnlyPlain(), (N,)), (SmallCNN(), (1, N))):
        recorder = Recorder(model)
        assert not attribute(x, recorder, target=0, baseline=x).any()
        assert recorder.last_axes == axes


def test_probe_passes_the_additional_arguments() -> None:
    cnn = seeded(SmallCNN).double()
    recorder = Recorder(lambda x, gain, power: cnn(x * gain[:, None, None] ** power))
    gain = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    attribute(noise(3, 1, N), recorder, target=0, additional_forward_args=(gain, 2))
    assert recorder.last_axes == (1, N)


def test_model_that_refuses_both_says_how_it_was_called() -> None:
    class RefusalError(Exception):
        pass

    def refuse(x: Tensor) -> Tensor:
        raise RefusalError(f"not with {x.ndim} axes")

    with pytest.raises(RefusalError) as caught:
        attribute(noise(N), refuse)
    message = str(caught.value)
    for part in ("not with 2 axes", "(2, 24)", "not with 3 axes", "(2, 1, 24)", "float32"):
        assert part in message


def test_channels_that_the_model_refuses_are_proposed_as_series() -> None:
    x = noise(5, N)
    for model, said in ((seeded(SmallCNN).double(), r"\(2, 5, 24\)"), (OnlyPlain(), "plain series only")):
        with pytest.raises(ValueError, match=r"takes input\[:, None\], of shape \(5, 1, 24\), if") as caught:
            attribute(x, model, target=0)
        assert re.search(said, str(caught.value.__cause__))
    for model in (seeded(SmallCNN).double(), OnlyPlain()):
        assert attribute(x[:, None, :], model, target=0).shape == (5, 1, N // 2 + 1)


def test_layer_over_the_last_axis_takes_channels_for_more_outputs() -> None:
    """Linear does not refuse (batch, k, n), it has outputs with more axes: the error helps here too."""
    with pytest.raises(ValueError, match=r"outputs of shape .*input\[:, None, :\]"):
        attribute(noise(5, N), nn.Linear(N, 2), target=1)


def test_model_that_mixes_its_batch_is_refused() -> None:
    def standardised(x: Tensor) -> Tensor:
        return ((x - x.mean(0)) / (x.std(0) + 1)).tanh().sum(-1)

    with pytest.raises(ValueError, match=r"independently.*batch_independent=False"):
        attribute(noise(N), standardised)

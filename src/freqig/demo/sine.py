"""Noise with or without a sine of one frequency, and the frequency that a network looks for."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from .._check import check_count
from .._typing import Float, Int
from ..explain.explainer import Explainer
from .threads import one_thread

N_SERIES, N_SAMPLES = 100, 256
FS = 128.0
NOISE = 5.0
AMPLITUDES = (10.0, 30.0)
FREQUENCIES = np.arange(1.0, 10.0)
"""Candidates for the frequency of the sine, in Hz. All complete whole cycles in a series of 2 s."""

EPOCHS = 150
LEARNING_RATE = 0.01


@dataclass(frozen=True)
class SineSeries:
    """Labelled series, and the frequency that makes the difference.

    Parameters
    ----------
    signals : torch.Tensor
        Shape (100, 256), float32, 2 s at 128 Hz each.
    labels : torch.Tensor
        Shape (100,), int64: 1 where the series has a sine, else 0.
    frequency : float
        Frequency of the sines in Hz, the same in all of them.

    Examples
    --------
    >>> from freqig.demo.sine import make_series
    >>> make_series(seed=0).frequency
    8.0
    """

    signals: Float[Tensor, "series time"]
    labels: Int[Tensor, " series"]
    frequency: float


@dataclass(frozen=True)
class SineExplanation:
    """What the example found.

    Parameters
    ----------
    result : xarray.Dataset
        Explanation of one correctly classified series that has the sine, for class 1.
    target_frequency : float
        Frequency of the sine in Hz.
    strongest_frequency : float
        Frequency with the largest attribution in Hz.
    accuracy : float
        Fraction of the series that the network classifies correctly, training data all.
    training_seconds, explanation_seconds : float
        Wall time in seconds.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.demo.sine import SineExplanation
    >>> found = SineExplanation(xr.Dataset(), 7.0, 7.0, 1.0, 3.0, 0.1)
    >>> found.agrees
    True
    """

    result: xr.Dataset
    target_frequency: float
    strongest_frequency: float
    accuracy: float
    training_seconds: float
    explanation_seconds: float

    @property
    def agrees(self) -> bool:
        """Whether the strongest frequency is that of the sine."""
        return self.strongest_frequency == self.target_frequency


class SineNet(nn.Module):
    """Two convolutions, the mean over time, and a linear layer.

    Parameters
    ----------
    seed : int, default 0
        Seed of the initial weights. The global random state is neither used nor changed.

    Examples
    --------
    >>> import torch
    >>> from freqig.demo.sine import SineNet
    >>> SineNet()(torch.zeros(3, 256)).shape
    torch.Size([3, 2])
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        # Layers draw their first weights from torch's default generator, and no other.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.layers = nn.Sequential(
                nn.Conv1d(1, 8, kernel_size=5, padding=2),
                nn.ReLU(),
                nn.Conv1d(8, 16, kernel_size=3, padding=1),
                nn.ReLU(),
                nn.AdaptiveAvgPool1d(1),
                nn.Flatten(),
                nn.Linear(16, 2),
            )

    def forward(self, x: Float[Tensor, "series time"]) -> Float[Tensor, "series 2"]:
        """Logits of the two classes, shape (series, 2), for series of shape (series, time)."""
        logits: Tensor = self.layers(x[:, None, :])
        return logits


def make_series(seed: int = 0) -> SineSeries:
    """Draw 100 series of Gaussian noise, σ = 5, about half of them with a sine on top.

    The sine has one frequency of 1 to 9 Hz throughout; amplitude (10 to 30) and phase differ from
    series to series.

    Parameters
    ----------
    seed : int, default 0
        Seed of the random numbers, at least 0.

    Returns
    -------
    SineSeries
        Series, labels, and the frequency.

    Raises
    ------
    TypeError, ValueError
        If `seed` is no integer, or negative.

    Examples
    --------
    >>> from freqig.demo.sine import make_series
    >>> series = make_series()
    >>> tuple(series.signals.shape), sorted(set(series.labels.tolist()))
    ((100, 256), [0, 1])
    """
    rng = np.random.default_rng(check_count(seed, "seed", minimum=0))
    frequency = float(rng.choice(FREQUENCIES))
    labels = rng.integers(0, 2, size=N_SERIES)
    amplitude = rng.uniform(*AMPLITUDES, size=(N_SERIES, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(N_SERIES, 1))
    sine = amplitude * np.sin(2 * np.pi * frequency * np.arange(N_SAMPLES) / FS + phase)
    signals = NOISE * rng.standard_normal((N_SERIES, N_SAMPLES)) + labels[:, None] * sine
    return SineSeries(torch.tensor(signals, dtype=torch.float32), torch.from_numpy(labels), frequency)


def train(series: SineSeries, seed: int = 0) -> SineNet:
    """Train a network to tell series with the sine from those without.

    Parameters
    ----------
    series : SineSeries
        All of it is one batch: Adam, 150 steps, learning rate 0.01, cross-entropy.
    seed : int, default 0
        Seed of the initial weights, at least 0.

    Returns
    -------
    SineNet
        In eval mode. The same for every number of cores: training takes one thread.

    Raises
    ------
    TypeError, ValueError
        If `seed` is no integer, or negative.

    Examples
    --------
    >>> from freqig.demo.sine import make_series, train
    >>> series = make_series()
    >>> predicted = train(series)(series.signals).argmax(dim=1)
    >>> bool((predicted == series.labels).float().mean() > 0.9)
    True
    """
    net = SineNet(check_count(seed, "seed", minimum=0))
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    loss_of = nn.CrossEntropyLoss()
    with one_thread(), torch.enable_grad():
        for _ in range(EPOCHS):
            optimizer.zero_grad()
            loss_of(net(series.signals), series.labels).backward()
            optimizer.step()
    return net.eval()


def run(seed: int = 0, n_steps: int = 50) -> SineExplanation:
    """Draw series, train a network, and explain the first series with the sine that it recognises.

    Parameters
    ----------
    seed : int, default 0
        Seed of series and weights, at least 0.
    n_steps : int, default 50
        Nodes on the path, as for `freqig.Explainer`.

    Returns
    -------
    SineExplanation
        The explanation, and the two frequencies that ought to be one.

    Raises
    ------
    RuntimeError
        If the network recognises no series with the sine.
    TypeError, ValueError
        If `seed` or `n_steps` are no integers, or too small.

    Examples
    --------
    >>> from freqig.demo import sine
    >>> found = sine.run()
    >>> found.strongest_frequency, found.target_frequency
    (8.0, 8.0)
    """
    series = make_series(seed)
    start = time.perf_counter()
    net = train(series, seed)
    trained = time.perf_counter()
    with torch.no_grad():
        predicted = net(series.signals).argmax(dim=1)
    accuracy = float((predicted == series.labels).double().mean())
    recognised = torch.nonzero((predicted == 1) & (series.labels == 1)).flatten()
    if len(recognised) == 0:
        raise RuntimeError(
            f"the network trained with seed {seed} recognises no series with the sine (accuracy "
            f"{accuracy:.2f}), so there is nothing to explain; try another seed"
        )
    one = series.signals[recognised[:1]]
    before = time.perf_counter()
    result = Explainer(net, fs=FS, n_steps=n_steps)(one, target=1)
    seconds = time.perf_counter() - before
    strongest = float(result.rfft.isel(sample=0).idxmax("frequency"))
    return SineExplanation(result, series.frequency, strongest, accuracy, trained - start, seconds)

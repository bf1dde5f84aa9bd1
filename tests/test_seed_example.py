"""The example with which freqIG 0.1 introduces itself, from data to figure."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn

from freqig import attribute

FS = 128
LENGTH = 256
SERIES = 100


class TwoLayers(nn.Module):
    """Two convolutions, their average over time, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 8, 5, padding=2)
        self.second = nn.Conv1d(8, 16, 3, padding=1)
        self.head = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, None] if x.ndim == 2 else x
        return self.head(self.second(self.first(x).relu()).relu().mean(-1))


def recordings(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Series with and without a sine in noise, labels, and the index of its frequency."""
    rng = np.random.default_rng(seed)
    frequencies = np.fft.rfftfreq(LENGTH, 1 / FS)
    frequency = rng.integers(1, 10)
    index = int(np.abs(frequencies - frequency).argmin())
    t = np.arange(LENGTH) / FS
    labels = rng.integers(0, 2, SERIES)
    phase, amplitude = rng.uniform(0, 2 * np.pi, SERIES), rng.uniform(10, 30, SERIES)
    sines = amplitude[:, None] * np.sin(2 * np.pi * frequencies[index] * t + phase[:, None])
    return 5 * rng.normal(size=(SERIES, LENGTH)) + labels[:, None] * sines, labels, index


def trained(x: np.ndarray, labels: np.ndarray, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = TwoLayers()
    inputs, classes = torch.tensor(x, dtype=torch.float32), torch.tensor(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), classes).backward()
        optimizer.step()
    return model


def test_strongest_frequency_is_the_target_frequency(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        x, labels, index = recordings(42)
        model = trained(x, labels, 42)
    with torch.no_grad():
        predictions = model(torch.tensor(x, dtype=torch.float32)).argmax(1).numpy()
    assert (predictions == labels).mean() > 0.9
    chosen = np.flatnonzero((labels == 1) & (predictions == 1))[0]

    scores = attribute(input=x[chosen : chosen + 1], model=model, target=1, n_steps=50)

    assert scores.shape == (LENGTH // 2 + 1,)
    assert scores.argmax() == index
    # The documentation makes a dictionary and a bar chart of it.
    by_frequency = dict(zip(np.fft.rfftfreq(LENGTH, d=1), scores, strict=True))
    assert max(by_frequency, key=by_frequency.get) * FS == np.fft.rfftfreq(LENGTH, 1 / FS)[index]
    figure, axes = plt.subplots()
    axes.bar(np.fft.rfftfreq(LENGTH, 1 / FS), scores)
    figure.savefig(tmp_path / "freqIG_attributions.png")
    plt.close(figure)

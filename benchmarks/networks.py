"""The four networks that benchmarks explain: with fixed random weights, or trained with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn


class DemoCNN(nn.Module):
    """Two convolutions and global average pooling, as in the documented example."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv1d(8, 16, 3, padding=1)
        self.head = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1) if x.ndim == 2 else x
        hidden = self.conv2(self.conv1(x).relu()).relu()
        return self.head(hidden.mean(-1))


class SleepCNN(nn.Module):
    """The convolutional part of TinySleepNet (Supratak and Guo 2020) and a linear head."""

    def __init__(self) -> None:
        super().__init__()

        def block(inputs: int, width: int, stride: int = 1) -> list[nn.Module]:
            conv = nn.Conv1d(inputs, 128, width, stride, padding=width // 2, bias=False)
            return [conv, nn.BatchNorm1d(128), nn.ReLU()]

        self.features = nn.Sequential(
            *block(1, 50, 6),
            nn.MaxPool1d(8),
            nn.Dropout(0.5),
            *block(128, 8),
            *block(128, 8),
            *block(128, 8),
            nn.MaxPool1d(4),
            nn.Flatten(),
        )
        self.head = nn.LazyLinear(5)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1) if x.ndim == 2 else x
        return self.head(self.features(x))


class LSTMNet(nn.Module):
    """One recurrent layer over samples, read at its last step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.head = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        series = x.reshape(len(x), -1, 1)
        return self.head(self.lstm(series)[0][:, -1])


class TransformerNet(nn.Module):
    """Patches of eight samples through two encoder layers."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.patches = nn.Conv1d(1, 32, 8, 8)
        self.position = nn.Parameter(0.02 * torch.randn(n // 8, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1) if x.ndim == 2 else x
        tokens = self.patches(x).transpose(1, 2) + self.position
        return self.head(self.encoder(tokens).mean(1))


@dataclass(frozen=True)
class Case:
    """A network and signals for it.

    Parameters
    ----------
    name : str
        What tables call it.
    n : int
        Samples per series.
    model : torch.nn.Module
        In eval, weights from a fixed seed.
    """

    name: str
    n: int
    model: nn.Module

    def signals(self, n_samples: int, seed: int = 0) -> Tensor:
        """Series, shape (n_samples, n), float32: noise and a slow sine."""
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(n_samples, self.n, generator=generator)
        phase = 2 * torch.pi * torch.rand(n_samples, 1, generator=generator)
        return noise + 2 * torch.sin(torch.arange(self.n) * 2 * torch.pi * 6 / 128 + phase)


def cases() -> dict[str, Case]:
    """The four networks of the side-by-side, keyed by a short name."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sleep = SleepCNN().eval()
        sleep(torch.zeros(2, 3000))
        return {
            "demo": Case("demo CNN, 256", 256, DemoCNN().eval()),
            "sleep": Case("sleep CNN, 3,000", 3000, sleep),
            "lstm": Case("LSTM, 256", 256, LSTMNet().eval()),
            "transformer": Case("Transformer, 512", 512, TransformerNet(512).eval()),
        }


TRAINING = {
    "demo": (60, 64, 0.01),
    "sleep": (30, 20, 0.001),
    "lstm": (60, 64, 0.01),
    "transformer": (40, 48, 0.003),
}
"""Steps of Adam, series per step, and learning rate."""

CYCLES = (0, 6, 12, 20, 30)
"""Cycles in 128 samples of the sine that makes each class; class 0 is noise alone."""


def trained_cases(folder: Path) -> dict[str, Case]:
    """The four networks, trained to tell the frequency of a sine in noise.

    Parameters
    ----------
    folder : pathlib.Path
        Where weights are kept, so that other processes need not train again.
    """
    chosen = cases()
    for key, case in chosen.items():
        path = folder / f"{key}.pt"
        if not path.exists():
            _train(case, *TRAINING[key])
            folder.mkdir(parents=True, exist_ok=True)
            torch.save(case.model.state_dict(), path)
        case.model.load_state_dict(torch.load(path, weights_only=True))
        case.model.eval()
    return chosen


def saturated_lstm(folder: Path) -> tuple[nn.Module, Tensor]:
    """An LSTM trained on the series of the demo, whose logits jump along paths, and such series."""
    from freqig.demo.sine import make_series

    series = make_series()
    path = folder / "saturated.pt"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LSTMNet()
    if not path.exists():
        fit(model, 100, 0.01, lambda _: (series.signals, series.labels))
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(model.state_dict(), path)
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval(), series.signals[series.labels == 1]


def _train(case: Case, steps: int, n_series: int, rate: float) -> None:
    n_classes = case.model.head.out_features
    generator = torch.Generator().manual_seed(1)
    time = torch.arange(case.n)

    def draw(_: int) -> tuple[Tensor, Tensor]:
        labels = torch.randint(n_classes, (n_series,), generator=generator)
        cycles = torch.tensor(CYCLES)[labels].unsqueeze(1) / 128
        phase = 2 * torch.pi * torch.rand(n_series, 1, generator=generator)
        sines = 2 * torch.sin(2 * torch.pi * cycles * time + phase) * (cycles > 0)
        return torch.randn(n_series, case.n, generator=generator) + sines, labels

    fit(case.model, steps, rate, draw)


def fit(model: nn.Module, steps: int, rate: float, draw: Callable[[int], tuple[Tensor, Tensor]]) -> None:
    """Train with Adam on the series and labels that `draw` returns for every step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    model.train()
    with torch.random.fork_rng():
        # Dropout draws from the default generator.
        torch.manual_seed(0)
        for step in range(steps):
            x, labels = draw(step)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), labels).backward()
            optimizer.step()
    model.eval()

"""Small networks of many kinds, trained to find a sine in noise, and their mean gradients by brute force."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from freqig.models import TorchModel
from freqig.objective.arguments import Extra
from freqig.objective.objective import Objective

from .known_paths import FS, N_TIMES, Case, composite


def convolutions(activation: Callable[[], nn.Module], pooled: bool = False) -> nn.Module:
    """Two convolutions and global average pooling; on request with BatchNorm and max-pooling."""
    layers: list[nn.Module] = []
    for inputs, outputs, width in ((1, 8, 5), (8, 16, 3)):
        layers.append(nn.Conv1d(inputs, outputs, width, padding=width // 2))
        layers += [nn.BatchNorm1d(outputs), activation(), nn.MaxPool1d(2)] if pooled else [activation()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 2))


class Recurrent(nn.Module):
    """One recurrent layer, read at its last step."""

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__()
        self.layer, self.head = kind(1, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x.transpose(1, 2))[0][:, -1])


class Encoder(nn.Module):
    """A convolution with stride, two Transformer layers and the mean over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv1d(1, 16, 8, stride=8)
        self.places = nn.Parameter(torch.randn(1, N_TIMES // 8, 16) * 0.1)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(self.patches(x).transpose(1, 2) + self.places).mean(1))


BUILD: dict[str, Callable[[], nn.Module]] = {
    "ReLU CNN": lambda: convolutions(nn.ReLU),
    "BatchNorm CNN": lambda: convolutions(nn.ReLU, pooled=True),
    "GELU CNN": lambda: convolutions(nn.GELU),
    "LSTM": lambda: Recurrent(nn.LSTM),
    "GRU": lambda: Recurrent(nn.GRU),
    "Transformer": Encoder,
}
KINKED = ("ReLU CNN", "BatchNorm CNN", "Transformer")


def sines(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noise, half of it with a sine of 2 to 20 Hz on top, shape (n, 1, time), and which half."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    frequency, phase = rng.uniform(2, 20, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    sine = np.sin(2 * np.pi * frequency * np.arange(N_TIMES) / FS + phase)
    x = rng.normal(0, 5, (n, N_TIMES)) + label[:, None] * rng.uniform(10, 30, (n, 1)) * sine
    return torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.tensor(label)


def trained(kind: str, seed: int, epochs: int) -> nn.Module:
    """The network after so many epochs on 100 series, in float64: every processor trains the same one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BUILD[kind]().double()
        x, label = sines(100, seed + 1)
        x = x.double()
        optimizer = torch.optim.Adam(model.parameters(), 3e-3 if kind == "Transformer" else 1e-2)
        for _ in range(epochs):
            for part in torch.randperm(100).split(25):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x[part]), label[part]).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
    return model.eval()


def network(
    kind: str, n: int, seed: int = 0, baseline: str = "zero", epochs: int = 40, panels: int = 4096
) -> Case:
    """A trained network on new series, explained for the class that it predicts.

    Parameters
    ----------
    kind : str
        Key of `BUILD`.
    n : int
        Number of series.
    seed : int
        Of weights, training data and series.
    baseline : {"zero", "noise"}
        Where the paths start.
    epochs : int
        Of the training.
    panels : int
        Of the reference for networks with kinks.
    """
    model = trained(kind, seed, epochs)
    x = sines(n, seed + 2)[0].double()
    start = torch.zeros_like(x)
    if baseline == "noise":
        start = 5 * torch.tensor(np.random.default_rng(seed + 3).normal(size=x.shape))
    with torch.no_grad():
        targets = model(x).argmax(1).reshape(n, 1, 1)
    objective = Objective(TorchModel(model), "logit", targets, Extra())
    if kind in KINKED:
        truth = torch.stack([summed(objective, x, start, i, panels) for i in range(n)])
        trusted = torch.ones(n, dtype=torch.bool)
    else:
        pairs = [bisected(objective, x, start, i) for i in range(n)]
        truth = torch.stack([gradient for gradient, _ in pairs])
        trusted = torch.tensor([good for _, good in pairs])
    name = kind if baseline == "zero" else f"{kind}, {baseline} baseline"
    return Case(name, objective, x, start, truth.reshape(n, 1, *x.shape[1:]), trusted)


def summed(objective: Objective, x: Tensor, start: Tensor, i: int, panels: int) -> Tensor:
    """Mean gradient of path i by two Gauss nodes in each of many panels, shape (D,)."""
    places, weights = composite(np.linspace(0, 1, panels + 1), 2)
    total = torch.zeros(x[i].numel(), dtype=torch.float64)
    for place, weight in zip(places.split(256), weights.split(256), strict=True):
        points = start[i] + place.reshape(-1, 1, 1) * (x[i] - start[i])
        gradient = objective.value_and_gradient(points, torch.full((len(place),), i))[1]
        total += weight @ gradient.reshape(len(place), -1)
    return total


def bisected(
    objective: Objective, x: Tensor, start: Tensor, i: int, tol: float = 1e-6, most: int = 6000
) -> tuple[Tensor, bool]:
    """Mean gradient of path i by panels of 10 against 15 Gauss nodes, and whether it can be trusted."""
    delta = (x[i] - start[i]).flatten()
    pairs = [composite(np.array([0.0, 1.0]), k) for k in (10, 15)]
    nodes = torch.cat([node for node, _ in pairs])
    weights = torch.zeros(2, 25, dtype=torch.float64)
    weights[0, :10], weights[1, 10:] = pairs[0][1], pairs[1][1]
    total, used = torch.zeros_like(delta), 0
    todo: Sequence[tuple[float, float]] = [(k / 8, (k + 1) / 8) for k in range(8)]
    size = 0.0
    while todo and used < most:
        left, right = torch.tensor(todo, dtype=torch.float64).T
        places = (left[:, None] + (right - left)[:, None] * nodes).flatten()
        points = start[i] + places.reshape(-1, 1, 1) * (x[i] - start[i])
        gradient = objective.value_and_gradient(points, torch.full((len(places),), i))[1]
        sums = torch.einsum("kn,pnd->kpd", weights, gradient.reshape(len(todo), 25, -1))
        sums = sums * (right - left)[:, None]
        used += len(places)
        size = max(size, float((total + sums[1].sum(0)).mul(delta).abs().sum()))
        rough = (sums[1] - sums[0]).mul(delta).abs().sum(1) > tol / 20 * size
        rough &= right - left > 1e-12
        total = total + sums[1][~rough].sum(0)
        todo = [
            pair
            for a, b in torch.stack([left, right], 1)[rough].tolist()
            for pair in ((a, (a + b) / 2), ((a + b) / 2, b))
        ]
    ends = objective.value(torch.stack([start[i], x[i]]), torch.tensor([i, i]))[:, 0]
    gap = float((total * delta).sum() - (ends[1] - ends[0]))
    return total, not todo and abs(gap) <= 1e-4 * size

"""What the examples share: energies of learnt filters, training, shares of attribution, pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

import freqig

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


class Energies(nn.Module):
    """A small convolutional network: energies of learnt filters in stretches of time, then classes."""

    def __init__(self, channels: int, filters: int, length: int, stretches: int, classes: int) -> None:
        super().__init__()
        self.filters = nn.Conv1d(channels, filters, length, padding=length // 2, bias=False)
        self.pool = nn.AdaptiveAvgPool1d(stretches)
        self.classes = nn.Linear(filters * stretches, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of signals, shape (batch, channels, time) or (batch, time)."""
        x = x.unsqueeze(1) if x.ndim == 2 else x
        energy = self.pool(self.filters(x).square())
        return self.classes(torch.log1p(energy).flatten(1))


def train(model: nn.Module, draw: Draw, steps: int = 200, size: int = 32, rate: float = 1e-2) -> float:
    """Train on signals drawn anew in every step; the accuracy on 200 others."""
    rng = np.random.default_rng(0)
    optimizer = torch.optim.Adam(model.parameters(), rate, weight_decay=1e-2)
    for _ in range(steps):
        x, label = draw(rng, size)
        loss = nn.functional.cross_entropy(model(torch.tensor(x).float()), torch.tensor(label))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x, label = draw(rng, 200)
    with torch.no_grad():
        found = model(torch.tensor(x).float()).argmax(1).numpy()
    return float((found == label).mean())


def share(attribution: xr.DataArray, inside: xr.DataArray | np.ndarray) -> float:
    """Share of the magnitude of attributions that lies inside a region."""
    size = np.abs(attribution)
    return float(size.where(inside).sum() / size.sum())


def found(attribution: xr.DataArray, inside: xr.DataArray, energy: xr.DataArray, least: float) -> None:
    """Check that what speaks for the decision lies where the truth is, and that this says something.

    What speaks against it may lie elsewhere, and so it is printed but not checked.
    """
    check("share inside the truth of what raises the output", share(attribution.clip(min=0), inside), least)
    print(f"share of all attributions there: {share(attribution, inside):.3f}")
    check("share of the signal's energy there", share(energy, inside), at_most=0.4)


def energy(x: np.ndarray, fs: float, domain: freqig.Domain) -> xr.DataArray:
    """Where the energy of one signal lies, in a domain: the explanation of its sum of squares.

    A method that looked at the signal and not at the model would find its answer there.
    """
    squares = freqig.Explainer(lambda x: x.square().flatten(1).sum(1, keepdim=True), fs=fs, domains=domain)
    return squares(x[None].astype(np.float32), target=0)[domain.name].isel(sample=0)


def check(what: str, value: float, at_least: float = 0.0, at_most: float = np.inf) -> None:
    """Print a number, and stop where it is not what the truth demands."""
    limit = f"at least {at_least:g}" if at_least else f"at most {at_most:g}"
    print(f"{what}: {value:.3f} ({limit})")
    assert at_least <= value <= at_most, f"{what}: {value:.3f}, must be {limit}"


def panels(n: int, height: float, ratios: tuple[float, ...] | None = None) -> tuple[Figure, list[Axes]]:
    """A figure with axes below each other, in a layout that leaves no text on top of another."""
    figure = Figure(figsize=(8, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(n, height_ratios=ratios)))


def signal(axes: Axes, one: xr.Dataset, title: str) -> None:
    """The signal of one sample above its explanation."""
    axes.plot(one.time, one.signal.T, color="0.25", linewidth=0.6)
    axes.set(xlim=(float(one.time[0]), float(2 * one.time[-1] - one.time[-2])), ylabel="signal")
    axes.set_title(title, loc="left", fontsize="medium", fontweight="bold")
    axes.tick_params(axis="x", labelbottom=False)


def outline(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Mark on a map where the truth is."""
    axes.plot(x, y, color="black", linewidth=0.9, linestyle=(0, (5, 3)))


def heading(figure: Figure, question: str) -> None:
    """What the model was asked, above a figure without its signal."""
    figure.suptitle(question, x=0.01, ha="left", fontsize="medium", fontweight="bold")


def run(main: Callable[[Path], None], description: str | None) -> None:
    """Run one example from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="where the picture goes")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)


def start() -> None:
    """One thread and one seed: the same numbers on every run."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write the picture."""
    figure.savefig(folder / f"{name}.png", dpi=110)

"""Draws what the pages on concepts speak of: nodes on a path, the bridge between them, leakage.

    python examples/draw_concepts.py [FOLDER]

The folder is docs/images/concepts unless another one is named.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

import freqig
from freqig import plots

FS, N = 64.0, 128
TIME = np.arange(N) / FS
INK, RED = "0.2", "#b2182b"


class Watched(nn.Module):
    """A function of the place on the path from silence to a signal, which notes where it is asked."""

    def __init__(self, function: Callable[[Tensor], Tensor], signal: np.ndarray) -> None:
        super().__init__()
        self.function, self.asked = function, []
        self.signal = torch.tensor(signal, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of points on the path, shape (batch, 1)."""
        place = x @ self.signal / self.signal.square().sum()
        if x.requires_grad:
            self.asked += place.tolist()
        return self.function(place)[:, None]


def smooth(place: Tensor) -> Tensor:
    """An output that saturates."""
    return torch.tanh(3 * place)


def kinked(place: Tensor) -> Tensor:
    """An output with kinks where ReLUs begin and end."""
    return torch.relu(place - 0.3) * 2.5 - torch.relu(place - 0.62) * 2.2


def jumping(place: Tensor) -> Tensor:
    """An output with a threshold."""
    return place + (place > 0.42).to(place.dtype)


def watched(function: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, str]:
    """Places at which gradients were taken, and how integration ended."""
    signal = np.sin(2 * np.pi * 8 * TIME)
    model = Watched(function, signal)
    explainer = freqig.Explainer(model, fs=FS, dtype=torch.float64)
    with warnings.catch_warnings():
        # That a jump does not converge is what the picture shows.
        warnings.simplefilter("ignore", freqig.errors.ConvergenceWarning)
        explainer(signal[None], target=0)  # what a first call finds out about a model is not drawn
        model.asked.clear()
        result = explainer(signal[None], target=0)
    places = np.unique(np.round(model.asked, 9))
    ended = result.status.attrs["flag_meanings"].split()[int(result.status[0])]
    return places[(places > 0) & (places < 1)], f"{ended}, {int(result.n_evaluations[0])} evaluations"


def nodes() -> Figure:
    """The output along three paths, and where the model was asked."""
    figure = Figure(figsize=(6, 5.2), layout="constrained")
    along = torch.linspace(0, 1, 2001, dtype=torch.float64)
    for axes, (name, function) in zip(
        figure.subplots(3, sharex=True),
        {"a smooth path": smooth, "a path with kinks": kinked, "a path with a jump": jumping}.items(),
        strict=True,
    ):
        places, ended = watched(function)
        values = function(along)
        axes.plot(along, values, color=INK, linewidth=1.2)
        axes.plot(
            places, np.full(len(places), float(values.min())), "|", color=RED, markersize=12, clip_on=False
        )
        axes.set_title(f"{name}: {ended}", loc="left", fontsize="medium")
        axes.set_ylabel("output")
    axes.set(xlim=(0, 1), xlabel="place on the path, from the baseline to the signal")
    return figure


def bridge() -> Figure:
    """A gradient that is known at nodes, the line through them, and how far it may be off between them."""

    def gradient(place: np.ndarray) -> np.ndarray:
        """The slope of the kinked path, with a little curvature."""
        return 2.5 * (place > 0.3) - 2.2 * (place > 0.62) + 0.4 * np.sin(3 * place)

    figure = Figure(figsize=(6, 4.6), layout="constrained")
    fine = np.linspace(0, 1, 1201)
    first = (np.arange(7) + 0.5) / 7
    more = np.sort(np.concatenate([first, [0.25, 0.285, 0.315, 0.33, 0.6, 0.64]]))
    for axes, places, says in zip(
        figure.subplots(2, sharex=True, sharey=True),
        (first, more),
        ("seven nodes", "six more, where the bridge was wide"),
        strict=True,
    ):
        values = gradient(places)
        left = np.clip(np.searchsorted(places, fine) - 1, 0, len(places) - 2)
        width = np.diff(places)[left]
        inside = np.clip(fine - places[left], 0, width)
        variance = np.square(np.diff(values))[left] / width
        band = np.sqrt(variance * inside * (width - inside) / width)
        line = np.interp(fine, places, values)
        axes.fill_between(fine, line - band, line + band, color="0.85", label="± one standard deviation")
        axes.plot(fine, line, color=RED, linewidth=1.2, label="mean of the bridge")
        axes.plot(fine, gradient(fine), color=INK, linewidth=1, linestyle="--", label="the gradient itself")
        axes.plot(places, values, "o", color=INK, markersize=4, label="nodes")
        axes.set_title(says, loc="left", fontsize="medium")
        axes.set_ylabel("gradient · δ")
    axes.set(xlim=(0, 1), xlabel="place on the path")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    return figure


def leakage() -> Figure:
    """A tone on a bin and one between two bins, to a detector of both."""

    def loud(x: Tensor) -> Tensor:
        """Energy behind a filter around 10 Hz."""
        taps = torch.tensor(
            np.hanning(33) * np.cos(2 * np.pi * 10 * (np.arange(33) - 16) / FS), dtype=x.dtype
        )
        return nn.functional.conv1d(x[:, None], taps[None, None], padding=16).square().mean((1, 2))[:, None]

    figure = Figure(figsize=(6, 4.6), layout="constrained")
    for axes, hertz, says in zip(figure.subplots(2), (10.0, 10.25), ("on a bin", "between two"), strict=True):
        x = np.sin(2 * np.pi * hertz * TIME + 0.5)[None]
        result = freqig.Explainer(loud, fs=FS)(x, target=0)
        plots.spectrum(result, axes=axes, signal=False, max_frequency=16, title=f"{hertz:g} Hz, {says}")
    return figure


PICTURES = {"nodes": nodes, "bridge": bridge, "leakage": leakage}


def main(folder: Path) -> None:
    """All pictures."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        draw().savefig(folder / f"{name}.png", dpi=100)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images" / "concepts"
    )

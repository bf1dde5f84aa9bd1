"""A night in segments: a network stages every epoch, and each stage rests on its own rhythm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from _shared import Energies, check, heading, panels, run, save, start, train
from torch import Tensor, nn

import freqig

FS, LENGTH = 40.0, 30.0
N = int(FS * LENGTH)
TIME = np.arange(N) / FS
STAGES = ("W", "R", "N2", "N3")
RHYTHM = {"W": 10.0, "R": 6.0, "N2": 13.0, "N3": 1.5}
"""Hz: alpha, theta, spindles and slow waves."""
CYCLE = (("N2", 8), ("N3", 10), ("N2", 5), ("R", 5))


def epoch(rng: np.random.Generator, stage: str) -> np.ndarray:
    """Thirty seconds of noise with the rhythm of a stage."""
    rhythm = RHYTHM[stage]
    around = np.exp(-0.5 * ((np.fft.rfftfreq(N, 1 / FS) - rhythm) / (0.06 * rhythm + 0.1)) ** 2)
    wave = np.fft.irfft(around * np.fft.rfft(rng.standard_normal(N)), N)
    return wave / wave.std() + 1.2 * rng.standard_normal(N)


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Epochs, shape (size, N), and their stages by number."""
    label = rng.integers(0, len(STAGES), size)
    return np.array([epoch(rng, STAGES[i]) for i in label]), label


def trained_stager() -> nn.Module:
    """A network that stages epochs, and does so as they were made."""
    start()
    stager = Energies(1, 12, 41, 1, len(STAGES))
    check("accuracy", train(stager, draw, 120, 16), 0.95)
    return stager


def stages_of_night(cycles: int) -> list[str]:
    """Stages of epochs: awake, so many cycles, awake."""
    return (
        ["W"] * 6 + [stage for _ in range(cycles) for stage, count in CYCLE for _ in range(count)] + ["W"] * 4
    )


class Night(nn.Module):
    """Sum over all epochs of the log probability of the stage that each is found to be."""

    def __init__(self, stager: nn.Module) -> None:
        super().__init__()
        self.stager = stager

    def epochs(self, x: Tensor) -> Tensor:
        """Logits, shape (batch, epochs, stages), of whole nights, shape (batch, time)."""
        return self.stager(x.reshape(-1, N)).unflatten(0, (len(x), -1))

    def forward(self, x: Tensor, found: Tensor) -> Tensor:
        """How sure the stager is of the stages found, one number a night."""
        scores = self.epochs(x).gather(-1, found.unsqueeze(-1)).squeeze(-1)
        return scores.sum(-1, keepdim=True)


def main(folder: Path) -> None:
    """Train, explain a night at once, find every stage's rhythm, draw."""
    stager, rng, stages = trained_stager(), np.random.default_rng(5), stages_of_night(3)
    x = np.concatenate([epoch(rng, stage) for stage in stages])[None].astype(np.float32)
    night = Night(stager)
    with torch.no_grad():
        found = night.epochs(torch.from_numpy(x)).argmax(-1)
    names = [STAGES[i] for i in found[0].tolist()]
    check(
        "epochs staged as they were made",
        float(np.mean([a == b for a, b in zip(names, stages, strict=True)])),
        0.95,
    )
    explainer = freqig.Explainer(night, fs=FS, domains=freqig.Segments(LENGTH))
    result = explainer(x, target=0, additional_forward_args=found)

    # In every epoch, the share of what raises the output that lies at the rhythm of its stage.
    raising = result.segments[0].clip(min=0)
    rhythm = np.array([RHYTHM[stage] for stage in stages])[:, None]
    near = np.abs(raising.segments_frequency.values - rhythm) <= 0.12 * rhythm + 0.3
    shares = raising.where(near).sum("segments_frequency") / raising.sum("segments_frequency")
    check("median over epochs of the share at the rhythm of the stage", float(shares.median()), 0.8)

    figure, (axes,) = panels(1, 4.6)
    freqig.plots.segments(result, classes=names, order=STAGES, max_frequency=16, axes=axes)
    heading(figure, "Which stage is each epoch? The rhythm behind every answer, 94 at once")
    save(figure, folder, "night")


if __name__ == "__main__":
    run(main, __doc__)

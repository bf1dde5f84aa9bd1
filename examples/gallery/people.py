"""Twelve people in two stages: which frequencies tell these apart, people being counted and not epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from _shared import Energies, check, run, save, share, start, train
from matplotlib.figure import Figure

import freqig

FS, N = 64.0, 256
TIME = np.arange(N) / FS
STAGES = {"N2": 13.0, "W": 10.0}
"""Hz: spindles and alpha."""
PEOPLE, EPOCHS = 12, 8


def epoch(rng: np.random.Generator, stage: str, strength: float, pulse: float) -> np.ndarray:
    """Four seconds of one person: the rhythm of the stage, and a pulse, much stronger, that says nothing."""
    around = np.exp(-0.5 * ((np.fft.rfftfreq(N, 1 / FS) - STAGES[stage]) / 0.5) ** 2)
    rhythm = np.fft.irfft(around * np.fft.rfft(rng.standard_normal(N)), N)
    drift = 3 * np.sin(2 * np.pi * (pulse * TIME + rng.random()))
    return strength * rhythm / rhythm.std() + drift + rng.standard_normal(N)


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Epochs of as many people, shape (size, N), and their stages by number."""
    label = rng.integers(0, 2, size)
    names = list(STAGES)
    signals = [epoch(rng, names[i], rng.uniform(0.5, 1.0), rng.uniform(1.0, 2.0)) for i in label]
    return np.array(signals), label


def main(folder: Path) -> None:
    """Train, explain the epochs of people that the network has not seen, compare the stages."""
    start()
    net = Energies(1, 12, 33, 1, 2)
    check("accuracy", train(net, draw), 0.9)
    rng = np.random.default_rng(7)
    names = list(STAGES)
    signals, subject, stage = [], [], []
    for person in range(PEOPLE):
        strength, pulse = rng.uniform(0.5, 1.0), rng.uniform(1.0, 2.0)
        for i in range(2 * EPOCHS):
            signals.append(epoch(rng, names[i % 2], strength, pulse))
            subject.append(f"sub-{person + 1:02}")
            stage.append(names[i % 2])
    explainer = freqig.Explainer(net, fs=FS, classes=names, output="margin")
    result = explainer(torch.tensor(np.array(signals)).float(), target=stage).assign_coords(
        subject=("sample", subject), stage=("sample", stage)
    )
    means = freqig.summarize(result, by="stage")
    for name, rhythm in STAGES.items():
        peak = float(abs(means.rfft.sel(stage=name)).idxmax("frequency"))
        check(f"distance of the peak of {name} from {rhythm:g} Hz", abs(peak - rhythm), at_most=0.5)

    found = freqig.compare(result, by="stage", between=("W", "N2"), paired=True, threshold=0.001)
    at = found.frequency.values[found.rfft_significant.values]
    rows = found.rfft.values[found.rfft_significant.values]
    for name, sign in (("W", 1), ("N2", -1)):
        near = np.abs(at - STAGES[name]) <= 0.5
        check(f"significant frequencies at the rhythm of {name}", float((near & (sign * rows > 0)).sum()), 1)
    rhythms = np.minimum(*(abs(found.frequency - rhythm) for rhythm in STAGES.values())) <= 1.5
    check("share of the difference at the two rhythms", share(found.rfft, rhythms), 0.9)
    pulses = found.frequency <= 3
    check("share of the difference at the pulse", share(found.rfft, pulses), at_most=0.1)
    power = np.square(np.abs(np.fft.rfft(signals))).mean(0)
    check("share of the signals' energy there", float(power[pulses].sum() / power.sum()), 0.5)

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    freqig.plots.difference(found, max_frequency=20, axes=figure.subplots())
    save(figure, folder, "people")


if __name__ == "__main__":
    run(main, __doc__)

"""Classes that differ in the phase of one rhythm alone: amplitudes are innocent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _shared import check, heading, panels, run, save, share, start, train
from torch import nn

import freqig

FS, N = 64.0, 128
TIME = np.arange(N) / FS
TONE = 7.0


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rhythms of 4, 7 and 11 Hz in noise, shape (size, N): that of 7 Hz is a sine or a cosine."""
    label = rng.integers(0, 2, size)
    quarter = label[:, None] / 4
    free = rng.uniform(size=(2, size, 1))
    x = np.sin(2 * np.pi * (TONE * TIME + quarter)) + 0.3 * rng.standard_normal((size, N))
    for rhythm, turn in zip((4, 11), free, strict=True):
        x += np.sin(2 * np.pi * (rhythm * TIME + turn))
    return x, label


def main(folder: Path) -> None:
    """Train, explain, find the phase, draw."""
    start()
    model = nn.Sequential(nn.Linear(N, 16), nn.Tanh(), nn.Linear(16, 2))
    check("accuracy", train(model, draw, 200), 0.98)
    x, label = draw(np.random.default_rng(1), 60)
    domains = [freqig.RFFT(), freqig.Polar()]
    explainer = freqig.Explainer(model, fs=FS, output="margin", domains=domains)
    # Against the other class: what made this sine no cosine?
    others = freqig.baselines.data(x[label == 0][:20])
    result = explainer(x[label == 1][:1], target=1, baseline=others)

    one = result.isel(sample=0)
    phase = (one.polar_part == "phase") & (one.polar_frequency == TONE)
    check("share of attribution in the phase at 7 Hz", share(one.polar, phase), 0.8)
    parts = one.polar.sum("polar_frequency")
    check("share of the output in all phases", float(parts[1] / parts.sum()), 0.9)

    figure, axes = panels(2, 4.8)
    freqig.plots.polar(result, max_frequency=20, axes=axes)
    heading(figure, "Sine or cosine at 7 Hz? Against 20 signals of the other class")
    save(figure, folder, "phase")


if __name__ == "__main__":
    run(main, __doc__)

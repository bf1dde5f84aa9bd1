"""Mixed sources: every channel holds all of them, and the decision is one source's.

Needs the extra `ica`.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from _shared import Energies, check, energy, found, panels, run, save, start, train
from sklearn.decomposition import FastICA

import freqig

FS, N, CHANNELS = 100.0, 400, 6
TIME = np.arange(N) / FS
ALPHA = 10.0
MIXING = np.random.default_rng(7).normal(size=(CHANNELS, 3))


def sources(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Alpha, and a hum and blinks of any size, shape (size, 3, N), and whether alpha is strong."""
    strong = rng.integers(0, 2, size)
    turn = rng.uniform(size=(size, 1))
    alpha = (0.4 + strong[:, None]) * np.sin(2 * np.pi * (ALPHA * TIME + turn))
    hum = rng.uniform(0, 2, (size, 1)) * np.sign(
        np.sin(2 * np.pi * (17 * TIME + rng.uniform(size=(size, 1))))
    )
    at = rng.uniform(0.5, 3.5, (size, 1))
    blinks = rng.uniform(0, 8, (size, 1)) * np.exp(-(((TIME - at) / 0.1) ** 2))
    return np.stack([alpha, hum, blinks], axis=1), strong


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """What the channels see, shape (size, CHANNELS, N)."""
    s, strong = sources(rng, size)
    return MIXING @ s + 0.1 * rng.standard_normal((size, CHANNELS, N)), strong


def main(folder: Path) -> None:
    """Train, unmix, explain, find the source, draw."""
    start()
    model = Energies(CHANNELS, 8, 25, 1, 2)
    check("accuracy", train(model, draw, 300), 0.98)

    recording, _ = draw(np.random.default_rng(2), 30)
    ica = FastICA(3, whiten="unit-variance", random_state=0, max_iter=500)
    with warnings.catch_warnings():
        # Rotations of a quarter turn make it slow to say that it has converged.
        warnings.simplefilter("ignore")
        ica.fit(np.concatenate(recording, axis=1).T)
    # The component whose pattern over channels is most like that of alpha.
    patterns = ica.mixing_ / np.linalg.norm(ica.mixing_, axis=0)
    likeness = np.abs(patterns.T @ MIXING[:, 0]) / np.linalg.norm(MIXING[:, 0])
    true = f"ICA{likeness.argmax():03d}"
    check("likeness of its pattern to that of alpha", float(likeness.max()), 0.95)

    x, strong = draw(np.random.default_rng(4), 8)
    domains = [freqig.ICA(ica), freqig.ICA(ica) >> freqig.RFFT()]
    explainer = freqig.Explainer(model, fs=FS, output="margin", domains=domains)
    result = explainer(x[strong == 1][:1], target=1)

    one = result.isel(sample=0)
    alpha = (one.ica_component == true) & (np.abs(one.frequency - ALPHA) <= 0.5)
    found(one.ica_rfft, alpha, energy(x[strong == 1][0], FS, domains[1]), 0.9)

    figure, (above, below) = panels(2, 5.6, (1.3, 1))
    lines = one.signal.values
    step = np.ptp(lines, axis=1).max()
    above.plot(TIME, lines.T - step * np.arange(CHANNELS), color="0.25", linewidth=0.6)
    above.set(xlim=(0, N / FS), xlabel="time (s)", ylabel="channels", yticks=[])
    title = f"Strong alpha? Six channels see alpha, a hum and a blink; alpha is {true}"
    above.set_title(title, loc="left", fontsize="medium", fontweight="bold")
    freqig.plots.components(result, name="ica_rfft", max_frequency=40, axes=below)
    save(figure, folder, "sources")


if __name__ == "__main__":
    run(main, __doc__)

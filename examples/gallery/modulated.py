"""A tone that waxes and wanes: a filter bank says which band matters, and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _shared import Energies, check, panels, run, save, share, signal, start, train

import freqig

FS, N = 128.0, 1024
TIME = np.arange(N) / FS
TONE, SLOW = 20.0, 0.375
BANDS = {"delta": (0.5, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30), "gamma": (30, 45)}


def envelope(start_at: float) -> np.ndarray:
    """From 0 to 1 and back, `SLOW` times a second."""
    return (1 - np.cos(2 * np.pi * (SLOW * TIME + start_at))) / 2


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Alpha and slow drifts, shape (size, N), of which half also have the modulated tone."""
    has = rng.integers(0, 2, size)
    start_at, turn, other, drift = rng.uniform(size=(4, size, 1))
    tone = np.array([envelope(s) for s in start_at[:, 0].tolist()]) * np.sin(2 * np.pi * (TONE * TIME + turn))
    alpha = np.sin(2 * np.pi * (10 * TIME + other))
    slow = 1.5 * np.sin(2 * np.pi * (SLOW * TIME + drift))
    return has[:, None] * tone + alpha + slow + 0.3 * rng.standard_normal((size, N)), has


def main(folder: Path) -> None:
    """Train, explain, find band and time, draw."""
    start()
    model = Energies(1, 6, 33, 16, 2)
    check("accuracy", train(model, draw), 0.98)
    rng = np.random.default_rng(3)
    without = (
        np.sin(2 * np.pi * 10 * TIME) + 1.5 * np.sin(2 * np.pi * SLOW * TIME) + 0.3 * rng.standard_normal(N)
    )
    gain = envelope(0.0)
    x = without + gain * np.sin(2 * np.pi * TONE * TIME)
    explainer = freqig.Explainer(model, fs=FS, output="margin", domains=freqig.FilterBank(BANDS))
    result = explainer(x[None], target=1)

    one = result.isel(sample=0)
    bank = one.filterbank
    check("share of attribution in the band of the tone", share(bank, bank.filterbank_band == "beta"), 0.6)
    beta = bank.sel(filterbank_band="beta")
    check("of that, share while the tone is loud", share(beta, gain > 0.2), 0.8)

    figure, (above, below) = panels(2, 5.2, (1, 2.4))
    signal(above, one, "Is there a 20 Hz tone? It waxes and wanes under alpha and a slow drift")
    freqig.plots.components(result, name="filterbank", axes=below)
    save(figure, folder, "modulated")


if __name__ == "__main__":
    run(main, __doc__)

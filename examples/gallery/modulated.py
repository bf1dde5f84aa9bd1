"""A tone that waxes and wanes: a filter bank says which band matters, and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from _shared import Energies, check, energy, found, panels, run, save, signal, start, train

import freqig

FS, N = 128.0, 1024
TIME = np.arange(N) / FS
TONE, SLOW = 20.0, 0.375
BANDS = {"delta": (0.5, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30), "gamma": (30, 45)}


def envelope(start_at: float) -> np.ndarray:
    """From 0 to 1 and back, `SLOW` times per second."""
    return (1 - np.cos(2 * np.pi * (SLOW * TIME + start_at))) / 2


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Alpha and slow drifts of any size, shape (size, N), of which half also have the modulated tone."""
    has = rng.integers(0, 2, size)
    start_at, turn, other, drift = rng.uniform(size=(4, size, 1))
    tone = np.array([envelope(s) for s in start_at[:, 0].tolist()]) * np.sin(2 * np.pi * (TONE * TIME + turn))
    sizes = rng.uniform(0, 2, (2, size, 1))
    alpha = sizes[0] * np.sin(2 * np.pi * (10 * TIME + other))
    slow = 1.5 * sizes[1] * np.sin(2 * np.pi * (SLOW * TIME + drift))
    return has[:, None] * tone + alpha + slow + 0.3 * rng.standard_normal((size, N)), has


def main(folder: Path) -> None:
    """Train, explain, find band and time, draw."""
    start()
    model = Energies(1, 6, 33, 16, 2)
    check("accuracy", train(model, draw), 0.98)
    signals, has = draw(np.random.default_rng(3), 20)
    gain = envelope(0.0)
    # One without the tone, and the tone.
    x = signals[has == 0][0] + gain * np.sin(2 * np.pi * TONE * TIME)
    domain = freqig.FilterBank(BANDS)
    result = freqig.Explainer(model, fs=FS, output="margin", domains=domain)(x[None], target=1)

    bank = result.filterbank.isel(sample=0)
    inside = (bank.filterbank_band == "beta") & xr.DataArray(gain > 0.2, dims="time")
    found(bank, inside, energy(x, FS, domain), 0.8)

    figure, (above, below) = panels(2, 5.2, (1, 2.4))
    signal(
        above, result.isel(sample=0), "Is there a 20 Hz tone? It waxes and wanes under alpha and a slow drift"
    )
    freqig.plots.components(result, name="filterbank", axes=below)
    # In its row, when the tone is loud.
    row = list(BANDS).index("beta")
    below.plot(TIME, row + 0.9 * gain, color="black", linewidth=0.9, linestyle=(0, (5, 3)))
    save(figure, folder, "modulated")


if __name__ == "__main__":
    run(main, __doc__)

"""A syllable: a network waits for an "a", and a mel filter bank says when it came and by which formants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from _shared import Energies, check, energy, found, panels, run, save, signal, start, train

import freqig

FS, N = 4000.0, 2000
TIME = np.arange(N) / FS
LENGTH = 0.08
FORMANTS = {"a": (700.0, 1200.0), "i": (300.0, 1900.0)}


def syllable(vowel: str, centre: float, pitch: float) -> np.ndarray:
    """A vowel of a voice under a smooth envelope."""
    harmonics = np.arange(pitch, FS / 2, pitch)
    gains = sum(1 / (1 + ((harmonics - f) / 80) ** 2) for f in FORMANTS[vowel])
    voiced = gains @ np.cos(2 * np.pi * harmonics[:, None] * (TIME - centre))
    return (
        voiced
        * np.clip(np.cos(np.pi * (TIME - centre) / LENGTH / 2), 0, 1) ** 2
        * (abs(TIME - centre) < LENGTH)
    )


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """An "i" of any loudness in noise, shape (size, N); half have an "a" as well, elsewhere."""
    has = rng.integers(0, 2, size)
    places = rng.uniform(0.08, 0.18, (size, 2)) + 0.24 * np.array(rng.permuted([[0, 1]] * size, axis=1))
    pitches = rng.uniform(90, 160, (size, 2))
    said = [
        h * syllable("a", a, p) + loud * syllable("i", i, q)
        for h, (a, i), (p, q), loud in zip(has, places, pitches, rng.uniform(0.5, 2, size), strict=True)
    ]
    return np.array(said) + 0.1 * rng.standard_normal((size, N)), has


def main(folder: Path) -> None:
    """Train, explain, find the syllable, draw."""
    start()
    model = Energies(1, 8, 33, 8, 2)
    check("accuracy", train(model, draw, 40), 0.95)
    centre = 0.15
    x = syllable("a", centre, 120) + 1.5 * syllable("i", 0.35, 110)
    x = x + 0.1 * np.random.default_rng(5).standard_normal(N)
    domain = freqig.FilterBank("mel", n=16)
    result = freqig.Explainer(model, fs=FS, output="margin", domains=domain)(x[None], target=1)

    one = result.isel(sample=0)
    inside = abs(xr.DataArray(TIME, dims="time") - centre) <= LENGTH
    found(one.filterbank, inside, energy(x, FS, domain), 0.85)
    rows = one.filterbank.clip(min=0).sum("time")
    best = rows.filterbank_band[rows.values.argmax()]
    near = [float(best.filterbank_low) <= f <= float(best.filterbank_high) for f in FORMANTS["a"]]
    check("strongest band holds a formant", float(max(near)), 1)

    figure, (above, below) = panels(2, 5.6, (1, 2.6))
    signal(above, one, 'Does it say "a"? It does at 0.15 s; what comes at 0.35 s is a louder "i"')
    freqig.plots.components(result, name="filterbank", axes=below)
    for edge in (centre - LENGTH, centre + LENGTH):
        below.axvline(edge, color="black", linewidth=0.9, linestyle=(0, (5, 3)))
    save(figure, folder, "syllable")


if __name__ == "__main__":
    run(main, __doc__)

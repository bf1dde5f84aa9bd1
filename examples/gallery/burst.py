"""A burst: a network finds half a second of a 12 Hz rhythm, and wavelets say which octave and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _shared import Energies, check, energy, found, panels, run, save, signal, start, train
from matplotlib.patches import Rectangle

import freqig

FS, N = 128.0, 512
TIME = np.arange(N) / FS
LENGTH = 0.5
WANTED, OTHER = 12.0, 28.0


def burst(frequency: float, centre: float) -> np.ndarray:
    """A rhythm under a Gaussian envelope, `LENGTH` wide at half of its height."""
    envelope = np.exp(-4 * np.log(2) * ((TIME - centre) / LENGTH) ** 2)
    return 2.5 * envelope * np.sin(2 * np.pi * frequency * (TIME - centre))


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a weak or strong burst of 28 Hz, shape (size, N); half have one of 12 Hz as well."""
    has = rng.integers(0, 2, size)
    places = rng.uniform(0.5, 3.5, (size, 2))
    size_of_other = rng.uniform(0, 2, size)
    bursts = [
        h * burst(WANTED, a) + other * burst(OTHER, b)
        for h, other, (a, b) in zip(has, size_of_other, places, strict=True)
    ]
    return np.array(bursts) + 0.5 * rng.standard_normal((size, N)), has


def main(folder: Path) -> None:
    """Train, explain, find the burst, draw."""
    start()
    model = Energies(1, 8, 33, 16, 2)
    check("accuracy", train(model, draw), 0.95)
    centre = 2.6
    x = burst(WANTED, centre) + burst(OTHER, 1.0) + 0.5 * np.random.default_rng(5).standard_normal(N)
    domain = freqig.Wavelet("db8", level=5)
    result = freqig.Explainer(model, fs=FS, output="margin", domains=domain)(x[None], target=1)

    one = result.isel(sample=0)
    # The octave from 8 to 16 Hz, while the burst lasts.
    inside = (one.wavelet_level == "D3") & (np.abs(one.wavelet_time - centre) <= LENGTH)
    found(one.wavelet, inside, energy(x, FS, domain), 0.7)

    figure, (above, below) = panels(2, 5, (1, 2.4))
    signal(above, one, "Is there a 12 Hz burst? There is one at 2.6 s; the one at 1 s has 28 Hz")
    freqig.plots.wavelet(result, axes=below)
    row = one.wavelet_level.values.tolist().index("D3")
    below.add_patch(
        Rectangle(
            (centre - LENGTH, row), 2 * LENGTH, 1, fill=False, linewidth=0.9, linestyle=(0, (5, 3)), zorder=3
        )
    )
    save(figure, folder, "burst")


if __name__ == "__main__":
    run(main, __doc__)

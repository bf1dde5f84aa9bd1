"""A burst: a network finds half a second of a 14 Hz rhythm, and wavelets say which octave and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _shared import Energies, check, panels, run, save, share, signal, start, train
from matplotlib.patches import Rectangle

import freqig

FS, N = 128.0, 512
TIME = np.arange(N) / FS
FREQUENCY, LENGTH = 12.0, 0.5


def burst(centre: float) -> np.ndarray:
    """A rhythm under a Gaussian envelope, `LENGTH` wide at half of its height."""
    envelope = np.exp(-4 * np.log(2) * ((TIME - centre) / LENGTH) ** 2)
    return envelope * np.sin(2 * np.pi * FREQUENCY * (TIME - centre))


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise, shape (size, N), of which half have a burst somewhere."""
    has = rng.integers(0, 2, size)
    bursts = np.array([burst(centre) for centre in rng.uniform(0.5, 3.5, size)])
    return 2.5 * has[:, None] * bursts + 0.7 * rng.standard_normal((size, N)), has


def main(folder: Path) -> None:
    """Train, explain, find the burst, draw."""
    start()
    model = Energies(1, 8, 33, 16, 2)
    check("accuracy", train(model, draw), 0.95)
    centre = 2.6
    rest = 0.7 * np.random.default_rng(5).standard_normal(N)
    x = rest + 2.5 * burst(centre)
    explainer = freqig.Explainer(model, fs=FS, output="margin", domains=freqig.Wavelet("db4", level=5))
    # What sets the signal apart from the same noise without the burst.
    result = explainer(x[None], target=1, baseline=rest[None])

    one = result.isel(sample=0)
    octave = one.wavelet_level.isin(["D3"])
    near = np.abs(one.wavelet_time - centre) <= LENGTH
    check("share of attribution in its octave while it lasts", share(one.wavelet, octave & near), 0.6)
    check("share of attribution while it lasts", share(one.wavelet, near), 0.9)

    figure, (above, below) = panels(2, 5, (1, 2.4))
    signal(above, one, "Is there a burst? Half a second of 12 Hz in noise")
    freqig.plots.wavelet(result, axes=below)
    row = one.wavelet_level.values.tolist().index("D3")
    below.add_patch(
        Rectangle((centre - LENGTH, row), 2 * LENGTH, 1, fill=False, linewidth=0.9, linestyle=(0, (5, 3)))
    )
    save(figure, folder, "burst")


if __name__ == "__main__":
    run(main, __doc__)

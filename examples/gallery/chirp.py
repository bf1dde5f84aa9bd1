"""A chirp: a network tells rising from falling, and its decision lies along the line that rises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from _shared import Energies, check, energy, found, outline, panels, run, save, signal, start, train

import freqig

FS, N = 128.0, 512
LOW, HIGH = 8.0, 40.0
TIME = np.arange(N) / FS
HUM = 52.0
WINDOW = 0.5


def frequency(rising: bool) -> np.ndarray:
    """Frequency of a chirp in Hz at every sample."""
    way = TIME / (N / FS)
    return LOW + (HIGH - LOW) * (way if rising else 1 - way)


def chirp(rising: bool, turn: float = 0.0) -> np.ndarray:
    """A sine wave of that frequency."""
    return np.sin(2 * np.pi * (np.cumsum(frequency(rising)) / FS + turn))


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Chirps in a hum and noise, shape (size, N), and whether they rise."""
    rises = rng.integers(0, 2, size)
    chirps = np.array([chirp(bool(rise), rng.uniform()) for rise in rises])
    hum = 1.5 * np.sin(2 * np.pi * (HUM * TIME + rng.uniform(size=(size, 1))))
    return chirps + hum + 0.3 * rng.standard_normal((size, N)), rises


def main(folder: Path) -> None:
    """Train, explain, find the line, draw."""
    start()
    model = Energies(1, 12, 33, 8, 2)
    check("accuracy", train(model, draw), 0.98)
    signals, rises = draw(np.random.default_rng(1), 20)
    x = signals[rises == 1][0]
    domain = freqig.STFT(WINDOW, hop=WINDOW / 8)
    result = freqig.Explainer(model, fs=FS, output="margin", domains=domain)(x[None], target=1)

    one = result.isel(sample=0)
    line = xr.DataArray(np.interp(one.stft_time, TIME, frequency(True)), dims="stft_time")
    # As far from the line as a Hann window of this length smears a tone, and the chirp runs meanwhile.
    reach = 2 / WINDOW + (HIGH - LOW) / (N / FS) * WINDOW / 2
    inside = np.abs(one.stft_frequency - line) <= reach
    found(one.stft, inside, energy(x, FS, domain), 0.9)

    figure, (above, below) = panels(2, 5, (1, 2.4))
    signal(above, one, "Rising or falling? A chirp under a louder hum")
    freqig.plots.spectrogram(result, max_frequency=60, axes=below)
    for side in (-reach, reach):
        outline(below, one.stft_time, np.maximum(line + side, 0))
    save(figure, folder, "chirp")


if __name__ == "__main__":
    run(main, __doc__)

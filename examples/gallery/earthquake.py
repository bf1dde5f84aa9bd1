"""A local earthquake under microseism: at which time and in which band a detector saw it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _shared import Energies, check, energy, found, panels, run, save, signal, start, train

import freqig

FS, N = 40.0, 1024
TIME = np.arange(N) / FS
FREQUENCY = np.fft.rfftfreq(N, 1 / FS)
VELOCITIES = 6.0, 3.5
"""Of P and S waves in km/s."""


def brune(corner: float) -> np.ndarray:
    """Velocity spectrum of a Brune source, whose top is at the corner."""
    return FREQUENCY / (1 + (FREQUENCY / corner) ** 2)


def arrivals(origin: float, distance: float) -> tuple[float, float]:
    """When P and S come, in s."""
    p, s = (origin + distance / velocity for velocity in VELOCITIES)
    return p, s


def wave(rng: np.random.Generator, arrival: float, corner: float, decay: float) -> np.ndarray:
    """Ground velocity of a Brune source, with a coda behind it."""
    coda = np.fft.irfft(brune(corner) * np.fft.rfft(rng.standard_normal(N)), N)
    late = TIME - arrival
    envelope = np.where(late > 0, np.exp(-late / decay), 0.0)
    return envelope * coda / coda.std()


def microseism(rng: np.random.Generator) -> np.ndarray:
    """The sea at 0.2 Hz, louder than the earthquake, over noise that falls with frequency."""
    shape = 1 / np.maximum(FREQUENCY, 0.1) + 40 * np.exp(-0.5 * ((FREQUENCY - 0.2) / 0.05) ** 2)
    noise = np.fft.irfft(shape * np.fft.rfft(rng.standard_normal(N)), N)
    return 3 * noise / noise.std()


def earthquake(rng: np.random.Generator, origin: float, distance: float, corner: float) -> np.ndarray:
    """P and then S, which is three times as large."""
    p, s = arrivals(origin, distance)
    return wave(rng, p, 1.5 * corner, 1.5) + 3 * wave(rng, s, corner, 2.5)


def regional(rng: np.random.Generator) -> np.ndarray:
    """Surface waves of another one far away, at 0.5 to 1 Hz, which are no local earthquake."""
    envelope = np.exp(-(((TIME - rng.uniform(5, 20)) / 5) ** 2))
    return rng.uniform(0, 4) * envelope * np.sin(2 * np.pi * (rng.uniform(0.5, 1) * TIME + rng.uniform()))


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of ground velocity, shape (size, N); half have a local earthquake."""
    local = rng.integers(0, 2, size)
    series = [
        microseism(rng)
        + regional(rng)
        + has
        * rng.uniform(0.5, 1)
        * earthquake(rng, rng.uniform(0, 6), rng.uniform(20, 50), rng.uniform(3, 6))
        for has in local
    ]
    return np.array(series), local


def main(folder: Path) -> None:
    """Train, explain, find the arrivals and the corner, draw."""
    start()
    model = Energies(1, 8, 33, 16, 2)
    check("accuracy", train(model, draw, steps=160), 0.95)

    rng = np.random.default_rng(3)
    origin, distance, corner = 4.0, 42.0, 4.0
    p, s = arrivals(origin, distance)
    x = microseism(rng) + regional(rng) + 1.2 * earthquake(rng, origin, distance, corner)
    domain = freqig.STFT(window=1.6)
    result = freqig.Explainer(model, fs=FS, output="margin", domains=domain)(
        x[None].astype(np.float32), target=1
    )
    one = result.isel(sample=0)
    # While it shakes, and within an octave and a half of the corners of both waves.
    shaking = (one.stft_time >= p - 0.8) & (one.stft_time <= s + 7.5)
    inside = shaking & (one.stft_frequency >= corner / 2) & (one.stft_frequency <= 4 * corner)
    found(one.stft, inside, energy(x, FS, domain), 0.8)

    raises = one.stft.clip(min=0)
    sums = raises.sum("stft_frequency")
    begun = np.cumsum(sums.values) >= 0.02 * float(sums.sum())
    check(
        "seconds between P and where it begins", abs(float(sums.stft_time[begun.argmax()]) - p), at_most=1.6
    )
    spectrum = raises.sum("stft_time")
    middle = float((spectrum * spectrum.stft_frequency).sum() / spectrum.sum())
    power = brune(corner) ** 2
    expected = float((FREQUENCY * power).sum() / power.sum())
    check("middle frequency over that of a Brune spectrum of this corner", middle / expected, 0.7, 1.3)

    figure, (above, below) = panels(2, 5, (1, 1.6))
    signal(above, one, "Is there a local earthquake? P arrives at 11 s, S at 16 s, over the sea")
    freqig.plots.spectrogram(result, max_frequency=16, robust=True, axes=below)
    for axes in (above, below):
        for name, at in (("P", p), ("S", s)):
            axes.axvline(at, color="black", linewidth=0.9, linestyle=(0, (5, 3)))
            axes.annotate(
                name,
                (at, 0.97),
                xycoords=("data", "axes fraction"),
                va="top",
                textcoords="offset points",
                xytext=(3, 0),
            )
    save(figure, folder, "earthquake")


if __name__ == "__main__":
    run(main, __doc__)

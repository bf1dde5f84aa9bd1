"""Stand-ins for machines and voices, whose truth is physics: rates of defects, harmonics of a pitch."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..machines import bearing_frequencies
from .problem import LINES, Truth, balanced, begin, bins, labelled, phases, read_noise, sines

VOICE_FS, VOICE_N, PITCHES = 4000.0, 800, (125.0, 160.0)
LOWER = (75.0, 105.0)
MACHINE_FS, MACHINE_N, SHAFT, PUMP = 4096.0, 4096, 25.0, 44.6
GEOMETRY = {"n_balls": 8, "ball_diameter": 15.0, "pitch_diameter": 65.0}
BAND, HARMONICS, RESONANCE, DECAY, SLIP = (800.0, 1600.0), 4, 1200.0, 250.0, 0.01


def pitch(n: int = 1000, noise: float = 0.03, seed: int = 0) -> xr.Dataset:
    """Voices of one of two pitches, any vowel, under a louder and lower voice: harmonics decide.

    Cosines at all harmonics of 125 or 160 Hz below 2,000 Hz, of random phase, under two formants that are
    drawn; a second voice of any pitch from 75 to 105 Hz is twice as loud. A simulated stand-in for what a
    pitch network hears; the harmonics of the two pitches have no frequency in common.

    Parameters
    ----------
    n : int, default 1000
        Number of series.
    noise : float, default 0.03
        Standard deviation of white noise.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, one channel of 800 samples at 4,000 Hz; ``label``
        (sample), balanced; ``truth_rfft`` (sample, channel, frequency), true at the harmonics of the
        pitch, each in a bin of its own; ``lower`` (sample), pitch of the other voice in Hz.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, or `noise` or `seed` below 0.

    Examples
    --------
    >>> problem = pitch(n=2, seed=0).sortby("label")
    >>> [problem.frequency[row[0]].values[:3].tolist() for row in problem.truth_rfft]
    [[125.0, 250.0, 375.0], [160.0, 320.0, 480.0]]
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    label = balanced(rng, n, 2)
    lower = rng.uniform(*LOWER, n)
    signal = noise * rng.standard_normal((n, VOICE_N))
    signal += _voices(rng, np.array(PITCHES)[label]) + 2 * _voices(rng, lower)
    lines = np.stack([_harmonics(p) for p in PITCHES])
    return labelled(
        signal[:, None],
        label,
        {
            "truth_rfft": Truth(LINES, lines[label][:, None], "harmonics of the pitch"),
            "lower": Truth(("sample",), lower, "pitch of the other voice", "Hz"),
        },
        fs=VOICE_FS,
        problem="pitch",
        source="simulated voices: harmonics of a pitch under formants",
        classes=[f"{p:g} Hz" for p in PITCHES],
        seed=seed,
        parameters={"n": n, "noise": noise, "pitches": PITCHES},
    )


def bearing(n: int = 200, noise: float = 0.05, seed: int = 0) -> xr.Dataset:
    """A damaged bearing beside a pump that knocks louder: the rate of ringing decides.

    A shaft turns at 25 Hz. A defect of the outer or inner ring knocks at its rate, with a slip of 1 %,
    and each knock makes the housing ring at 1,200 Hz; a pump knocks at 44.6 Hz in every series, louder.
    A simulated stand-in for recordings of bearings, of eight balls of 15 mm on a circle of 65 mm.

    Parameters
    ----------
    n : int, default 200
        Number of series.
    noise : float, default 0.05
        Standard deviation of white noise.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, one channel of 4,096 samples at 4,096 Hz; ``label``
        (sample): 0 sound, 1 outer ring, 2 inner ring, balanced; ``truth_envelope_rfft`` (sample, channel,
        frequency), true within a bin of the first four multiples of the rate of the defect, none in class 0,
        for ``Envelope(800, 1600) >> RFFT()``; ``distractor_envelope_rfft`` likewise, at those of the pump.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, or `noise` or `seed` below 0.

    See Also
    --------
    freqig.bearing_frequencies : where the rates come from.

    Notes
    -----
    R. B. Randall, J. Antoni, Rolling element bearing diagnostics: a tutorial, 2011.

    Examples
    --------
    >>> problem = bearing(n=3, seed=0).sortby("label")
    >>> [problem.frequency[row[0]].values[:3].tolist() for row in problem.truth_envelope_rfft]
    [[], [76.0, 77.0, 153.0], [123.0, 124.0, 246.0]]
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    label = balanced(rng, n, 3)
    rate = np.array(defect_rates())
    time = np.arange(MACHINE_N) / MACHINE_FS
    signal = np.empty((n, MACHINE_N))
    for i, kind in enumerate(label):
        shaft, pump, loud = rng.uniform((0.2, 1.2, 0.8), (1.0, 2.0, 1.2))
        signal[i] = shaft * np.sin(2 * np.pi * (SHAFT * time + rng.uniform()))
        signal[i] += pump * knocks(rng, PUMP)
        if kind:
            signal[i] += loud * knocks(rng, rate[kind - 1])
    signal += noise * rng.standard_normal(signal.shape)
    frequency = np.fft.rfftfreq(MACHINE_N, 1 / MACHINE_FS)
    near = np.stack([np.zeros(frequency.size, dtype=bool), *(_near(frequency, r) for r in rate)])
    pumps = np.broadcast_to(_near(frequency, PUMP), (n, 1, frequency.size)).copy()
    return labelled(
        signal[:, None],
        label,
        {
            "truth_envelope_rfft": Truth(LINES, near[label][:, None], "multiples of the rate of the defect"),
            "distractor_envelope_rfft": Truth(LINES, pumps, "multiples of the rate of the pump"),
        },
        fs=MACHINE_FS,
        problem="bearing",
        source="simulated bearing, after Randall and Antoni, Rolling element bearing diagnostics, 2011",
        classes=["sound", "outer ring", "inner ring"],
        seed=seed,
        parameters={"n": n, "noise": noise, "rates": rate.tolist(), "band": BAND, "pump": PUMP},
    )


def defect_rates() -> tuple[float, float]:
    """Rates in Hz at which defects of the outer and of the inner ring knock."""
    rates = bearing_frequencies(shaft=SHAFT, **GEOMETRY)  # type: ignore[arg-type]
    return rates["BPFO"], rates["BPFI"]


def knocks(rng: np.random.Generator, rate: float) -> np.ndarray:
    """Knocks at a rate in Hz, even but for slip, that make the housing ring, shape (time,)."""
    first = rng.uniform(0, 1 / rate)
    at = first + np.arange(int(rate * (MACHINE_N / MACHINE_FS - first))) / rate
    at = np.round((at + rng.normal(0, SLIP / rate, at.size)) * MACHINE_FS).astype(np.int64)
    struck = np.zeros(MACHINE_N)
    struck[np.clip(at, 0, MACHINE_N - 1)] = 1
    lag = np.arange(256) / MACHINE_FS
    ringing: np.ndarray = np.convolve(struck, np.exp(-DECAY * lag) * np.sin(2 * np.pi * RESONANCE * lag))
    return ringing[:MACHINE_N]


def _near(frequency: np.ndarray, rate: float) -> np.ndarray:
    """Which bins lie within one of the first multiples of a rate."""
    multiple = np.clip(np.round(frequency / rate), 1, HARMONICS)
    near: np.ndarray = np.abs(frequency - multiple * rate) <= MACHINE_FS / MACHINE_N
    return near


def _harmonics(pitch: float) -> np.ndarray:
    """Bins of all harmonics of a pitch below half of the sampling rate."""
    return bins(np.arange(pitch, VOICE_FS / 2, pitch), VOICE_N, VOICE_FS)


def _voices(rng: np.random.Generator, pitches: np.ndarray) -> np.ndarray:
    """A vowel of each pitch, shape (n, time)."""
    count = int(VOICE_FS / 2 / pitches.min()) + 1
    harmonics = pitches[:, None] * np.arange(1, count + 1)
    formants = rng.uniform((300, 1000), (900, 1900), (pitches.size, 2))
    gains = 0.1 + (1 / (1 + ((harmonics[..., None] - formants[:, None]) / 150) ** 2)).sum(-1)
    gains *= (harmonics < VOICE_FS / 2) * rng.uniform(0.7, 1, (pitches.size, 1))
    turns = phases(rng, *harmonics.shape)
    series = np.zeros((pitches.size, VOICE_N))
    # One after another: all harmonics at once would be many times the series.
    for k in range(count):
        series += gains[:, k, None] * sines(harmonics[:, k], turns[:, k], VOICE_N, VOICE_FS)
    return series

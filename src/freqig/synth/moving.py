"""What decides is a movement: a carrier that waxes and wanes, a frequency that rises or falls."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .._check import check_positive
from ..domains import STFT
from .cues import HERE
from .problem import LINES, Truth, balanced, begin, bins, labelled, phases, read_noise, sines

AM_FS, AM_N = 256.0, 512
CARRIER, RATES, DEPTH = 64.0, (3.0, 7.0), 0.8
CHIRP_FS, CHIRP_N = 128.0, 512
LOW, HIGH, HUM = 8.0, 40.0, 52.0
SLOPE = (HIGH - LOW) / (CHIRP_N / CHIRP_FS)
"""Of the chirp, in Hz per second."""


def amplitude_modulation(n: int = 1000, noise: float = 0.1, seed: int = 0) -> xr.Dataset:
    """A carrier that waxes and wanes at one of two rates, beside tones at both rates.

    (1 + 0.8 cos(2π r t + θ)) cos(2π 64 t + φ), r = 3 Hz in class 0 and 7 Hz in class 1. Tones of unit
    amplitude at 3 and at 7 Hz are in every series, so that the rate is not found where a spectrum has
    it: the class is in the sidebands 64 ± r, or in the spectrum of the envelope.

    Parameters
    ----------
    n : int, default 1000
        Number of series.
    noise : float, default 0.1
        Standard deviation of white noise.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, one channel of 512 samples at 256 Hz; ``label``
        (sample), balanced; ``truth_rfft`` (sample, channel, frequency), true at both sidebands, and not
        at the carrier, which is the same in both classes; ``truth_envelope_rfft`` likewise, true at the
        rate, for ``Envelope(48, 80) >> RFFT()``; ``distractor_rfft`` (sample, channel, frequency), true
        at both tones.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, or `noise` or `seed` below 0.

    Examples
    --------
    >>> problem = amplitude_modulation(n=2, seed=0).sortby("label")
    >>> [problem.frequency[row[0]].values.tolist() for row in problem.truth_rfft]
    [[61.0, 67.0], [57.0, 71.0]]
    >>> [problem.frequency[row[0]].item() for row in problem.truth_envelope_rfft]
    [3.0, 7.0]
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    label = balanced(rng, n, 2)
    turns = phases(rng, n, 4)
    signal = 1 + DEPTH * sines(np.array(RATES)[label], turns[:, 0], AM_N, AM_FS)
    signal *= sines(np.array(CARRIER), turns[:, 1], AM_N, AM_FS)
    signal += sines(np.array(RATES), turns[:, 2:], AM_N, AM_FS).sum(1)
    signal += noise * rng.standard_normal((n, AM_N))
    rates = np.stack([bins(r, AM_N, AM_FS) for r in RATES])
    sides = np.stack([bins(CARRIER + np.array([-r, r]), AM_N, AM_FS) for r in RATES])
    tones = np.broadcast_to(rates.any(0), (n, 1, rates.shape[1])).copy()
    return labelled(
        signal[:, None],
        label,
        {
            "truth_rfft": Truth(LINES, sides[label][:, None], "sidebands of the carrier"),
            "truth_envelope_rfft": Truth(LINES, rates[label][:, None], "rate of the envelope"),
            "distractor_rfft": Truth(LINES, tones, "tones at the rates, in both classes"),
        },
        fs=AM_FS,
        problem="amplitude_modulation",
        source=HERE,
        classes=[f"{r:g} Hz" for r in RATES],
        seed=seed,
        parameters={
            "n": n,
            "noise": noise,
            "carrier": CARRIER,
            "rates": RATES,
            "depth": DEPTH,
            "band": [48.0, 80.0],
        },
    )


def chirp(n: int = 1000, noise: float = 0.3, window: float = 0.5, seed: int = 0) -> xr.Dataset:
    """A tone that rises from 8 to 40 Hz or falls, under a louder hum: both have the same spectrum.

    Parameters
    ----------
    n : int, default 1000
        Number of series.
    noise : float, default 0.3
        Standard deviation of white noise.
    window : float, default 0.5
        Window in seconds of the spectrogram, ``freqig.STFT(window)``, in whose coordinates the truth is
        given.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, one channel of 512 samples at 128 Hz; ``label``
        (sample), 0 falling and 1 rising, balanced; ``instantaneous_frequency`` (sample, time) in Hz;
        ``truth_stft`` (sample, channel, stft_frequency, stft_time), true where the line of the chirp is
        as near as a Hann window smears it: two bins, and what the chirp runs in half a window. There is
        no truth in the spectrum of the whole series, which is the same in both classes.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, `noise` or `seed` below 0, or `window` is no
        window of such a series.

    Examples
    --------
    >>> problem = chirp(n=2, seed=0).sortby("label")
    >>> problem.instantaneous_frequency.isel(time=[0, 256]).values
    array([[40., 24.], [ 8., 24.]])
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    domain = STFT(check_positive(window, "window"))
    coords = domain.bind((CHIRP_N,), CHIRP_FS).coords(CHIRP_N, CHIRP_FS)
    label = balanced(rng, n, 2)
    turns = phases(rng, n, 2)
    ends = (HIGH, LOW), (LOW, HIGH)
    paths = np.stack([np.linspace(*each, CHIRP_N, endpoint=False) for each in ends])
    signal = np.cos(angles()[label] + turns[:, :1])
    signal += 1.5 * sines(np.array(HUM), turns[:, 1], CHIRP_N, CHIRP_FS)
    signal += noise * rng.standard_normal((n, CHIRP_N))
    frequency, time = np.asarray(coords["frequency"][0]), np.asarray(coords["time"][0])
    at = np.stack([np.interp(time, np.arange(CHIRP_N) / CHIRP_FS, path) for path in paths])
    reach = 2 / window + SLOPE * window / 2
    near = np.abs(frequency[:, None] - at[:, None]) <= reach
    return labelled(
        signal[:, None],
        label,
        {
            "truth_stft": Truth(
                ("sample", "channel", "stft_frequency", "stft_time"),
                near[label][:, None],
                "near the line of the chirp",
            ),
            "instantaneous_frequency": Truth(
                ("sample", "time"), paths[label], "frequency of the chirp", "Hz"
            ),
        },
        fs=CHIRP_FS,
        problem="chirp",
        source=HERE,
        classes=["falling", "rising"],
        seed=seed,
        parameters={"n": n, "noise": noise, "window": float(window)},
        coords={
            "stft_frequency": ("stft_frequency", frequency, {"units": "Hz"}),
            "stft_time": ("stft_time", time, {"units": "s"}),
        },
    )


def angles() -> np.ndarray:
    """Angles in radians of the falling and the rising chirp, shape (2, time): integrals of the frequency."""
    t = np.arange(CHIRP_N) / CHIRP_FS
    bend = SLOPE * t**2 / 2
    return 2 * np.pi * np.stack([HIGH * t - bend, LOW * t + bend])

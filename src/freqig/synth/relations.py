"""What decides is a relation: of two phases, or of two bands that must come together."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .cues import FS, HERE, N
from .problem import LINES, Truth, balanced, begin, bins, draws, labelled, phases, read_noise, sines

PAIR, OTHER = (12.0, 24.0), 41.0
LOW, HIGH = (10.0, 14.0), (26.0, 34.0)
LINES_PER_BAND = 5


def phase_coded(n: int = 1000, noise: float = 0.1, seed: int = 0) -> xr.Dataset:
    """Two lines whose amplitudes are the same in both classes: the phase between them decides.

    cos(θ) at 12 Hz and cos(2 θ + φ) at 24 Hz, θ uniform, so that each phase by itself is uniform in
    both classes: φ = 0 in class 0, which has sharp peaks, and π in class 1, which has sharp troughs. A
    third line at 41 Hz has a phase of its own. No function of amplitudes can tell the classes.

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
        ``signal`` (sample, channel, time), float32, one channel of 256 samples at 128 Hz; ``label``
        (sample), balanced; ``truth_rfft`` (sample, channel, frequency), true at the two lines, in both
        classes alike; ``truth_polar`` (sample, channel, polar_part, polar_frequency), true at their
        phases and at no amplitude; ``relation`` (sample), φ in radians.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, or `noise` or `seed` below 0.

    Notes
    -----
    The relation is what a bispectrum measures, X(f)² conj(X(2f)), and is called quadratic phase coupling.

    Examples
    --------
    >>> problem = phase_coded(n=2, noise=0, seed=0)
    >>> spectrum = np.fft.rfft(problem.signal.values[:, 0])[:, problem.truth_rfft[0, 0]]
    >>> relation = np.angle(spectrum[:, 1] / spectrum[:, 0] ** 2)
    >>> bool(np.allclose(np.cos(relation), np.cos(problem.relation)))
    True
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    label = balanced(rng, n, 2)
    relation = np.pi * label
    turns = phases(rng, n, 2)
    signal = sines(np.array(PAIR[0]), turns[:, 0], N, FS)
    signal += sines(np.array(PAIR[1]), 2 * turns[:, 0] + relation, N, FS)
    signal += sines(np.array(OTHER), turns[:, 1], N, FS)
    signal += noise * rng.standard_normal((n, N))
    lines = bins(np.array(PAIR), N, FS)
    truth = np.broadcast_to(lines, (n, 1, lines.size)).copy()
    parts = np.stack([np.zeros_like(truth), truth], 2)
    dims = ("sample", "channel", "polar_part", "polar_frequency")
    return labelled(
        signal[:, None],
        label,
        {
            "truth_rfft": Truth(LINES, truth, "the lines whose relation decides"),
            "truth_polar": Truth(dims, parts, "the phases whose relation decides"),
            "relation": Truth(("sample",), relation, "phase of the second line less twice the first", "rad"),
        },
        fs=FS,
        problem="phase_coded",
        source=HERE,
        classes=["in phase", "in opposition"],
        seed=seed,
        parameters={"n": n, "noise": noise, "pair": PAIR, "other": OTHER},
        coords={
            "polar_part": ("polar_part", ["amplitude", "phase"]),
            "polar_frequency": ("polar_frequency", np.fft.rfftfreq(N, 1 / FS), {"units": "Hz"}),
        },
    )


def product(n: int = 1000, noise: float = 0.1, seed: int = 0) -> xr.Dataset:
    """Two bands that decide together: class 1 has both, class 0 one of them or none.

    A band, 10 to 14 Hz or 26 to 34 Hz, has five lines of equal amplitude and random phase, in bins that
    are drawn. In half of the series both bands are there; in the others the low one, the high one or
    none, equally often. The model of `freqig.synth.oracle` multiplies their powers: what it says
    of either band alone is nothing, so that all of it belongs to the pair.

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
        ``signal`` (sample, channel, time), float32, one channel of 256 samples at 128 Hz; ``label``
        (sample), balanced; ``truth_rfft`` (sample, channel, frequency), true at the lines of both bands,
        none in class 0; ``truth_band`` (sample, band), true in class 1; ``present`` (sample, band), with the
        coordinates ``band`` and its edges.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, or `noise` or `seed` below 0.

    Examples
    --------
    >>> problem = product(n=6, seed=0)
    >>> bool((problem.present.all("band") == problem.label).all())
    True
    >>> problem.truth_rfft.sum(("channel", "frequency")).groupby(problem.label).max().values
    array([ 0, 10])
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    label = balanced(rng, n, 2)
    present = np.ones((n, 2), dtype=bool)
    alone = np.array([[True, False], [False, True], [False, False]])
    present[label == 0] = alone[balanced(rng, int((label == 0).sum()), 3)]
    occupied = np.zeros((n, 2, N // 2 + 1), dtype=bool)
    for band, (low, high) in enumerate((LOW, HIGH)):
        inside = np.arange(round(low * N / FS), round(high * N / FS))
        drawn = draws(rng, n, inside.size, LINES_PER_BAND)
        occupied[:, band, inside] = drawn & present[:, band, None]
    lines = occupied.any(1)
    # Each band has altogether the power of a sine of unit amplitude.
    spectrum = N / 2 / np.sqrt(LINES_PER_BAND) * lines * np.exp(1j * phases(rng, *lines.shape))
    signal = np.fft.irfft(spectrum, N) + noise * rng.standard_normal((n, N))
    edges = np.array([LOW, HIGH])
    return labelled(
        signal[:, None],
        label,
        {
            "truth_rfft": Truth(LINES, (lines & (label == 1)[:, None])[:, None], "lines of both bands"),
            "truth_band": Truth(("sample", "band"), present & (label == 1)[:, None], "bands that decide"),
            "present": Truth(("sample", "band"), present, "bands that are there"),
        },
        fs=FS,
        problem="product",
        source=HERE,
        classes=["one band or none", "both bands"],
        seed=seed,
        parameters={"n": n, "noise": noise, "bands": {"low": LOW, "high": HIGH}},
        coords={
            "band": ("band", ["low", "high"]),
            "band_low": ("band", edges[:, 0], {"units": "Hz"}),
            "band_high": ("band", edges[:, 1], {"units": "Hz"}),
        },
    )

"""FreqRISE's problem: which of four frequencies occur among many."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .problem import LINES, Truth, begin, draws, labelled, members, phases, read_noise, subsets

KEYS = (5, 16, 32, 53)
HIGHEST, FEWEST, MOST = 60, 10, 49
N = 2560
BLOCK = 1024
"""Series drawn at once: 100,000 of them are made without holding their spectra."""


def freqrise(n: int = 1000, sigma: float = 0.01, seed: int = 0) -> xr.Dataset:
    """Which of four frequencies occur among many: the benchmark of FreqRISE.

    A series is a sum of M sines of unit amplitude and random phase, M uniform in 10..49, whose frequencies
    are whole bins in 1..60 without repetition, and Gaussian noise. The class is which of the bins 5, 16, 32
    and 53 are among them; bins of these four that are not chosen do not occur. The sampling rate of 2,560 Hz
    makes frequencies in Hz and bins the same number.

    Parameters
    ----------
    n : int, default 1000
        Number of series. The paper trains on 100,000 and tests on 1,000.
    sigma : float, default 0.01
        Standard deviation of the noise: 0.01 and 0.8 in the paper's training sets, 0 in its test sets.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, one channel of 2,560 samples; ``label`` (sample), the
        sum of 2^i over the key bins i that occur, in 0..15; ``truth_rfft`` (sample, channel, frequency), true
        at the key bins that occur, none for class 0; ``n_sines`` (sample). Settings are in ``attrs``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, or `sigma` or `seed` below 0.

    Notes
    -----
    T. Brüsch, K. K. Wickstrøm, M. N. Schmidt, T. S. Alstrøm, R. Jenssen, FreqRISE: explaining time series
    using frequency masking, 2024; the repository theabrusch/FreqRISE, ``src/data/generators.py``. Classes are
    drawn uniformly, not balanced. Two repositories of these authors number the subsets differently: by
    size in FreqRISE, in binary in FLEXtime and here.

    Examples
    --------
    >>> problem = freqrise(n=4, seed=1)
    >>> problem.signal.shape, problem.label.values
    ((4, 1, 2560), array([ 7,  8, 12, 15]))
    >>> problem.frequency[problem.truth_rfft[2, 0]].values
    array([32., 53.])
    """
    n, seed, rng = begin(n, seed)
    sigma = read_noise(sigma, "sigma")
    parts = [_draw(rng, min(BLOCK, n - begun), sigma) for begun in range(0, n, BLOCK)]
    signal, label, truth, count = (np.concatenate(part) for part in zip(*parts, strict=True))
    return labelled(
        signal,
        label,
        {
            "truth_rfft": Truth(LINES, truth, "key bins that occur"),
            "n_sines": Truth(("sample",), count, "number of sines"),
        },
        fs=float(N),
        problem="freqrise",
        source="Brüsch et al., FreqRISE: explaining time series using frequency masking, 2024, synthetic set",
        classes=subsets(KEYS),
        seed=seed,
        parameters={"n": n, "sigma": sigma, "keys": KEYS},
    )


def _draw(rng: np.random.Generator, n: int, sigma: float) -> tuple[np.ndarray, ...]:
    """Series, labels, truth and numbers of sines of a block."""
    label = rng.integers(0, 2 ** len(KEYS), n, dtype=np.int64)
    count = rng.integers(FEWEST, MOST + 1, n, dtype=np.int64)
    others = np.setdiff1d(np.arange(1, HIGHEST + 1), KEYS)
    present = members(label, len(KEYS))
    occurs = np.zeros((n, N // 2 + 1), dtype=bool)
    occurs[:, list(KEYS)] = present
    occurs[:, others] = draws(rng, n, others.size, count - present.sum(1))
    phase = phases(rng, n, HIGHEST + 1)
    spectrum = np.zeros(occurs.shape, dtype=complex)
    # A sine is a cosine a quarter later.
    spectrum[:, : HIGHEST + 1] = N / 2 * np.exp(1j * (phase - np.pi / 2)) * occurs[:, : HIGHEST + 1]
    signal = np.fft.irfft(spectrum, N) + sigma * rng.standard_normal((n, N))
    truth = np.zeros_like(occurs)
    truth[:, list(KEYS)] = present
    return signal[:, None].astype(np.float32), label, truth[:, None], count

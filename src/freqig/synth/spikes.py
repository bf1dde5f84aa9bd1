"""TimeX's problem FreqShapes: spikes up or down, ten or seventeen samples apart."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .._check import check_count
from .problem import LINES, LONGEST, STEPS, Truth, balanced, begin, bins, labelled, read_noise

PERIODS = (10, 17)
CLASSES = ((-1, 10), (1, 10), (-1, 17), (1, 17))
"""Sign of the spikes and their period, by class."""
SPIKE = np.array([1.75, 2.0, 1.75])
SHORTEST = max(PERIODS) + 3


def freqshapes(n: int = 1000, n_time: int = 50, noise: float = 0.25, seed: int = 0) -> xr.Dataset:
    """Spikes up or down, ten or seventeen samples apart: the benchmark FreqShapes of TimeX.

    A spike has three samples, ±(2 - 0.25 k²) for k in -1, 0, 1. The first has its centre anywhere before
    the last period, the next follow a period apart, and those that do not fit are left out. The rest
    is Gaussian noise.

    Parameters
    ----------
    n : int, default 1000
        Number of series. The paper has 5,000 to train, 100 to validate and 1,000 to test, in five splits.
    n_time : int, default 50
        Samples of a series, at least 20.
    noise : float, default 0.25
        Standard deviation of the noise.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, at 1 Hz; ``label`` (sample): down every 10, up every
        10, down every 17, up every 17, balanced; ``truth_waveform`` (sample, channel, time), true at the
        samples of spikes; ``truth_rfft`` (sample, channel, frequency), true at the bin nearest to each
        multiple of one over the period; ``period`` (sample) in samples, and ``start`` (sample), the first
        centre, of a spike that may not fit.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, `n_time` below 20, `noise` or `seed` below 0.

    Notes
    -----
    O. Queen, T. Hartvigsen, T. Koker, H. He, T. Tsiligkaridis, M. Zitnik, Encoding time-series explanations
    through self-supervised model behavior consistency, 2023; the repository mims-harvard/TimeX,
    ``txai/synth_data/freq_shapes.py``. There series are in the order of their classes; here in any.

    Few periods fit into 50 samples, so lines are broad: `truth_rfft` says where they are, not where they
    end.

    Examples
    --------
    >>> problem = freqshapes(n=4, noise=0, seed=0)
    >>> one = problem.isel(sample=int(problem.label.values.argmax()))
    >>> one.signal[0][one.truth_waveform[0]].values[:6]
    array([1.75, 2.  , 1.75, 1.75, 2.  , 1.75], dtype=float32)
    """
    n, seed, rng = begin(n, seed)
    n_time = check_count(n_time, "n_time", SHORTEST, LONGEST)
    noise = read_noise(noise)
    label = balanced(rng, n, len(CLASSES))
    sign, period = np.array(CLASSES)[label].T
    start = (rng.random(n) * (n_time - period)).astype(np.int64)
    shape = np.stack([comb(n_time, int(s), int(p)) for s, p in zip(start, period, strict=True)])
    signal = sign[:, None] * shape + noise * rng.standard_normal((n, n_time))
    lines = np.stack([_lines(n_time, p) for p in PERIODS])
    return labelled(
        signal[:, None],
        label,
        {
            "truth_waveform": Truth(STEPS, (shape > 0)[:, None], "samples of spikes"),
            "truth_rfft": Truth(LINES, lines[label // 2][:, None], "bins nearest to multiples of 1 / period"),
            "period": Truth(("sample",), period, "samples between spikes"),
            "start": Truth(("sample",), start, "sample of the first centre"),
        },
        fs=1.0,
        problem="freqshapes",
        source="Queen et al., Encoding time-series explanations through self-supervised model behavior "
        "consistency, 2023, FreqShapes",
        classes=[f"{'up' if s > 0 else 'down'} every {p}" for s, p in CLASSES],
        seed=seed,
        parameters={"n": n, "n_time": n_time, "noise": noise},
    )


def comb(n_time: int, start: int, period: int) -> np.ndarray:
    """Spikes upwards, a period apart, those that fit, shape (n_time,)."""
    series = np.zeros(n_time)
    for centre in range(start, n_time, period):
        if 1 <= centre <= n_time - 2:
            series[centre - 1 : centre + 2] = SPIKE
    return series


def _lines(n_time: int, period: int) -> np.ndarray:
    """Bins nearest to the multiples of one over the period, up to the last."""
    # Counted in multiples, the sampling rate is the period.
    return bins(np.arange(1, period // 2 + 1), n_time, period)

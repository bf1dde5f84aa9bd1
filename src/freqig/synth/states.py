"""The hidden Markov model of FIT and Dynamask: which signal counts depends on a hidden state."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .._check import check_count
from .problem import LONGEST, STEPS, Truth, begin, labelled

MEANS = np.array([[0.1, 1.6, 0.5], [-0.1, -0.4, -1.5]])
DECIDING = (1, 2)
VARIANCE, COVARIANCE = 0.801, 0.01
STAYS, ENTERS, TIRES = 0.95, 0.05, 500
SLOPE = 2.0


def hmm(n: int = 1000, n_time: int = 200, seed: int = 0) -> xr.Dataset:
    """Which of three signals decides depends on a hidden state: the state data of FIT and Dynamask.

    Two states. From state 0 the next is 1 with probability 0.05; from state 1 it is 1 with probability
    0.95 - d / 500, where d counts the steps since the last change. In state s the three signals are
    Gaussian with mean (0.1, 1.6, 0.5) or (-0.1, -0.4, -1.5), variance 0.801, and covariance 0.01
    between signal 0 and the one that decides: signal 1 in state 0, signal 2 in state 1. Each step has a
    label of its own, which is 1 with probability 1 / (1 + exp(-2 x)), x the value of the deciding
    signal.

    Parameters
    ----------
    n : int, default 1000
        Number of series. Dynamask and time_interpret have 800 to train and 200 to test.
    n_time : int, default 200
        Steps of a series, at least 1.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, three channels at 1 Hz; ``label`` (sample, time);
        ``truth_waveform`` (sample, channel, time), true where a signal decides, one per step, as Dynamask
        and time_interpret score; ``truth_switch`` likewise, only where the state has changed and at the first
        step, as FIT scores; ``state`` (sample, time); ``probability`` (sample, time), that of label 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` or `n_time` below 1, or `seed` below 0.

    Notes
    -----
    S. Tonekaboni, S. Joshi, K. Campbell, D. Duvenaud, A. Goldenberg, What went wrong and when?
    Instance-wise feature importance for time-series black-box models, 2020 (FIT); J. Crabbé, M. van der
    Schaar, Explaining time series predictions with dynamic masks, 2021; the repositories
    JonathanCrabbe/Dynamask, ``fit/data_generator/state_data.py``, and josephenguehard/time_interpret,
    ``tint/datasets/hmm.py``, which agree. That file has a matrix of transitions, (0.1, 0.9), too, which
    it does not use; nor is it used here. The first state is drawn by a transition from a state that is
    0 or 1 with equal probability.

    Examples
    --------
    >>> problem = hmm(n=2, n_time=100, seed=0)
    >>> problem.label.shape
    (2, 100)
    >>> bool((problem.truth_waveform.argmax("channel") == problem.state + 1).all())
    True
    """
    n, seed, rng = begin(n, seed)
    n_time = check_count(n_time, "n_time", most=LONGEST)
    state, changed = _states(rng, n, n_time)
    factors = np.stack([np.linalg.cholesky(covariance(s)) for s in (0, 1)])
    noise = rng.standard_normal((n, n_time, 3))
    series = MEANS[state] + np.einsum("ntij,ntj->nti", factors[state], noise)
    series = series.transpose(0, 2, 1).astype(np.float32)
    truth = np.arange(3)[:, None] == np.array(DECIDING)[state][:, None]
    chance = 1 / (1 + np.exp(-SLOPE * (series * truth).sum(1, dtype=float)))
    label = (rng.random((n, n_time)) < chance).astype(np.int64)
    return labelled(
        series,
        label,
        {
            "truth_waveform": Truth(STEPS, truth, "the signal that decides"),
            "truth_switch": Truth(STEPS, truth & changed[:, None], "the signal that decides, at changes"),
            "state": Truth(("sample", "time"), state, "hidden state"),
            "probability": Truth(("sample", "time"), chance, "probability of label 1"),
        },
        fs=1.0,
        problem="hmm",
        source="Tonekaboni et al., What went wrong and when?, 2020; Crabbé and van der Schaar, Explaining "
        "time series predictions with dynamic masks, 2021, state experiment",
        classes=["0", "1"],
        seed=seed,
        parameters={"n": n, "n_time": n_time},
    )


def covariance(state: int) -> np.ndarray:
    """Covariance of the three signals in a state."""
    matrix = np.eye(3) * VARIANCE
    matrix[0, DECIDING[state]] = matrix[DECIDING[state], 0] = COVARIANCE
    return matrix


def _states(rng: np.random.Generator, n: int, n_time: int) -> tuple[np.ndarray, np.ndarray]:
    """Hidden states, and whether each is another than the one before; the first counts as changed."""
    draws = rng.random((n, n_time))
    previous = (rng.random(n) < 0.5).astype(np.int64)
    since = np.zeros(n)
    state = np.zeros((n, n_time), dtype=np.int64)
    changed = np.zeros((n, n_time), dtype=bool)
    for t in range(n_time):
        state[:, t] = draws[:, t] < np.where(previous == 1, STAYS - since / TIRES, ENTERS)
        changed[:, t] = (state[:, t] != previous) | (t == 0)
        since = np.where(state[:, t] == previous, since + 1, 0)
        previous = state[:, t]
    return state, changed

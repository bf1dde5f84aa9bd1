"""Dynamask's white boxes: of an ARMA process only few signals, or few steps, count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from .._check import check_choice, check_count, check_number, shown
from .problem import LONGEST, MOST_CHANNELS, STEPS, Truth, begin, draws, labelled

AR = (-0.25, -0.1, -0.05)
BURN_IN = 200


def arma(
    n: int = 100,
    rare: str = "feature",
    *,
    n_channels: int = 50,
    n_time: int = 50,
    n_rare: int = 5,
    ar: Sequence[float] = AR,
    seed: int = 0,
) -> xr.Dataset:
    """Few signals, or few steps, of an ARMA process count: the rare experiments of Dynamask.

    x_t = Σ_k ar_k x_{t-k} + ε_t, ε standard normal, in each channel by itself. The model that is to be
    explained is known: at each step, the sum of the squares of what is rare there (see
    `freqig.synth.oracle`). With rare features it sees, from a quarter to three quarters of the time, five
    channels that are drawn for each series; with rare times, five steps in a row that are drawn for each
    series, of the channels from a quarter to three quarters.

    Parameters
    ----------
    n : int, default 100
        Number of series. Dynamask explains 10, time_interpret 100.
    rare : {"feature", "time"}, default "feature"
        What is rare.
    n_channels, n_time : int, default 50
        Channels and steps, at least 4.
    n_rare : int, default 5
        How many of them count, fewer than there are.
    ar : sequence of float, default (-0.25, -0.1, -0.05)
        Coefficients of a stationary process, from lag 1 on.
    seed : int, default 0
        Seed of everything that is drawn.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, at 1 Hz; ``truth_waveform`` (sample, channel, time),
        true where the model sees it; ``output`` (sample, time), what the model answers; ``label``
        (sample): whether the sum of that is above the mean over series that theory gives.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of its range, or the process is not stationary.

    Notes
    -----
    J. Crabbé, M. van der Schaar, Explaining time series predictions with dynamic masks, 2021; the repository
    JonathanCrabbe/Dynamask, ``experiments/rare_feature.py`` and ``rare_time.py``. They give the polynomials
    (2, 0.5, 0.2, 0.1) and (2), which in the convention of statsmodels is the recursion above with negative
    coefficients. There a series starts from silence; here it is stationary from the first step. What is rare
    is drawn anew for each series, as in Dynamask; time_interpret, ``tint/datasets/arma.py``, has it the same
    in all. The source has a regression and no classes; `label` is ours.

    Examples
    --------
    >>> problem = arma(n=3, rare="time", seed=0)
    >>> problem.truth_waveform.any("channel").sum("time").values
    array([5, 5, 5])
    >>> problem.truth_waveform.any("time").sum("channel").values
    array([25, 25, 25])
    """
    n, seed, rng = begin(n, seed)
    rare = check_choice(rare, "rare", ("feature", "time"))
    n_channels = check_count(n_channels, "n_channels", 4, MOST_CHANNELS)
    n_time = check_count(n_time, "n_time", 4, LONGEST)
    axis, size = ("n_channels", n_channels) if rare == "feature" else ("n_time", n_time)
    n_rare = check_count(n_rare, "n_rare")
    if n_rare >= size:
        raise ValueError(f"n_rare must be below {axis}, {size}, with rare={rare!r}, got {n_rare}")
    coefficients = _read(ar)
    noise = rng.standard_normal((n, n_channels, BURN_IN + n_time))
    signal = _filter(noise, coefficients)[..., BURN_IN:].astype(np.float32)
    truth = _seen(rng, n, rare, n_channels, n_time, n_rare)
    output = (np.where(truth, signal, 0).astype(float) ** 2).sum(1)
    expected = variance(coefficients) * truth.sum((1, 2))
    return labelled(
        signal,
        output.sum(1) > expected,
        {
            "truth_waveform": Truth(STEPS, truth, "what the model sees"),
            "output": Truth(("sample", "time"), output, "sum of the squares of what the model sees"),
        },
        fs=1.0,
        problem="arma",
        source="Crabbé and van der Schaar, Explaining time series predictions with dynamic masks, 2021, rare "
        f"{rare}",
        classes=["below the mean", "above the mean"],
        seed=seed,
        parameters={
            "n": n,
            "rare": rare,
            "n_channels": n_channels,
            "n_time": n_time,
            "n_rare": n_rare,
            "ar": coefficients.tolist(),
        },
    )


def variance(ar: np.ndarray) -> float:
    """Variance of the stationary process, Σ ψ², by its impulse response."""
    impulse = np.zeros((1, 400))
    impulse[0, 0] = 1
    return float((_filter(impulse, ar) ** 2).sum())


def _read(ar: Any) -> np.ndarray:
    """Coefficients of a stationary process."""
    several = isinstance(ar, (list, tuple)) or (isinstance(ar, np.ndarray) and ar.ndim == 1)
    if not several or len(ar) == 0:
        raise TypeError(f"ar must be a sequence of numbers, such as (-0.25, -0.1, -0.05), got {shown(ar)}")
    read = np.array([check_number(value, "ar") for value in ar])
    # x_t = Σ ar_k x_{t-k} dies away if the roots of z^p - Σ ar_k z^(p-k) lie inside the unit circle.
    largest = float(np.abs(np.roots([1, *-read])).max(initial=0)) if np.isfinite(read).all() else np.inf
    # So that what is left of the start is nothing beside rounding.
    if not largest <= 0.9:
        raise ValueError(
            f"ar must make a process that forgets within some steps: the roots of its polynomial must be at "
            f"most 0.9 in size, got {shown(ar)}, whose largest is {largest:.3g}"
        )
    return read


def _filter(noise: np.ndarray, ar: np.ndarray) -> np.ndarray:
    """The recursion along the last axis, from silence."""
    series = noise.copy()
    for t in range(series.shape[-1]):
        for lag, weight in enumerate(ar[:t], 1):
            series[..., t] += weight * series[..., t - lag]
    return series


def _seen(
    rng: np.random.Generator, n: int, rare: str, n_channels: int, n_time: int, n_rare: int
) -> np.ndarray:
    """What the model sees of each series, shape (n, n_channels, n_time)."""
    common = n_time if rare == "feature" else n_channels
    middle = (np.arange(common) >= common // 4) & (np.arange(common) < 3 * common // 4)
    if rare == "feature":
        return draws(rng, n, n_channels, n_rare)[:, :, None] & middle
    first = (rng.random(n) * (n_time - n_rare)).astype(np.int64)[:, None]
    steps = (np.arange(n_time) >= first) & (np.arange(n_time) < first + n_rare)
    return steps[:, None] & middle[:, None]

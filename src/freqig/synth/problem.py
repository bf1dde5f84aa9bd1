"""What every problem returns: series, labels and the truth, under names and coordinates of the package."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._check import check_count, check_positive, check_seed, shown
from ..signals.axes import frequencies, times


class Truth(NamedTuple):
    """A variable beside signal and label: its dimensions, values and meaning."""

    dims: tuple[str, ...]
    values: np.ndarray
    meaning: str
    units: str = ""


LINES = ("sample", "channel", "frequency")
STEPS = ("sample", "channel", "time")
LOUDEST = 1e30
MOST_SERIES, MOST_CHANNELS, LONGEST = 10**6, 10**4, 10**7


def labelled(
    signal: np.ndarray,
    label: np.ndarray,
    truths: Mapping[str, Truth],
    *,
    fs: float,
    problem: str,
    source: str,
    classes: Sequence[str],
    seed: int,
    parameters: Mapping[str, Any],
    coords: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """The dataset of a problem, with attributes that netCDF can hold.

    Parameters
    ----------
    signal : numpy.ndarray
        Shape (sample, channel, time).
    label : numpy.ndarray
        Shape (sample,), or (sample, time) where each step has its own.
    truths : mapping of str to Truth
        Further variables by name.
    fs : float
        Sampling rate in Hz.
    problem, source : str
        Name of the function, and where the problem was published.
    classes : sequence of str
        What each label means.
    seed : int
        What was drawn.
    parameters : mapping
        Everything that a class is decided by, as JSON can hold it.
    coords : mapping, optional
        Coordinates of dimensions other than time and frequency.
    """
    n = signal.shape[-1]
    seconds, hertz = times(n, fs), frequencies(n, fs)
    known = {
        "time": ("time", seconds[0], {"units": seconds[1]}),
        "frequency": ("frequency", hertz[0], {"units": hertz[1]}),
        **(coords or {}),
    }
    variables = {
        "signal": (STEPS, signal.astype(np.float32), {"long_name": "series"}),
        "label": (("sample", "time")[: label.ndim], label.astype(np.int64), {"long_name": "true class"}),
    }
    for name, (dims, values, meaning, units) in truths.items():
        variables[name] = dims, values, {"long_name": meaning, **({"units": units} if units else {})}
    used = {dim for dims, *_ in variables.values() for dim in dims}
    attrs = {
        "problem": problem,
        "fs": fs,
        "seed": seed,
        "source": source,
        "classes": list(classes),
        "parameters": json.dumps(parameters, sort_keys=True),
    }
    # Edges of a band stand along it under a name of their own.
    coordinates = {name: value for name, value in known.items() if value[0] in used}
    return xr.Dataset(variables, coordinates, attrs)


def parameters_of(problem: xr.Dataset) -> dict[str, Any]:
    """What a problem was made with, out of its attributes."""
    read: dict[str, Any] = json.loads(problem.attrs["parameters"])
    return read


def begin(n: Any, seed: Any) -> tuple[int, int, np.random.Generator]:
    """Number of series and seed, checked, and the generator that draws everything."""
    count, number = check_count(n, "n", most=MOST_SERIES), check_seed(seed, "seed")
    # PCG64 gives the same numbers on every platform; dtypes are named where they are drawn.
    return count, number, np.random.Generator(np.random.PCG64(number))


def read_noise(value: Any, name: str = "noise") -> float:
    """Standard deviation of noise, such that float32 holds what is drawn."""
    noise = check_positive(value, name, zero_allowed=True)
    if noise > LOUDEST:
        raise ValueError(f"{name} must be in 0..{LOUDEST:g}, which float32 holds, got {shown(value)}")
    return noise


def balanced(rng: np.random.Generator, n: int, classes: int) -> np.ndarray:
    """Labels in random order, each class as often as the others, or once more."""
    labels: np.ndarray = rng.permutation(np.arange(n, dtype=np.int64) % classes)
    return labels


def draws(rng: np.random.Generator, n: int, among: int, count: int | np.ndarray) -> np.ndarray:
    """Draw without repetition: which of so many are chosen, boolean, shape (n, among).

    `count` is how many, of all or of each, shape (n,).
    """
    # The first so many of a random order.
    order = rng.random((n, among)).argsort(1).argsort(1)
    chosen: np.ndarray = order < np.reshape(count, (-1, 1))
    return chosen


def members(label: np.ndarray, among: int) -> np.ndarray:
    """Which of so many a class has, where classes are subsets that are numbered in binary, (class, among)."""
    held: np.ndarray = (label[:, None] >> np.arange(among)) & 1 == 1
    return held


def subsets(names: Sequence[int]) -> list[str]:
    """What each of these classes means."""
    every = members(np.arange(2 ** len(names)), len(names))
    return [
        " and ".join(str(name) for name, has in zip(names, row, strict=True) if has) or "none"
        for row in every
    ]


def phases(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Phases that are uniform over the circle, in radians."""
    return rng.uniform(0, 2 * np.pi, shape)


def sines(frequency: np.ndarray, phase: np.ndarray, n: int, fs: float) -> np.ndarray:
    """Cosines of unit amplitude, shape (..., n), of frequencies in Hz and phases that broadcast."""
    frequency, phase = np.broadcast_arrays(frequency, phase)
    waves: np.ndarray = np.cos(2 * np.pi * frequency[..., None] * np.arange(n) / fs + phase[..., None])
    return waves


def bins(frequency: float | np.ndarray, n: int, fs: float) -> np.ndarray:
    """The bins of the spectrum nearest to one or several frequencies, as a mask of shape (frequency,)."""
    return np.isin(np.arange(n // 2 + 1), np.rint(np.asarray(frequency) * n / fs))

"""Epochs of a night: when they begin, their places on an even grid, and what the model thought of them."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from ..result.reading import rate_of
from ._time import time_axis

WINDOW = 4.0
"""Seconds of the stretches whose spectra are averaged in an epoch."""


def epochs_of(result: xr.Dataset) -> tuple[np.ndarray, float]:
    """When epochs begin, and how far apart they are, in s; in epochs where the rate is not known."""
    fs, count = rate_of(result), result.sizes["sample"]
    length = 1.0 if fs is None else result.sizes["time"] / fs
    if "onset" not in result.coords:
        return np.arange(count) * length, length
    begins = np.asarray(result["onset"].values, dtype=np.float64)
    apart = np.diff(np.sort(begins))
    apart = apart[apart > 0]
    return begins, float(min(apart.min(), length)) if apart.size else length


def time_borders(begins: np.ndarray, columns: np.ndarray, step: float) -> tuple[np.ndarray, str]:
    """Borders of the columns of a night, and the label of their axis."""
    borders = begins.min() + step * np.arange(columns.max() + 2)
    unit = time_axis(float(borders[-1] - borders[0]), "s")
    return borders / unit.divisor, unit.label


def on_grid(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values of epochs at their places, NaN where there is no epoch."""
    grid = np.full((columns.max() + 1, *values.shape[1:]), np.nan)
    grid[columns] = values
    return grid


def probabilities_of(result: xr.Dataset) -> np.ndarray:
    """Probabilities of the classes, shape (sample, class)."""
    outputs = result["outputs"].transpose("sample", "class").values.astype(np.float64)
    if json.loads(result.attrs.get("settings", "{}")).get("probabilities"):
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def power_of(signal: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of the stretches of every epoch, over channels, too.

    Parameters
    ----------
    signal : numpy.ndarray
        Shape (sample, ..., time).
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    frequency : numpy.ndarray
        In Hz, shape (K,).
    power : numpy.ndarray
        Shape (sample, K); none at 0 Hz, since the mean of a stretch is taken out.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 2 * np.arange(80) / 10)
    >>> frequency, power = power_of(tone[None], 10.0)
    >>> float(frequency[power[0].argmax()])
    2.0
    """
    n = signal.shape[-1]
    length = min(n, max(round(WINDOW * fs), 2))
    rows = []
    # One epoch after another, for of a long file all of them are large.
    for one in signal:
        pieces = one[..., : n // length * length].reshape(-1, length).astype(np.float64)
        pieces = (pieces - pieces.mean(axis=-1, keepdims=True)) * np.hanning(length)
        rows.append(np.mean(np.abs(np.fft.rfft(pieces)) ** 2, axis=0))
    return np.fft.rfftfreq(length, 1 / fs), np.array(rows)

"""Comparisons to draw, as `freqig.compare` returns them, without a test."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def comparison(channels: int = 0, times: int = 0, n: int = 41, scale: float = 1.0) -> xr.Dataset:
    """A difference above zero from 10 to 14 Hz, and one below from 25 to 27 Hz, both significant."""
    name = "stft" if times else "rfft"
    frequency = f"{name}_frequency" if times else "frequency"
    at = np.arange(n, dtype=float)
    values = 2.0 * ((at >= 10) & (at < 15)) - 1.5 * ((at >= 25) & (at < 28))
    number = 1 * ((at >= 10) & (at < 15)) + 2 * ((at >= 25) & (at < 28))
    dims, shape = [frequency], [n]
    coords: dict[str, Any] = {frequency: (frequency, at, {"units": "Hz"})}
    if channels:
        dims, shape = ["channel", *dims], [channels, *shape]
        coords["channel"] = [f"EEG {i}" for i in range(channels)]
    if times:
        dims, shape = [*dims, "stft_time"], [*shape, times]
        coords["stft_time"] = ("stft_time", np.arange(times) * 2.0, {"units": "s"})
        values, number = (np.repeat(own[:, None], times, 1) for own in (values, number))
        inside = (np.arange(times) > 2) & (np.arange(times) < 6)
        values, number = values * inside, number * inside
    noise = 0.3 * np.random.default_rng(0).normal(size=shape)
    mean = scale * (np.broadcast_to(values, shape) + noise)
    clusters = np.broadcast_to(number, shape)
    units = {"units": "logit"}
    return xr.Dataset(
        {
            name: (dims, mean, {"kind": "attribution", **units}),
            f"{name}_lower": (dims, mean - 0.6 * scale, {"kind": "interval", **units}),
            f"{name}_upper": (dims, mean + 0.8 * scale, {"kind": "interval", **units}),
            f"{name}_cluster": (dims, clusters),
            f"{name}_significant": (dims, clusters > 0),
            "cluster_p": ("cluster", [0.0004, 0.031]),
        },
        {**coords, "cluster": [1, 2]},
        {
            "first": "N2",
            "second": "W",
            "unit": "subject",
            "paired": 1,
            "n_first": 9,
            "n_second": 9,
            "interval": 0.95,
            "alpha": 0.05,
        },
    )

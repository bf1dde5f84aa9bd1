"""Results without a model: attributions that are drawn, with subjects, classes and files."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def result_of(values: np.ndarray, name: str = "rfft", **along: Any) -> xr.Dataset:
    """A result with attributions of shape (sample, frequency) or (sample, channel, frequency)."""
    values = np.asarray(values)
    dims = ("sample", "frequency") if values.ndim == 2 else ("sample", "channel", "frequency")
    coords: dict[str, Any] = {key: ("sample", np.asarray(own)) for key, own in along.items()}
    coords["frequency"] = ("frequency", np.arange(values.shape[-1]) * 0.5, {"units": "Hz"})
    if values.ndim == 3:
        coords["channel"] = [f"C{i}" for i in range(values.shape[1])]
    unit = {"units": "logit"}
    return xr.Dataset(
        {
            name: (dims, values, {"kind": "attribution", **unit}),
            "output": ("sample", values.reshape(len(values), -1).sum(1), unit),
            "baseline_output": ("sample", np.zeros(len(values)), unit),
        },
        coords,
        {"settings": "{}"},
    )


def people(
    n_subjects: int, each: int, places: int = 5, between: float = 1.0, within: float = 1.0, seed: int = 0
) -> xr.Dataset:
    """Samples of several people, whose own means differ by `between`."""
    rng = np.random.default_rng(seed)
    own = between * rng.normal(size=(n_subjects, 1, places))
    values = own + within * rng.normal(size=(n_subjects, each, places))
    return result_of(values.reshape(-1, places), subject=np.repeat(np.arange(n_subjects), each))

"""Results to draw, and what was drawn."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch

import freqig
from freqig.errors import EmptyExplanationWarning


def _explanation(
    n: int = 256, fs: float | None = 128.0, layout: dict[str, int] | None = None, names: bool = True
) -> xr.Dataset:
    """A result of two samples: random series, one strong positive and one negative frequency."""
    rng = np.random.default_rng(0)
    layout = layout or {}
    dims, shape = ("sample", *layout), (2, *layout.values())
    frequency = np.fft.rfftfreq(n, 1 / (fs or 1.0))
    attribution = 0.1 * rng.standard_normal((*shape, frequency.size))
    attribution[..., 14 % frequency.size] += 3
    attribution[..., 40 % frequency.size] -= 2
    coords: dict[str, Any] = {
        "frequency": ("frequency", frequency, {"units": "Hz" if fs else "cycles/sample"}),
        "time": ("time", np.arange(n) / (fs or 1.0), {"units": "s" if fs else "samples"}),
    }
    if names and "channel" in layout:
        coords["channel"] = [f"EEG {i}" for i in range(layout["channel"])]
    return xr.Dataset(
        {
            "rfft": ((*dims, "frequency"), attribution, {"kind": "attribution", "units": "logit"}),
            "signal": ((*dims, "time"), 10 * rng.standard_normal((*shape, n)), {"kind": "signal"}),
            "output": ("sample", [8.3131, -2.0]),
            "baseline_output": ("sample", [0.5, 0.25]),
            "target": ("sample", [1, 0]),
            "predicted": ("sample", [1, 1]),
            "completeness_gap": ("sample", [-1.5e-5, 0.2]),
            "converged": ("sample", [True, False]),
        },
        coords=coords,
    )


@pytest.fixture
def explanation() -> Callable[..., xr.Dataset]:
    """Builder of results: length, sampling rate, sizes of the axes between sample and time."""
    return _explanation


def _bars(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Heights of all bars, and the borders between them."""
    patches = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
    return sum(patch.get_data().values for patch in patches), patches[0].get_data().edges


@pytest.fixture
def bars() -> Callable[[Axes], tuple[np.ndarray, np.ndarray]]:
    """Reader of the bars in a spectrum: their heights and borders."""
    return _bars


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


MAP_FS, MAP_N = 64.0, 200


@pytest.fixture(scope="module")
def maps() -> xr.Dataset:
    """Two samples of three channels in every domain that is drawn, wavelets aside, which need an extra."""
    rng = np.random.default_rng(0)
    weights = torch.tensor(rng.normal(size=(3 * MAP_N, 2)) / 20)
    ica = freqig.ICA(np.eye(3)[:, :2])
    domains = [
        freqig.RFFT(),
        freqig.STFT(0.5),
        freqig.Segments(0.75),
        freqig.FilterBank({"alpha": (8, 12), "beta": (12, 30)}),
        ica,
        ica >> freqig.RFFT(),
        ica >> freqig.STFT(0.5),
        freqig.Polar(),
    ]
    explainer = freqig.Explainer(
        lambda x: torch.tanh(x.flatten(1) @ weights), fs=MAP_FS, domains=domains, dtype=torch.float64
    )
    with warnings.catch_warnings():
        # Of random weights, whose baselines may be any class.
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        return explainer(rng.normal(size=(2, 3, MAP_N)), baseline=rng.normal(size=(2, 3, MAP_N)))


@pytest.fixture
def levels() -> xr.Dataset:
    """A result of wavelet levels as `freqig.Wavelet` gives it, with a coefficient before the series."""
    over = ("wavelet_level", "wavelet_position")
    nan = np.nan
    return xr.Dataset(
        {
            "wavelet": (
                ("sample", *over),
                [[[1.0, 2.0, nan, nan], [-3.0, 4.0, nan, nan], [0.5, 6.0, -7.0, 8.0]]],
            ),
            "signal": (("sample", "time"), np.zeros((1, 8))),
        },
        coords={
            "time": ("time", np.arange(8.0), {"units": "s"}),
            "wavelet_level": ["A2", "D2", "D1"],
            "wavelet_time": (
                over,
                [[2.0, 6.0, nan, nan], [2.0, 6.0, nan, nan], [-1.0, 1.0, 3.0, 5.0]],
                {"units": "s"},
            ),
            "wavelet_frequency": ("wavelet_level", [0.0, 0.18, 0.35], {"units": "Hz"}),
        },
    )

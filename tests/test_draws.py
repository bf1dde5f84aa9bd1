"""How often something is drawn, and how much is made, is bounded before anything is held for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import xarray as xr
from torch import nn

import freqig
from freqig import baselines, methods, synth
from freqig.plots._markers import read_markers

MANY = 10_000_000
# Its weights are those of chance, and so is what it says at the baseline.
MODEL = nn.Sequential(nn.Flatten(), nn.Linear(32, 2))
X = np.random.default_rng(0).normal(size=(3, 1, 32)).astype(np.float32)


def evaluated(**options: Any) -> Any:
    result = freqig.Explainer(MODEL, n_steps=3, tol=10.0, output="margin")(X, target="all")
    return freqig.evaluate(result, MODEL, X, **options)


DRAWS: dict[str, tuple[str, Callable[..., Any]]] = {
    "noise": ("draws", baselines.noise),
    "surrogate": ("draws", baselines.surrogate),
    "SmoothGrad": ("draws", lambda **options: methods.SmoothGrad(MODEL, **options)(X)),
    "ExpectedGradients": ("draws", lambda **options: methods.ExpectedGradients(MODEL, **options)(X)),
    "InsertionDeletion": ("draws", lambda **options: methods.InsertionDeletion(MODEL, **options)(X)),
    "FreqRISE": ("n_masks", lambda **options: methods.FreqRISE(MODEL, **options)(X)),
    "evaluate, orders": ("random_orders", evaluated),
    "evaluate, draws": ("draws", evaluated),
    "evaluate, steps": ("steps", evaluated),
    "Explainer": ("n_steps", partial(freqig.Explainer, MODEL)),
    "attribute": ("n_steps", partial(freqig.attribute, X, MODEL, 0)),
    "summarize": ("n_resamples", partial(freqig.summarize, xr.Dataset())),
    "compare, resamples": ("n_resamples", partial(freqig.compare, xr.Dataset(), paired=False)),
    "compare, permutations": ("n_permutations", partial(freqig.compare, xr.Dataset(), paired=False)),
    "InsertionDeletion, rounds": ("rounds", partial(methods.InsertionDeletion, MODEL)),
    "DynaMask": ("steps", partial(methods.DynaMask, MODEL)),
    "ExtremalMask": ("steps", partial(methods.ExtremalMask, MODEL)),
    "LearnedMask": ("steps", partial(methods.LearnedMask, MODEL)),
    "FLEXtime": ("steps", partial(methods.FLEXtime, MODEL)),
    "FLEXtime, filters": ("filters", partial(methods.FLEXtime, MODEL)),
    "SpectralGradients, bands": ("bands", partial(methods.SpectralGradients, MODEL)),
    "SpectralGradients, nodes": ("n_steps", partial(methods.SpectralGradients, MODEL)),
}
SIZES: dict[str, tuple[str, int, Callable[..., Any]]] = {
    "Shapley": ("budget", 2**20, partial(freqig.Shapley, MODEL)),
    "bands_around": ("harmonics", 1000, partial(freqig.bands_around, {"BPFO": 107.0}, 4.0)),
    "markers": ("harmonics", 1000, lambda **how: read_markers({"BPFO": 107.0}, highest=500.0, **how)),
    "run": ("workers", 1024, partial(freqig.cohort.run, [__file__], MODEL, "never made")),
    "synth, series": ("n", 10**6, synth.unused_cue),
    "synth, samples": ("n_time", 10**7, partial(synth.arma, n=2)),
    "synth, channels": ("n_channels", 10**4, partial(synth.arma, n=2)),
}


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
@pytest.mark.parametrize(("name", "call"), DRAWS.values(), ids=DRAWS.keys())
def test_draws_are_bounded(name: str, call: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at most 100000, got 10000000"):
        call(**{name: MANY})


@pytest.mark.parametrize(("name", "most", "call"), SIZES.values(), ids=SIZES.keys())
def test_sizes_are_bounded(name: str, most: int, call: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at most {most}, got 1000000000"):
        call(**{name: 10**9})


@pytest.mark.parametrize("method", [methods.FreqRISE, methods.InsertionDeletion])
def test_more_cells_than_coefficients_are_as_many(method: Any) -> None:
    """Each coefficient is a cell of its own then, whatever the number."""
    explain = (method(MODEL, cells=count, seed=1, output="margin") for count in (2**20, 17))
    many, each = (one(X, target="all").rfft for one in explain)
    np.testing.assert_array_equal(many, each)

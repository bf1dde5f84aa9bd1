"""How often something is drawn is bounded before anything is held for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from torch import nn

import freqig
from freqig import baselines, methods

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
}


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
@pytest.mark.parametrize(("name", "call"), DRAWS.values(), ids=DRAWS.keys())
def test_draws_are_bounded(name: str, call: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at most 100000, got 10000000"):
        call(**{name: MANY})

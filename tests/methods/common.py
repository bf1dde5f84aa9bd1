"""Every method with settings that are quick, and a network and signals for all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from tests.helpers import seeded
from torch import nn

import freqig
from freqig import methods

FS, N = 32.0, 21
T = np.arange(N) / FS
OTHERS = np.random.default_rng(5).normal(size=(3, 2, N))

QUICK: dict[str, dict[str, Any]] = {
    "DFTLRP": {},
    "DynaMask": {"steps": 3, "rate": 0.2},
    "ExpectedGradients": {"draws": 3},
    "ExtremalMask": {"steps": 3, "rate": 0.2},
    "FLEXtime": {"steps": 3, "filters": 8, "rate": 0.5},
    "FreqRISE": {"n_masks": 40, "cells": 8},
    "GradientTimesInput": {},
    "InsertionDeletion": {"rounds": 2, "draws": 10, "cells": 6},
    "LearnedMask": {"steps": 3, "rate": 0.2},
    "Occlusion": {},
    "SmoothGrad": {"draws": 4},
    "SpectralGradients": {"bands": 3, "n_steps": 3},
}
NAMES = sorted(QUICK)
SEEDED = ("ExpectedGradients", "FreqRISE", "InsertionDeletion", "SmoothGrad")
BY_OUTPUTS = ("FreqRISE", "InsertionDeletion", "Occlusion")
SUMS = ("ExpectedGradients", "SpectralGradients")
CONTRIBUTIONS = (
    "DFTLRP",
    "ExpectedGradients",
    "GradientTimesInput",
    "Occlusion",
    "SmoothGrad",
    "SpectralGradients",
)
"""Methods that are exact for linear models."""


def made(name: str, model: Any, **asked: Any) -> Any:
    return getattr(methods, name)(model, **{"fs": FS, **QUICK[name], **asked})


def network(dtype: torch.dtype = torch.float64) -> nn.Module:
    layers = [
        seeded(nn.Conv1d, 2, 4, 5, padding=2),
        nn.Tanh(),
        nn.Flatten(),
        seeded(nn.Linear, 4 * N, 3, seed=1),
    ]
    return nn.Sequential(*layers).to(dtype)


def signals(count: int = 3) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, 2, N))


def attribution(result: Any, name: str = "rfft") -> np.ndarray:
    return np.asarray(result[name].values)


def explained(name: str, model: Any = None, x: Any = None, **asked: Any) -> Any:
    aim = {key: asked.pop(key) for key in ("target",) if key in asked}
    method = made(name, network() if model is None else model, **asked)
    return method(signals() if x is None else x, **aim)


@cache
def default(name: str) -> Any:
    """The result of a method as it is, for tests that only look at it."""
    return explained(name)


BASELINES = freqig.baselines.data(OTHERS)

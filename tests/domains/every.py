"""What the tests of all registered domains share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.domains import Domain, ready

from .examples import FS, Example, examples

EVERY = [pytest.param(example, id=example.label) for example in examples()]
LINEAR = [case for case in EVERY if case.values[0].make(2).linear]
CURVED = [case for case in EVERY if not case.values[0].make(2).linear]


def tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Standard normal numbers."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)


def admitted(example: Example, x: Tensor, baseline: Tensor) -> Tensor:
    """The baseline next to one that was drawn whose difference from x the domain holds for."""
    return example.make(x.shape[-2]).bind(tuple(x.shape[1:]), FS).admit(x, baseline)


def made(example: Example, x: Tensor, baseline: Tensor) -> Domain:
    """The domain of an example, ready for signals of shape (sample, channel, n)."""
    (domain,) = ready([example.make(x.shape[-2])], x, baseline, FS)
    return domain


def inversion_residual(domain: Domain, x: Tensor, baseline: Tensor) -> float:
    """Largest relative error of synthesize(analyze(δ))."""
    delta = x - baseline
    back = domain.synthesize(domain.analyze_pair(x, baseline), x.shape[-1])
    return float((back - delta).abs().max() / delta.abs().max())


def as_tuple(c: Any) -> tuple[Tensor, ...]:
    return c if isinstance(c, tuple) else (c,)

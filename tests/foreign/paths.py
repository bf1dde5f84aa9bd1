"""Explains functions of a flat series while somebody looks whether gradients are those of F."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from freqig.foreign import Foreign
from freqig.path import Path

from ..path.paths import Function
from ..path.paths import adaptive as plain


def adaptive(function: Function, x: Tensor, baseline: Tensor | None = None, **how: Any) -> Path:
    """`integrate_adaptive` from zero, as an Explainer calls it."""
    return plain(function, x, baseline, inspector=Foreign(), **how)

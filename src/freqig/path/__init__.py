"""Averages the gradient along the straight path from baseline to input."""

from .adaptive import integrate_adaptive
from .fixed import integrate
from .path import Path

__all__ = ["Path", "integrate", "integrate_adaptive"]

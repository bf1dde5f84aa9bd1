"""Averages the gradient along the straight path from baseline to input."""

from .adaptive import integrate_adaptive
from .fixed import NonFiniteError, integrate
from .gradients import points_on_path
from .path import Diagnosis, Jump, Path

__all__ = [
    "Diagnosis",
    "Jump",
    "NonFiniteError",
    "Path",
    "integrate",
    "integrate_adaptive",
    "points_on_path",
]

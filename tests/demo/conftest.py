"""Fixtures of figures, for the figures of demos."""

from ..plots.conftest import bars

__all__ = ["bars"]

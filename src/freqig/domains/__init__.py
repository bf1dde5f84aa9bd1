"""Domains: ways of writing a signal as coefficients, all explained from one path."""

from .base import Domain
from .rfft import RFFT
from .time import Time

__all__ = ["RFFT", "Domain", "Time"]

"""Means over people or samples, how sure they are, and whether two of them differ."""

from __future__ import annotations

from .comparing import compare
from .summarizing import summarize

__all__ = ["compare", "summarize"]

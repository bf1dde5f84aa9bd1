"""One page in HTML that answers, in one file, from a result."""

from .page import report

__all__ = ["report"]

"""The part of a signal that drove a decision, as a signal again."""

from .parts import resynthesize

__all__ = ["resynthesize"]

"""Recordings read from files: one kind of file a module, its library imported there."""

from .read import read

__all__ = ["read"]

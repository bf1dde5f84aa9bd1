"""Recordings read from files: one kind of file a module, its library imported there."""

from ..signals.recordings import is_raw
from .asked import names_of_channels
from .read import cut_raw, read
from .recording import Annotation, RatesError, Recording

__all__ = ["Annotation", "RatesError", "Recording", "cut_raw", "is_raw", "names_of_channels", "read"]

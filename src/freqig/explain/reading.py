"""What a caller passes as signals, read as the model wants it: rate, unit, order of channels, window."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from ..files import cut_raw, is_raw, names_of_channels, read
from ..models import Hints
from ..signals import Signal, in_unit, of_channels, read_signal, settled
from .settings import Settings


def read_input(
    x: Any, hints: Hints, settings: Settings, reading: Mapping[str, Any], name: str = "x"
) -> Signal:
    """Signals of any kind, shape (N, *axes, n), as the model wants them.

    Parameters
    ----------
    x : path, Raw of MNE, or whatever `freqig.signals.read_signal` takes
        What the caller passed.
    hints : Hints
        What the model says of its input.
    settings : Settings
        Of the Explainer: rate, unit and axis of time.
    reading : mapping
        How a file is read, or a Raw cut, by the names of `freqig.read`; None where nothing was said.
    name : str
        Name of the signals in errors.

    Raises
    ------
    TypeError, ValueError
        If they cannot be read, or contradict the settings or the model.
    """
    asked = {key: value for key, value in reading.items() if value is not None}
    channels = None
    if isinstance(x, (str, PathLike)):
        x = read(x, fs=settings.fs if "resample" not in asked else None, **asked)
    elif asked and is_raw(x):
        x = cut_raw(x, **asked)
    elif asked:
        channels = asked.pop("channels", None)
        refuse_reading(x, asked)
    signal = settled(read_signal(x, settings.time_axis, name), settings.fs, name)
    if signal.dims is None and settings.layout is None:
        hints.refuse_unclear(settings.time_axis)
    if channels is not None:
        signal = of_channels(signal, names_of_channels(channels), name)
    return hints.fit(in_unit(signal, settings.unit, name), settings.fs, name)


def refuse_reading(x: Any, reading: Mapping[str, Any]) -> None:
    """TypeError where it is said how to read what is no recording."""
    asked = [key for key, value in reading.items() if value is not None]
    if asked:
        raise TypeError(
            f"{asked[0]} must be None for x of type {type(x).__name__}: it is about reading a file, or "
            "cutting a Raw of MNE"
        )

"""What a model says of the signals it takes: rate, channels, window, and where time lies."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

from ..signals import Signal, in_channel_order
from .axes import ModelAxes, layouts_that_fit

LAST = -1
ANYWAY = "a model that takes others than it says is explained as lambda x: model(x)"


@dataclass(frozen=True)
class Hints:
    """What a model says of its input; nothing by default.

    Parameters
    ----------
    fs : float, optional
        Sampling rate in Hz.
    channels : tuple of str, optional
        Names of the channels.
    n_channels : int, optional
        How many channels; those that have names count themselves.
    window : int, optional
        Samples in time.
    shape : tuple of int or None, optional
        Declared shape of the input, batch first, None for an axis of any size.
    time_axis : int, optional
        Axis of time in that shape, where the model's kind says so.

    Examples
    --------
    >>> Hints(shape=(None, 256, 2), time_axis=1).resolve(-1)
    1
    """

    fs: float | None = None
    channels: tuple[str, ...] | None = None
    n_channels: int | None = None
    window: int | None = None
    shape: tuple[int | None, ...] | None = None
    time_axis: int | None = None

    @classmethod
    def of(cls, model: object) -> Hints:
        """Read the attributes `sfreq`, `chs_info`, `n_chans` and `n_times` of braindecode's models.

        Parameters
        ----------
        model : object
            Any model; attributes that are missing, unset or of another kind count for nothing.

        Returns
        -------
        Hints
            What was found.
        """
        rate = _read(model, "sfreq")
        known = isinstance(rate, Real) and not isinstance(rate, bool)
        names = _names(_read(model, "chs_info"))
        return cls(
            fs=float(rate) if known and math.isfinite(rate) and rate > 0 else None,
            channels=names,
            n_channels=_count(model, "n_chans") if names is None else len(names),
            window=_count(model, "n_times"),
        )

    def fit(self, signal: Signal, fs: float | None, name: str, *, reorder: bool = True) -> Signal:
        """The signal as the model wants it: with its rate, its channels in its order, and its window.

        Parameters
        ----------
        signal : Signal
            What was read of the caller's input.
        fs : float or None
            Sampling rate that the caller gave.
        name : str
            Name of the signal in errors.
        reorder : bool, default True
            Whether channels are put in the order of the model, which is said; else another order is an error.

        Returns
        -------
        Signal
            With rate and channel names of the model where it has none of its own.

        Raises
        ------
        ValueError
            If rate, channels, their number or length are others than those that the model says.
        """
        known = signal.fs if fs is None else fs
        if None not in (known, self.fs) and not math.isclose(known or 0, self.fs or 0, rel_tol=1e-3):
            raise ValueError(
                f"{name} must have the sampling rate of the model, which says sfreq={self.fs:g} Hz, got "
                f"{known:g} Hz: pass resample={self.fs:g} for a file or a Raw, resample other signals, or "
                f"correct the rate; {ANYWAY}"
            )
        if self.channels is not None and signal.channels is not None:
            signal = in_channel_order(signal, self.channels, name, reorder)
        *_, k, n = (1, *signal.values.shape)
        if self.n_channels is not None and signal.values.ndim == 3 and k != self.n_channels:
            raise ValueError(
                f"{name} must have as many channels as the model was built for, n_chans={self.n_channels}, "
                f"got {k}, of shape {tuple(signal.values.shape)}: pass channels= with their names, or those "
                f"of the model in its order; {ANYWAY}"
            )
        if self.window is not None and n != self.window:
            rate = known or self.fs
            length = f"{n} values" if rate is None else f"{n} values, {n / rate:.4g} s"
            window = "their length in s" if rate is None else f"{self.window / rate:g}"
            raise ValueError(
                f"{name} must have as many values in time as the model was built for, n_times={self.window}, "
                f"got {length}: cut it into windows, with window={window} for a file or a Raw; {ANYWAY}"
            )
        return replace(
            signal,
            fs=self.fs if signal.fs is None else signal.fs,
            channels=self.channels if signal.channels is None else signal.channels,
        )

    def misfit(self, shape: tuple[int, ...], time_axis: int) -> str:
        """What speaks against signals of this shape, in the model's layout; nothing where they fit.

        Parameters
        ----------
        shape : tuple of int
            Batch first.
        time_axis : int
            Which axis is time.

        Examples
        --------
        >>> Hints(shape=(None, 2, 24)).misfit((5, 2, 30), -1)
        '(batch, 2, 24), got shape (5, 2, 30): pass window= ... cut 24 values in time, or resample= ...'
        >>> Hints(shape=(None, 2, None)).misfit((5, 2, 30), -1)
        ''
        """
        declared = self.shape
        if declared is None or (
            len(shape) == len(declared)
            and all(b in (None, a) for a, b in zip(shape[1:], declared[1:], strict=True))
        ):
            return ""
        told = f"{described(declared)}, got shape {shape}: "
        if len(shape) != len(declared):
            return f"{told}it has {len(shape)} axes in place of {len(declared)}"
        wrong = [a for a in range(1, len(shape)) if declared[a] not in (None, shape[a])]
        if wrong == [time_axis % len(shape)]:
            return (
                f"{told}pass window= for a file or a Raw to cut {declared[wrong[0]]} values in time, or "
                "resample= where the model learned from another rate"
            )
        return f"{told}pass channels= with the names of those that the model takes"

    def resolve(self, time_axis: int) -> int:
        """Axis of time, given what the caller said; -1 leaves it to the model, whose kind may say it."""
        return self.time_axis if time_axis == LAST and self.time_axis is not None else time_axis

    def is_unclear(self, time_axis: int) -> bool:
        """Whether nothing but the declared shape says where time is, and it speaks against the last axis."""
        shape = self.shape or ()
        left = time_axis == LAST and self.time_axis is None
        return left and any(size is not None and size > (shape[-1] or size) for size in shape[1:])

    def refuse_unclear(self, time_axis: int) -> None:
        """Raise where nothing but the declared shape says where time is, and it speaks against the last axis.

        Parameters
        ----------
        time_axis : int
            As `resolve` gives it.

        Raises
        ------
        ValueError
            If the axis of time must be said, for signals whose axes have no names.
        """
        shape = self.shape or ()
        if self.is_unclear(time_axis):
            raise ValueError(
                f"time_axis must be given for a model that takes {described(shape)}, whose last axis is "
                "shorter than another: counted from the batch axis 0, such as time_axis=1, or "
                f"time_axis={len(shape) - 1} for the last"
            )

    def layouts(self, k: int, n: int) -> list[ModelAxes]:
        """Layouts in which k channels by n values in time fit the declared shape, if there is one."""
        return [] if self.shape is None else layouts_that_fit(self.shape[1:], k, n)

    def axis_for(self, k: int, n: int) -> int:
        """Axis of time for series (k, n): the model's own, else where the declared shape has room.

        Parameters
        ----------
        k, n : int
            Channels, and samples in time.

        Returns
        -------
        int
            That of the model's kind; 1 for a declared shape (batch, n, k); else -1.
        """
        if self.time_axis is not None:
            return self.time_axis
        if self.shape is not None and len(self.shape) == 3:
            first, second = self.shape[1:]
            last = first in (None, k) and second in (None, n)
            middle = first in (None, n) and second in (None, k)
            if middle and not last:
                return 1
        return LAST


def described(shape: tuple[int | None, ...]) -> str:
    """A declared shape in words.

    Examples
    --------
    >>> described((None, 2, None))
    '(batch, 2, any)'
    """
    return f"({', '.join(['batch', *('any' if size is None else str(size) for size in shape[1:])])})"


def _read(model: object, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # noqa: BLE001 - properties of a model that was not told raise as they like
        return None


def _count(model: object, name: str) -> int | None:
    found = _read(model, name)
    known = isinstance(found, Integral) and not isinstance(found, bool)
    return int(found) if known and int(found) > 0 else None


def _names(channels: Any) -> tuple[str, ...] | None:
    if not isinstance(channels, (list, tuple)) or not channels:
        return None
    found = [one.get("ch_name") for one in channels if isinstance(one, dict)]
    names = tuple(name for name in found if isinstance(name, str))
    return names if len(names) == len(channels) else None

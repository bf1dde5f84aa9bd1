"""What a model says of the signals it takes: rate, channels, window, and where time lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

LAST = -1


@dataclass(frozen=True)
class Hints:
    """What a model says of its input; nothing by default.

    Parameters
    ----------
    fs : float, optional
        Sampling rate in Hz.
    channels : tuple of str, optional
        Names of the channels.
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
    window: int | None = None
    shape: tuple[int | None, ...] | None = None
    time_axis: int | None = None

    @classmethod
    def of(cls, model: object) -> Hints:
        """Read the attributes `sfreq`, `chs_info` and `n_times` of braindecode's models.

        Parameters
        ----------
        model : object
            Any model; attributes that are missing, unset or of another kind count for nothing.

        Returns
        -------
        Hints
            What was found.
        """
        rate, window = _read(model, "sfreq"), _read(model, "n_times")
        known = isinstance(rate, (int, float)) and not isinstance(rate, bool)
        names = _names(_read(model, "chs_info"))
        return cls(
            fs=float(rate) if known and math.isfinite(rate) and rate > 0 else None,
            channels=names,
            window=window if isinstance(window, int) and window > 0 else None,
        )

    def resolve(self, time_axis: int) -> int:
        """Axis of time, given what the caller said.

        Parameters
        ----------
        time_axis : int
            The caller's; -1 leaves it to the model.

        Returns
        -------
        int
            The axis.

        Raises
        ------
        ValueError
            If the caller left it to the model, and its declared shape speaks against the last axis.
        """
        if time_axis != LAST:
            return time_axis
        if self.time_axis is not None:
            return self.time_axis
        if self._last_is_short():
            assert self.shape is not None  # noqa: S101 - for the type checker
            raise ValueError(
                f"time_axis must be given for a model that takes {described(self.shape)}, whose last "
                f"axis is shorter than another: counted from the batch axis 0, such as time_axis=1, or "
                f"time_axis={len(self.shape) - 1} for the last"
            )
        return LAST

    def axis_for(self, k: int, n: int) -> int:
        """Axis of time for series (k, n): the one axis where the declared shape has room for both.

        Parameters
        ----------
        k, n : int
            Channels, and samples in time.

        Returns
        -------
        int
            1 for a model that takes (batch, n, k), else that of its kind, else -1.
        """
        if self.shape is not None and len(self.shape) == 3:
            first, second = self.shape[1:]
            last = first in (None, k) and second in (None, n)
            middle = first in (None, n) and second in (None, k)
            if last != middle:
                return LAST if last else 1
        return LAST if self.time_axis is None else self.time_axis

    def _last_is_short(self) -> bool:
        sizes = (self.shape or ())[1:]
        return bool(sizes) and any(size is not None and size > (sizes[-1] or size) for size in sizes)


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


def _names(channels: Any) -> tuple[str, ...] | None:
    if not isinstance(channels, (list, tuple)) or not channels:
        return None
    names = tuple(one.get("ch_name") if isinstance(one, dict) else None for one in channels)
    return names if all(isinstance(name, str) for name in names) else None

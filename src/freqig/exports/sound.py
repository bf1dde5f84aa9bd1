"""Signals and parts of them as a file of sound."""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .._check import check_flag, check_integer, check_path, check_positive, shown
from .._keywords import says_what_is_meant
from ..result.reading import rate_of
from ..whole_files import replacing

LOWEST = 4000.0
"""Sampling rate in Hz below which there is nothing to be heard: half of it is the highest pitch."""
HIGHEST = 1e8
"""Sampling rate in Hz above which headers of WAV, which count bytes per second in 32 bits, may overflow."""


@says_what_is_meant
def to_wav(
    part: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    sample: int | None = None,
    channel: Hashable | None = None,
    speed: float = 1.0,
    overwrite: bool = False,
) -> Path:
    """Write a signal, such as the part that drove a decision, as a WAV file.

    Values between -1 and 1 without a unit are written as they are, as those of a file of sound; others are
    divided by their largest magnitude, so that EEG in volts is no silence. The file is there whole or not
    at all.

    Parameters
    ----------
    part : xarray.DataArray
        Signals over ``time``, and ``sample`` and ``channel`` where there are several, as
        `freqig.resynthesize` returns them; ``result.signal`` is one too.
    path : str or os.PathLike
        The file to write.
    sample : int, optional
        Position of the sample; needed where there are several.
    channel : hashable, optional
        Name or position of one channel. Default all, as channels of the file.
    speed : float, default 1.0
        How many times faster it is played: every pitch is as many times higher. EEG of 250 Hz is heard
        at a speed of 50.
    overwrite : bool, default False
        Whether a file that exists is replaced.

    Returns
    -------
    pathlib.Path
        Where the file is.

    Raises
    ------
    ImportError
        If soundfile is not installed.
    FileExistsError
        If there is such a file, and `overwrite` is False.
    TypeError, ValueError
        If the signal is of another type or shape; if its sampling rate is not known, or times `speed`
        below 4 kHz or above 100 MHz.

    Examples
    --------
    >>> import tempfile, numpy as np, xarray as xr, freqig
    >>> tone = xr.DataArray(np.sin(np.arange(8000.0)), dims="time", attrs={"fs": 8000.0})
    >>> path = freqig.to_wav(tone, tempfile.mkdtemp() + "/tone.wav")
    >>> freqig.read(path).shape
    (1, 1, 8000)
    """
    check_flag(overwrite, "overwrite")
    series, rate = _series(part, sample, channel), _rate(part, check_positive(speed, "speed"))
    largest = float(np.abs(series).max(initial=0.0))
    if not np.isfinite(largest):
        raise ValueError("part must be finite, got NaN or infinity")
    target = check_path(path, "path")
    if target.suffix.lower() != ".wav":
        raise ValueError(f"path must end in .wav, got {str(path)!r}")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists: pass overwrite=True to replace it")
    soundfile = _soundfile()
    with replacing(target) as scratch:
        soundfile.write(scratch, series / _full_scale(part, largest), rate, subtype="PCM_16")
    return target


def _full_scale(part: xr.DataArray, largest: float) -> float:
    """What is written as 1."""
    physical = part.attrs.get("units") is not None
    return largest if physical and largest > 0 else max(largest, 1.0)


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise ImportError(
            "to_wav needs soundfile, which is not installed: pip install 'freqig[audio]'"
        ) from error
    return soundfile


def _series(part: Any, sample: Any, channel: Any) -> np.ndarray:
    """One sample, shape (n, channels)."""
    if not isinstance(part, xr.DataArray):
        raise TypeError(
            f"part must be an xarray.DataArray as freqig.resynthesize returns it, got {type(part).__name__}"
        )
    if "time" not in part.dims:
        raise ValueError(f"part must be over time, got the dimensions {', '.join(map(repr, part.dims))}")
    count = part.sizes.get("sample", 1)
    if sample is None and count != 1:
        raise ValueError(f"sample must be given where part holds several, got {count}: pass sample=0")
    position = 0 if sample is None else check_integer(sample, "sample")
    if not -count <= position < count:
        raise ValueError(f"sample must be in {-count}..{count - 1} (part has {count}), got {position}")
    one = part.isel(sample=position) if "sample" in part.dims else part
    if "n_times" in one.coords:
        # Where it ends before the longest of its result.
        one = one.isel(time=slice(int(one["n_times"])))
    if channel is not None:
        one = _channel(one, channel)
    spare = [dim for dim in one.dims if dim not in ("time", "channel")]
    if any(one.sizes[dim] > 1 for dim in spare):
        raise ValueError(f"part must be over time and channel, got {', '.join(map(repr, part.dims))}")
    one = one.squeeze(spare, drop=True)
    one = one if "channel" in one.dims else one.expand_dims("channel")
    return np.asarray(one.transpose("time", "channel").values, dtype=np.float64)


def _channel(one: xr.DataArray, channel: Any) -> xr.DataArray:
    names = one["channel"].values.tolist() if "channel" in one.coords and "channel" in one.dims else []
    if channel in names:
        return one.isel(channel=names.index(channel))
    count = one.sizes.get("channel", 0)
    by_position = isinstance(channel, int | np.integer) and not isinstance(channel, bool)
    if by_position and -count <= channel < count:
        return one.isel(channel=channel)
    raise ValueError(
        f"channel must be one of {', '.join(map(repr, names)) or 'none'}, or a position in 0..{count - 1}, "
        f"got {shown(channel)}"
    )


def _rate(part: xr.DataArray, speed: float) -> int:
    fs = rate_of(part)
    if fs is None:
        raise ValueError("part must be of a known sampling rate, got none: pass fs= to Explainer")
    rate = round(fs * speed)
    if rate < LOWEST:
        raise ValueError(
            f"part must be played at {LOWEST:g} Hz at least to be heard, got {fs:g} Hz at a speed of "
            f"{speed:g}: pass speed={int(np.ceil(LOWEST / fs))} or more"
        )
    if rate > HIGHEST:
        raise ValueError(
            f"speed must be at most {HIGHEST / fs:g}, so that the file says {HIGHEST:g} Hz at most, got "
            f"{speed:g}"
        )
    return rate

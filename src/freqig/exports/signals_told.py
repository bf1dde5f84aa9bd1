"""What the paragraph for a paper says of the signals that were explained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr


def of_signals(result: xr.Dataset, settings: Mapping[str, Any]) -> str:
    """How many signals were explained, of how many channels, how long and at which rate."""
    inputs = [own for name, own in result.data_vars.items() if re.fullmatch(r"signal(_\d+)?", str(name))]
    if not inputs:
        return ""
    count, kinds = inputs[0].sizes.get("sample", 1), " and ".join(map(_kind_of_signal, inputs))
    several = f"{many(count, 'sample')} of {len(inputs)} inputs: {kinds}"
    told = f"{many(count, 'signal')} of {kinds}" if len(inputs) == 1 else several
    return f"Explained were {told}.{_windows(result, settings)}"


def _kind_of_signal(signal: xr.DataArray) -> str:
    """Channels, length, rate and unit."""
    sizes = {str(dim).partition("_")[0]: size for dim, size in signal.sizes.items()}
    time = next(signal[dim] for dim in signal.dims if str(dim).partition("_")[0] == "time")
    n, channels = sizes["time"], sizes.get("channel", 1)
    length = f"{n} values"
    if time.attrs.get("units") == "s" and n > 1:
        fs = (n - 1) / float(time[-1] - time[0])
        length = f"{n / fs:g} s at {fs:g} Hz"
    unit = f", in {signal.attrs['units']}" if "units" in signal.attrs else ""
    return f"{f'{channels} channels and ' if channels > 1 else ''}{length}{unit}"


def _windows(result: xr.Dataset, settings: Mapping[str, Any]) -> str:
    slid = settings.get("slide")
    if slid is None:
        return ""
    onsets = result["window"].values if "window" in result.coords else np.empty(0)
    # The last may be nearer to the one before.
    hop = f", one every {np.diff(onsets).max():g} s" if onsets.size > 1 else ""
    return (
        f" Each was explained in {many(slid['windows'], 'window')} of {slid['window']:g} s{hop}, whose "
        "attributions and outputs were added up, weighted by the mean of 1 / (windows at a time)."
    )


def many(count: int, what: str) -> str:
    """A count of things in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

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
    each = [_kind_of_signal(one, result.coords.get("n_times")) for one in inputs]
    kinds = f"of {each[0]}" if len(each) == 1 else f"of {len(each)} inputs ({'; '.join(each)})"
    what = "sample" if len(inputs) > 1 else "signal"
    if "sample" not in inputs[0].dims and "converged" in result and result["converged"].dtype.kind == "f":
        # A mean, as xarray takes it over samples, does not know how many they were.
        return f"Explanations of {what}s {kinds} were averaged{_windows(result, settings)}."
    count = inputs[0].sizes.get("sample", 1)
    told = f"One {what} {kinds} was" if count == 1 else f"In all, {count} {what}s {kinds} were"
    return f"{told} explained{_windows(result, settings)}."


def _kind_of_signal(signal: xr.DataArray, lengths: xr.DataArray | None) -> str:
    """Channels, length, rate and unit; lengths in values, where they differ."""
    sizes = {str(dim).partition("_")[0]: size for dim, size in signal.sizes.items()}
    time = next(signal[dim] for dim in signal.dims if str(dim).partition("_")[0] == "time")
    n, channels = sizes["time"], sizes.get("channel", 1)
    low, high = (n, n) if lengths is None else (int(lengths.min()), int(lengths.max()))
    length = f"{_range(low, high)} values"
    if time.attrs.get("units") == "s" and n > 1:
        fs = (n - 1) / float(time[-1] - time[0])
        length = f"{_range(low / fs, high / fs)} s at {fs:g} Hz"
    unit = f" (in {re.sub('^u(?=[A-Z])', 'µ', signal.attrs['units'])})" if "units" in signal.attrs else ""
    return f"{f'{channels} channels and ' if channels > 1 else ''}{length}{unit}"


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:.4g} to {high:.4g}"


def _windows(result: xr.Dataset, settings: Mapping[str, Any]) -> str:
    slid = settings.get("slide")
    if slid is None:
        return ""
    onsets = result["window"].values if "window" in result.coords else np.empty(0)
    # The last may be nearer to the one before.
    hop = f", one every {np.diff(onsets).max():g} s" if onsets.size > 1 else ""
    return (
        f" in {many(slid['windows'], 'window')} of {slid['window']:g} s{hop}, whose attributions and outputs "
        "were added up, weighted by the mean of 1 / (windows at a time)"
    )


def many(count: int, what: str) -> str:
    """A count of things in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

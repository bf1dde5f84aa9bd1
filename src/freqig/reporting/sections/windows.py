"""The windows of one long signal, each as a sample of its own, so that they have an overview."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from ..material import Material

OF_EACH = "_by_window"
"""Ending of attributions of every window."""
KNOWN = "window_"
"""How begins what else is known of every window."""


def of_windows(material: Material) -> Material | None:
    """Material of the windows of a result of `freqig.slide` of one signal; None of all others."""
    result, fs = material.result, material.fs
    size = material.settings.get("slide", {}).get("window")
    if "window" not in result.dims or len(material) > 1 or fs is None or size is None:
        return None
    one = result.isel(sample=0)
    # Beside them stand sums over all windows, by the same names.
    of_all = [name for name, own in one.data_vars.items() if "window" not in own.dims and name != "signal"]
    along = {name: own for name, own in one.coords.items() if own.dims == ("window",) and name != "window"}
    held = one.drop_vars([*of_all, "signal", "predicted", "target", "window_weight"], errors="ignore")
    names = {name: str(name).removesuffix(OF_EACH).removeprefix(KNOWN) for name in [*held.data_vars, *along]}
    parts = held.rename({old: new for old, new in names.items() if old != new}).rename(window="sample")
    parts = parts.assign_coords(onset=("sample", one["window"].values)).drop_vars("sample", errors="ignore")
    if "signal" in one:
        cut = _cut(one["signal"], one["window"].values, fs, round(size * fs))
        parts = parts.drop_dims("time", errors="ignore").assign(signal=cut)
    return replace(material, result=parts, other=None, samples=(), arrays={})


def _cut(signal: xr.DataArray, onsets: np.ndarray, fs: float, size: int) -> xr.DataArray:
    """The signal of every window, whose time begins at 0."""
    starts = np.round(onsets * fs).astype(int)
    every = [signal.isel(time=slice(start, start + size)).drop_vars("time") for start in starts]
    cut = xr.concat(every, "sample").assign_coords(time=("time", np.arange(size) / fs, {"units": "s"}))
    return cut.assign_attrs(signal.attrs)

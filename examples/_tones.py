"""Tones and harmonics, for the examples with pitch networks."""

from __future__ import annotations

import sys
import types

import numpy as np
import xarray as xr


def tone(f0: float, fs: float, n: int, harmonics: int = 5) -> np.ndarray:
    """Equal cosines at the first harmonics of f0, float32, shape (n,)."""
    t = np.arange(n) / fs
    parts = [np.cos(2 * np.pi * k * f0 * t + k) for k in range(1, harmonics + 1)]
    return np.sum(parts, axis=0).astype(np.float32)


def near_harmonics(frequency: xr.DataArray, f0: float, width: float, harmonics: int = 5) -> xr.DataArray:
    """Which frequencies lie within `width` Hz of one of the first harmonics of f0."""
    # Higher ones, which the tone does not have, would lie on those of another: 7 · 220 ≈ 5 · 310.
    k = (frequency / f0).round().clip(1, harmonics)
    return abs(frequency - k * f0) <= width


def without_torchaudio() -> None:
    """Let a package import that asks for torchaudio and uses it for reading files only."""
    try:
        import torchaudio  # noqa: F401
    except ImportError:
        sys.modules["torchaudio"] = types.ModuleType("torchaudio")

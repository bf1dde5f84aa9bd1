"""Signals, spectra and maps of samples as arrays of a page, and what is said of their rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...plots._style import label_with_units, units_of
from ..encoding import encoded, levelled, quantized
from ..lines import names_of_lines, stacked
from ..material import Material
from .part import KEEP, Part

STRETCHES = 400
"""Of attribution by time, at most."""
BINS = 8192
"""Of attribution by frequency, at most; more are added up to neighbours."""
CELLS = (128, 200)
"""Frequencies and times of a map, at most."""


def add_rows(material: Material, name: str, values: np.ndarray, bits: int = 16) -> None:
    """Add values of samples, shape (N, ...), of so many bits; of 0 as they are."""
    if bits == 0:
        material.arrays[name] = encoded(values.astype(np.float32))
        return
    levels, step = quantized(values, bits)
    material.arrays[name] = encoded(levels)
    material.arrays[f"{name}-step"] = encoded(step)


def add_waves(material: Material, name: str, values: np.ndarray) -> float:
    """Add waves, shape (N, C, n), of 8 bits about their middle; the largest error, as a share of a range."""
    levels, middle, step = levelled(values)
    material.arrays[name] = encoded(levels)
    material.arrays[f"{name}-middle"], material.arrays[f"{name}-step"] = encoded(middle), encoded(step)
    rebuilt = levels * step[..., None].astype(np.float64) + middle[..., None]
    width = np.ptp(values, axis=-1)
    off = np.abs(rebuilt - values).max(axis=-1)
    return float(np.max(off[width > 0] / width[width > 0], initial=0.0))


def add_signal(material: Material, rows: np.ndarray, part: Part, about: dict[str, Any]) -> str:
    """Add signals, the starts of their paths, and what is kept of them; what has to be said of it."""
    signal = material.result["signal"]
    lengths = material.result["n_times"].values if "n_times" in material.result.coords else None
    off = add_waves(material, "signal", stacked(signal, ("time",))[rows])
    about["signal"] = {
        "lines": names_of_lines(signal, ("time",)),
        "units": units_of(signal),
        "lengths": None if lengths is None else lengths[rows].tolist(),
        "start": None,
        "part": bool(part),
        "keep": KEEP,
    }
    if part.start is not None:
        start = part.start[rows]
        flat = bool((np.ptp(start, axis=-1) == 0).all())
        shared = bool((start == start[:1]).all())
        about["signal"]["start"] = {"flat": flat, "shared": shared}
        start = start[:1] if shared else start
        if flat:
            add_rows(material, "start", start[..., 0], bits=0)
        else:
            add_waves(material, "start", start)
    if part.waves is not None:
        add_waves(material, "part", part.waves[rows])
    if part.mask is not None:
        kept = part.mask[rows]
        material.arrays["kept"] = encoded(np.packbits(kept.reshape(*kept.shape[:2], -1), axis=-1))
    count = len(about["signal"]["lines"])
    drawn = f" Of {count} channels the 8 with the largest attributions are drawn." if count > 8 else ""
    of = f" The part is that of the largest values of {part.name!r}." if part else ""
    return (
        "Waveforms have 8 bits for each sample and channel, so what is drawn, heard and written to files is "
        f"off by at most {100 * off:.2g} % of the range of the signal.{drawn}{of}"
    )


def add_spectrum(material: Material, rows: np.ndarray, about: dict[str, Any]) -> str:
    """Add attributions by frequency, summed over channels; what has to be said of them."""
    name = material.spectrum or ""
    frequency = material.result[name][material.dim_of(name, "frequency")]
    at, values = frequency.values.astype(np.float64), material.over(name, "frequency")[rows]
    each = -(-at.size // BINS)
    if each > 1:
        starts = np.arange(0, at.size, each)
        values = np.add.reduceat(values, starts, axis=1)
        at = np.add.reduceat(at, starts) / np.diff(np.append(starts, at.size))
    about["spectrum"] = {
        "first": float(at[0]),
        "step": float(np.diff(at).mean()) if at.size > 1 else 1.0,
        "label": label_with_units("rate of the envelope" if material.of_envelope else "frequency", frequency),
        # Where the signal and its attributions have the same frequencies, both are shown up to the same one.
        "shared": not material.of_envelope,
    }
    if at.size > 2 and not np.allclose(np.diff(at), np.diff(at).mean(), rtol=1e-3):
        material.arrays["spectrum-frequency"] = encoded(at.astype(np.float32))
    add_rows(material, "spectrum", values)
    return f"Attribution by frequency is added up over {each} neighbours." if each > 1 else ""


def course_edges(material: Material) -> np.ndarray:
    """Where the stretches begin to which attributions by time are added up, and the end, in points."""
    n = material.result.sizes[material.dim_of(material.course or "", "time")]
    return np.unique(np.linspace(0, n, min(n, STRETCHES) + 1).astype(int))


def add_map(material: Material, about: dict[str, Any]) -> str:
    """Add maps of the samples that were chosen; what has to be said of them."""
    name, rows = material.map or "", list(material.chosen)
    variable = material.result[name].isel(sample=rows)
    f_dim, t_dim = material.dim_of(name, "frequency"), material.dim_of(name, "time")
    values = stacked(variable, (f_dim, t_dim)).sum(axis=1)
    axes, cut = [], []
    for axis, (dim, most) in enumerate(zip((f_dim, t_dim), CELLS, strict=True), 1):
        at = variable[dim].values.astype(np.float64)
        starts = np.unique(np.linspace(0, at.size, min(at.size, most) + 1).astype(int))[:-1]
        counts = np.diff(np.append(starts, at.size))
        values = np.add.reduceat(values, starts, axis=axis)
        axes.append(np.add.reduceat(at, starts) / counts)
        cut.append(at.size > most)
    about["map"] = {
        "rows": rows,
        "frequency": axes[0].tolist(),
        "time": axes[1].tolist(),
        "label": label_with_units("frequency", variable[f_dim]),
    }
    add_rows(material, "map", values)
    told = f"Time and frequency together are shown for {len(rows)} of {len(material)} samples"
    return f"{told}, neighbouring cells added up." if any(cut) else f"{told}."

"""Which coefficients make up the part of each signal that drove the decision, and where paths begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...resynthesis.keeping import kept_coefficients
from ...resynthesis.source import starts
from ..lines import stacked
from ..material import Material

KEEP = 0.9
"""Share of the positive attribution that the part holds, as by default in `freqig.resynthesize`."""


@dataclass(frozen=True)
class Part:
    """What the page needs to put parts together; N samples, C channels, K frequencies.

    Parameters
    ----------
    mask : numpy.ndarray or None
        Coefficients that are kept, bool, shape (N, C, K).
    start : numpy.ndarray or None
        Where paths begin, shape (N, C, n); None where at zero.
    missing, call : str
        Why there are no parts, and the call that supplies them.
    """

    mask: np.ndarray | None = None
    start: np.ndarray | None = None
    missing: str = ""
    call: str = ""


def part_of(material: Material) -> Part:
    """The parts of all samples, as `freqig.resynthesize` makes them."""
    name = material.spectrum
    assert name is not None  # noqa: S101 - only asked for where there is one
    variable, signal = material.result[name], material.result["signal"]
    dim = material.dim_of(name, "frequency")
    n, fs = signal.sizes["time"], material.fs or 1.0
    frequency, own = variable[dim].values, np.fft.rfftfreq(n, 1 / fs)
    if frequency.shape != own.shape or not np.allclose(frequency, own, rtol=1e-6):
        text = "The part that drove a decision is made of the RFFT of whole signals, which is not here."
        return Part(missing=text, call="freqig.Explainer(model, domains=[freqig.RFFT()])")
    x = torch.from_numpy(np.nan_to_num(signal.transpose("sample", ..., "time").values.astype(np.float64)))
    try:
        begin = starts(material.result, material.baseline, x).numpy().reshape(len(x), -1, n)
    except (KeyError, TypeError, ValueError) as error:
        text = f"The part that drove a decision needs the start of the paths, which is not known: {error}."
        return Part(missing=text, call="freqig.report(result, baseline=BASELINE)")
    ordered = variable.transpose("sample", ..., dim)
    gains = stacked(ordered, (dim,))
    if gains.shape[1] != begin.shape[1]:
        text = "The part that drove a decision is put together from attributions of every channel."
        return Part(missing=text, call="freqig.Explainer(model, domains=[freqig.RFFT()])")
    mask = np.zeros(gains.shape, dtype=bool)
    # Without positive attribution there is no part of it.
    rows = np.flatnonzero((gains > 0).reshape(len(gains), -1).any(axis=1)).tolist()
    if rows:
        mask[rows] = kept_coefficients(ordered.fillna(0), KEEP, rows).reshape(len(rows), *gains.shape[1:])
    return Part(mask, begin if begin.any() else None)

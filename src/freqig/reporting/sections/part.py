"""The part of each signal that drove the decision: coefficients of an RFFT, or waves of any other domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...domains import RFFT
from ...domains.rebuilding import rebuilt_by_name
from ...result.reading import names_of_attributions
from ...resynthesis.keeping import kept_coefficients
from ...resynthesis.source import Source, starts
from ...resynthesis.synthesis import synthesized
from ..lines import stacked
from ..material import Material

KEEP = 0.9
"""Share of the positive attribution that the part holds, as by default in `freqig.resynthesize`."""
BLOCK = 2**21
"""Values of signals that are put together at once."""
SPECTRA = "freqig.Explainer(model, domains=[freqig.RFFT(), ...])"


@dataclass(frozen=True)
class Part:
    """What the page needs to put parts together; N samples, C channels, n points, K frequencies.

    Parameters
    ----------
    name : str
        Variable of the attributions of which the largest make up the part; empty where there is none.
    mask : numpy.ndarray or None
        Coefficients of the RFFT that are kept, bool, shape (N, C, K): few bits, from which the page makes
        the waves.
    start : numpy.ndarray or None
        Where paths begin, shape (N, C, n); None where at zero, or where parts are waves.
    waves : numpy.ndarray or None
        The parts, shape (N, C, n), where they are not of an RFFT.
    missing, call : str
        Why there are no parts, and the call that supplies them.
    """

    name: str = ""
    mask: np.ndarray | None = None
    start: np.ndarray | None = None
    waves: np.ndarray | None = None
    missing: str = ""
    call: str = ""

    def __bool__(self) -> bool:
        return bool(self.name)


def part_of(material: Material) -> Part:
    """The parts of all samples, as `freqig.resynthesize` makes them.

    They are of the RFFT of whole signals where the result has it, since these take the fewest letters, and
    else of the first attributions from which signals can be put together again.
    """
    signal = material.result["signal"].transpose("sample", ..., "time")
    n = signal.sizes["time"]
    x = torch.from_numpy(np.nan_to_num(signal.values.astype(np.float64)))
    try:
        begin = starts(material.result, material.baseline, x).numpy().reshape(len(x), -1, n)
    except (KeyError, TypeError, ValueError) as error:
        if material.baseline is not None and str(error).startswith("baseline "):
            raise
        lost = isinstance(error, KeyError) or "settings" not in material.result.attrs
        why = "the settings of the result do not tell it" if lost else str(error).rstrip(".")
        if why.startswith("result must"):
            text = f"The part that drove a decision cannot be put together: {why}."
            return Part(missing=text, call="freqig.report(explainer(x))")
        text = f"The part that drove a decision needs the start of the paths, which is not known: {why}."
        return Part(missing=text, call="freqig.report(result, baseline=BASELINE)")
    mask = _kept(material, begin.shape)
    if mask is not None:
        return Part(material.spectrum or "", mask, begin if begin.any() else None)
    reasons: list[str] = []
    for name in names_of_attributions(material.result):
        try:
            source = Source.of(material.result, name, material.baseline, None)
        except (KeyError, TypeError, ValueError) as error:
            reasons.append(str(error).partition(": ")[0])
            continue
        return Part(name, waves=_waves(source).reshape(begin.shape))
    text = f"The part that drove a decision cannot be put together from these attributions: {reasons[0]}."
    return Part(missing=text, call=SPECTRA)


def _kept(material: Material, shape: tuple[int, ...]) -> np.ndarray | None:
    """Which coefficients of the RFFT are kept; None where the result does not hold it whole."""
    name = material.spectrum
    if name is None or shape[-1] != material.result.sizes["time"]:
        return None
    try:
        domain = rebuilt_by_name(material.settings.get("domains", ()), name)
    except ValueError:
        return None
    variable = material.result[name]
    dim = material.dim_of(name, "frequency")
    if type(domain) is not RFFT or variable.sizes[dim] != shape[-1] // 2 + 1:
        return None
    ordered = variable.transpose("sample", ..., dim)
    gains = stacked(ordered, (dim,))
    if gains.shape[1] != shape[1]:
        return None
    mask = np.zeros(gains.shape, dtype=bool)
    if rows := _rows(gains):
        mask[rows] = kept_coefficients(ordered.fillna(0), KEEP, rows).reshape(len(rows), *gains.shape[1:])
    return mask


def _rows(gains: np.ndarray) -> list[int]:
    """Samples with positive attribution: without it there is no part of it."""
    found: list[int] = np.flatnonzero((gains > 0).reshape(len(gains), -1).any(axis=1)).tolist()
    return found


def _waves(source: Source) -> np.ndarray:
    """Parts of all samples; where there is no positive attribution, the start of the path."""
    waves = source.baseline.numpy().copy()
    rows = _rows(source.attribution.values)
    each = max(1, BLOCK // max(1, source.x[0].numel()))
    for first in range(0, len(rows), each):
        own = rows[first : first + each]
        waves[own] = synthesized(source, own, kept_coefficients(source.attribution, KEEP, own)).numpy()
    return waves

"""What the paragraph for a paper says of the domains that attributions were taken in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from .references import Cited
from .signals_told import many

CITED = ("STFT", "FilterBank", "Wavelet", "Envelope", "Cepstrum")
"""Domains that have a reference of their own."""


def of_domains(result: xr.Dataset, settings: Mapping[str, Any], cite: Cited) -> str:
    """In which domains attributions were taken, how well where these have paths of their own, and bands."""
    described = list(dict.fromkeys(shortly(text) for text in settings.get("domains", ())))
    if not described:
        return ""
    told = f"Attributions were taken in {', '.join(_cited(text, cite) for text in described)}."
    return told + _own_paths(result) + _bands(result)


def shortly(described: Any) -> str:
    """What a domain or players are described by, without the name of their variable and what was left open.

    Examples
    --------
    >>> shortly("STFT(window=0.5, hop=None, name='stft')"), shortly("RFFT(name='orders', orders=25.0)")
    ('STFT(window=0.5)', 'RFFT(orders=25.0)')
    """
    return re.sub(r"(?<=\()(name='[^']*'|\w+=None)(, )?|, (name='[^']*'|\w+=None)", "", str(described))


def _cited(text: str, cite: Cited) -> str:
    found = [str(cite(kind)) for kind in CITED if f"{kind}(" in text]
    return f"{text} [{', '.join(found)}]" if found else text


def _own_paths(result: xr.Dataset) -> str:
    """What came of paths that are straight in the coordinates of a domain that is not linear."""
    told = ""
    for name, variable in result.data_vars.items():
        gap = result.get(f"{name}_completeness_gap")
        if variable.attrs.get("kind") != "attribution" or gap is None:
            continue
        met, largest = result[f"{name}_converged"], float(np.nanmax(np.abs(gap.values), initial=0.0))
        told += (
            f" Those of {name!r} are integrals along paths of their own, straight in its coordinates, which "
            f"converged for {int(met.sum())} of {many(int(met.size), 'explanation')}, with a gap of "
            f"{largest:.2g} at most."
        )
    return told


def _bands(result: xr.Dataset) -> str:
    for dim in (str(name) for name in result.coords if str(name) == "band" or str(name).endswith("_band")):
        low, high = result.coords.get(f"{dim}_low"), result.coords.get(f"{dim}_high")
        if low is None or high is None:
            continue
        named = zip(result[dim].values.tolist(), low.values, high.values, strict=True)
        edges = [f"{name} {a:g}-{b:g}" for name, a, b in named if np.isfinite(a)]
        return (
            f" They were summed over bands in Hz: {', '.join(edges)}; all other frequencies are in the rest."
        )
    return ""

"""What bands are called and where they end: presets, scales, and edges of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from ._check import check_number, shown
from .band_scales import SCALES

presets: Mapping[str, Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "sleep": MappingProxyType(
            {
                "delta": (0.5, 4.0),
                "theta": (4.0, 8.0),
                "alpha": (8.0, 12.0),
                "sigma": (12.0, 16.0),
                "beta": (16.0, 30.0),
                "gamma": (30.0, 40.0),
            }
        ),
        "eeg": MappingProxyType(
            {
                "delta": (0.0, 4.0),
                "theta": (4.0, 8.0),
                "alpha": (8.0, 12.0),
                "beta": (12.0, 30.0),
                "gamma": (30.0, 45.0),
            }
        ),
    }
)
"""Band edges in Hz by preset and band; where they are from is in the notes of `bands`."""
REST = "rest"
"""What the frequencies outside all bands are called."""
ANY_RATE = 1000.0
"""Stands for the rate of a result that is not there yet: scales reach up to half of any rate."""


def check_bands(bands: Any) -> None:
    """Raise where bands would be refused by any result, before there is one.

    Raises
    ------
    TypeError, ValueError
        As `freqig.bands`.
    """
    if bands is not None:
        named_bands(bands, ANY_RATE / 2)


def named_bands(
    bands: Any, highest: float | None = None, n: int | None = None
) -> dict[str, tuple[float, float]]:
    """Check bands and return their edges.

    Parameters
    ----------
    bands : str or mapping of str to (float, float)
        The name of a preset or scale, or edges ``(low, high)`` in Hz by name, as for `freqig.bands`.
    highest : float, optional
        Half of the sampling rate in Hz, up to which scales reach. Without, one is an error.
    n : int, optional
        Number of bands of a scale.

    Returns
    -------
    dict of str to (float, float)
        Edges in Hz by name, in the order given.

    Raises
    ------
    TypeError, ValueError
        As `freqig.bands`.

    Examples
    --------
    >>> from freqig.bands import named_bands
    >>> named_bands({"spindle": (11, 16)})
    {'spindle': (11.0, 16.0)}
    >>> list(named_bands("eeg"))
    ['delta', 'theta', 'alpha', 'beta', 'gamma']
    """
    known = f"one of {', '.join(map(repr, [*SCALES, *presets]))} or a dict of names to (low, high) in Hz"
    if isinstance(bands, str) and bands in SCALES:
        if highest is None:
            raise ValueError(
                f"bands {bands!r} reach up to half of the sampling rate, which must be known: pass fs= in Hz"
            )
        return SCALES[bands].bands(highest, n)
    if n is not None:
        raise ValueError(
            f"n must be None unless bands are one of {', '.join(map(repr, SCALES))}, whose number is "
            f"free, got n={shown(n)} and {shown(bands)}"
        )
    if isinstance(bands, str):
        if bands not in presets:
            raise ValueError(f"bands must be {known}, got {bands!r}")
        return dict(presets[bands])
    if not isinstance(bands, Mapping):
        raise TypeError(f"bands must be {known}, got {type(bands).__name__}")
    if not bands:
        raise ValueError("bands must name at least one band, got an empty dict")
    edges = {name: _edges(name, pair) for name, pair in bands.items()}
    ordered = sorted(edges.items(), key=lambda item: item[1])
    for (name, (low, high)), (later, (later_low, later_high)) in pairwise(ordered):
        if later_low < high:
            raise ValueError(
                f"bands must not overlap, or their sums would count frequencies twice, got "
                f"{name!r} ({low:g}, {high:g}) and {later!r} ({later_low:g}, {later_high:g}) Hz; "
                "give sets that do not overlap one after another"
            )
    return edges


def _edges(name: object, pair: object) -> tuple[float, float]:
    if not isinstance(name, str):
        raise TypeError(f"bands must have names that are strings, got {name!r}")
    if not name or name == REST:
        raise ValueError(
            f"bands must have names other than '' and {REST!r}, which holds the frequencies "
            f"outside all bands, got {name!r}"
        )
    edges = pair.tolist() if isinstance(pair, np.ndarray) else pair
    if not isinstance(edges, tuple | list) or len(edges) != 2:
        raise TypeError(f"bands[{name!r}] must be two numbers (low, high) in Hz, got {shown(pair)}")
    low, high = (check_number(edge, f"bands[{name!r}]", "two numbers (low, high) in Hz") for edge in edges)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"bands[{name!r}] must have finite edges in Hz, got ({low:g}, {high:g}); frequencies "
            f"outside all bands are in {REST!r}, and an edge may lie beyond the Nyquist frequency"
        )
    if not 0 <= low < high:
        raise ValueError(
            f"bands[{name!r}] must have edges with 0 <= low < high in Hz, got ({low:g}, {high:g})"
        )
    return low, high
